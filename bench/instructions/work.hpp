// SPDX-License-Identifier: MIT
// The work whose instructions are counted: always the same for the same sizes, whatever the clock
// and the scheduler do. scripts/lab instructions has callgrind count only register_range and
// cancel_range, by these names, and the exit.
#pragma once

#include <algorithm>
#include <string_view>

#include "bench/subjects/subject_code.hpp"

namespace threadref::bench::instructions {

struct size {
  int n = 0;        // finalizers per thread
  int threads = 0;  // one after the other
  int warm_up = 0;  // finalizers of a thread that runs first; 0: no such thread
};

template <class Run>
verdict for_each_thread(const subject_code& s, const size& of, probe::routine routine, Run due) {
  verdict found;
  probe at(std::max(of.n, of.warm_up) + 1);
  at.shared = const_cast<subject_code*>(&s);  // only read from
  const auto run = [&](int n) {
    at.n = n;
    s.run(at, routine, due(n), found);
  };
  if (of.warm_up != 0) run(of.warm_up);
  for (int t = 0; t != of.threads; ++t) run(of.n);
  return found;
}

// n registrations and the exit that runs them: the work of two quantities. Reads no clock.
inline verdict register_and_exit(const subject_code& s, const size& of) {
  const auto routine = [](probe& at) {
    const auto& subject = *static_cast<const subject_code*>(at.shared);
    subject.arm(at.storage(), at.n);
    subject.register_range(at.done, 0, at.n);
    subject.leave();
  };
  return for_each_thread(s, of, routine, [](int n) { return n; });
}

// Registers n + 1 and cancels n of them, oldest first; the remaining one must run.
inline verdict register_and_cancel(const subject_code& s, const size& of) {
  return for_each_thread(s, of, s.register_and_cancel, [](int /*n*/) { return 1; });
}

// The largest n that is counted, see scripts/threadref_lab/measure/instructions.py.
inline constexpr int most_counted = 1280;

struct quantity {
  std::string_view name;
  verdict (*run)(const subject_code&, const size&);
  std::string_view (*why_not)(const subject_code&);  // empty: it can
};
inline constexpr quantity quantities[] = {
    {"registration", &register_and_exit, [](const subject_code&) { return std::string_view(); }},
    {"exit", &register_and_exit,
     [](const subject_code& s) -> std::string_view {
       return s.no_exit.empty() ? "" : "nothing runs when the thread ends";
     }},
    {"detach", &register_and_cancel,
     [](const subject_code& s) -> std::string_view {
       return s.register_and_cancel != nullptr ? "" : "gives no handle to cancel by";
     }},
};

}  // namespace threadref::bench::instructions
