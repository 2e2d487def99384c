// SPDX-License-Identifier: MIT
// The questions a thread asks: am I registered, and is another thread alive? Timed code: it is
// compiled once for each subject, by make_code.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include "bench/subjects/routines.hpp"
#include "testing/gate.hpp"

namespace threadref::bench {

inline constexpr int times_asked = 4096;  // in a sample

template <class S>
void ensure_routine(probe& at) {
  if constexpr (subject<S>) {
    register_range<S>(at.done, 0, 1);
  } else {
    S::know(&at);
  }
  at.start = now();
  const std::uint64_t unknown = count_unknown<S>(times_asked);
  at.stop = now();
  at.done.refused += unknown;
}

// The ways to ask.
struct by_check {
  template <class R>
  [[gnu::always_inline]] static bool is_dead(const R& r) {
    return r.expired();
  }
};
struct by_lock {
  template <class R>
  [[gnu::always_inline]] static bool is_dead(const R& r) {
    return !r.lock();
  }
};

template <class Question, class R>
[[gnu::noinline]] std::uint64_t count_dead(const R& r) {
  std::uint64_t dead = 0;
  for (int i = 0; i != times_asked; ++i) dead += Question::is_dead(r) ? 1U : 0U;
  return dead;
}

template <class S>
struct thread_asked_about {
  testing::gate made;
  testing::gate released;
  std::optional<typename S::reference> of;

  static void routine(probe& at) {
    auto& with = *static_cast<thread_asked_about*>(at.shared);
    with.of.emplace();
    at.start = at.stop = now();
    with.made.open();
    with.released.wait();
  }
};

// Asks about a thread while it is alive (region), and once it is dead (total). A wrong answer, the
// ref says "dead" too early or too late, counts as misordered.
template <class Question, class S>
sample ask_ref(probe& at, verdict& v) {
  thread_asked_about<S> with;
  at.shared = &with;
  at.begin(&thread_asked_about<S>::routine, 0);
  with.made.wait();
  const instant before = now();
  const instant start = now();
  v.misordered += count_dead<Question>(*with.of);
  const instant stop = now();
  with.released.open();
  sample s = at.join(v);
  const instant again = now();
  v.misordered += times_asked - count_dead<Question>(*with.of);
  s.total = now() - again;
  s.empty = start - before;
  s.region = stop - start;
  return s;
}
template <class Floor>
sample ask_floor(probe& /*at*/, verdict& /*v*/) {
  const instant before = now();
  const instant start = now();
  static_cast<void>(Floor::rounds(times_asked));
  const instant region = now() - start;
  return {region, start - before, region, 0};
}

}  // namespace threadref::bench
