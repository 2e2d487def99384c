// SPDX-License-Identifier: MIT
// What a cell of the guarantee matrix shows.
#pragma once

#include <string_view>

namespace threadref::stress {

// From best to worst: a trial's outcome is the worst that was seen.
enum class outcome {
  guaranteed,   // every callback ran once, on its own thread, in time
  conditional,  // of a cell: guaranteed under some conditions only; `why` names them
  refused,      // registering returned an error, so nobody was misled
  lost,         // a callback was accepted and never ran
  misplaced,    // one ran on another thread, or after its thread was joined
  misordered,   // one did not run newest first, or ran when what it needs was gone
  doubled,      // one ran more than once
  grows,        // memory grows without bound while a thread lives
  corrupts,     // the mechanism touched what is not its own, or took one thread for another
  crashes,
  hangs,
  unknown,  // the child was killed from outside, or registered nothing: this is never a success
  absent,   // not in this build, or not on this machine
  not_applicable,
};
inline constexpr std::string_view outcome_names[] = {
    "guaranteed", "conditional", "refused", "lost",  "misplaced", "misordered", "doubled",
    "grows",      "corrupts",    "crashes", "hangs", "unknown",   "absent",     "n/a",
};
constexpr std::string_view to_string(outcome o) noexcept {
  return outcome_names[static_cast<int>(o)];
}
constexpr outcome worse(outcome a, outcome b) noexcept {
  return a < b ? b : a;
}
// Did a trial show it?
constexpr bool is_seen(outcome o) noexcept {
  return o < outcome::unknown;
}

}  // namespace threadref::stress
