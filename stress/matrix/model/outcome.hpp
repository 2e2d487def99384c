// SPDX-License-Identifier: MIT
// What a cell of the guarantee matrix says, in one word.
#pragma once

#include <string_view>

namespace threadref::stress {

// From best to worst: the worst that was seen is a trial's word.
enum class word {
  guaranteed,   // every callback ran once, on its own thread, in time
  conditional,  // of a cell: under some of its conditions only, and `why` says under which
  refused,      // registering gave an error: nobody was misled
  lost,         // was accepted and never ran
  misplaced,    // ran on another thread, or after its thread was joined
  misordered,   // ran in the wrong order: not newest first, or when what it needs was gone
  doubled,      // ran more than once
  grows,        // its memory grows without bound while a thread lives
  corrupts,     // touched what is not its own, or took one thread for another
  crashes,
  hangs,
  unknown,  // somebody else ended the child, or nothing was asked: never taken for a success
  absent,   // not in this build or on this machine
  not_applicable,
};
inline constexpr std::string_view word_names[] = {
    "guaranteed", "conditional", "refused", "lost",  "misplaced", "misordered", "doubled",
    "grows",      "corrupts",    "crashes", "hangs", "unknown",   "absent",     "n/a",
};
constexpr std::string_view to_string(word w) noexcept {
  return word_names[static_cast<int>(w)];
}
constexpr word worse(word a, word b) noexcept {
  return a < b ? b : a;
}
// Was it played at all?
constexpr bool is_seen(word w) noexcept {
  return w < word::unknown;
}

}  // namespace threadref::stress
