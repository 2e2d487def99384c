// SPDX-License-Identifier: MIT
// The work whose instructions are counted: always the same for the same sizes, whatever the clock
// and the scheduler do. Which part of it counts is callgrind's business, which knows it by the
// names of register_range and cancel_range: see scripts/threadref_lab/measure/instructions.py.
#pragma once

#include <algorithm>
#include <string_view>

#include "subjects/subject_code.hpp"

namespace threadref::bench::instructions {

struct size {
  int n = 0;        // of what is counted, on each thread
  int threads = 0;  // one after the other
  int warm_up = 0;  // how many one thread before them does; 0: there is none
};

template <class Run>
verdict for_each_thread(const subject_code& s, const size& of, probe::routine routine, Run due) {
  verdict found;
  probe at(std::max(of.n, of.warm_up) + 1);
  at.shared = const_cast<subject_code*>(&s);  // only read
  const auto run = [&](int n) {
    at.n = n;
    s.run(at, routine, due(n), found);
  };
  if (of.warm_up != 0) run(of.warm_up);
  for (int t = 0; t != of.threads; ++t) run(of.n);
  return found;
}

// n registrations and the exit that runs them: the work of two quantities. No clock is read.
inline verdict register_and_exit(const subject_code& s, const size& of) {
  const auto routine = [](probe& at) {
    const auto& subject = *static_cast<const subject_code*>(at.shared);
    subject.arm(at.storage(), at.n);
    subject.register_range(at.done, 0, at.n);
    subject.leave();
  };
  return for_each_thread(s, of, routine, [](int n) { return n; });
}

// Registers n + 1 and cancels n of them, oldest first; the one that is left must run.
inline verdict register_and_cancel(const subject_code& s, const size& of) {
  return for_each_thread(s, of, s.register_and_cancel, [](int /*n*/) { return 1; });
}

// As far as counts go: see scripts/threadref_lab/measure/instructions.py.
inline constexpr int most_counted = 1280;

struct quantity {
  std::string_view name;
  verdict (*run)(const subject_code&, const size&);
  std::string_view (*why_not)(const subject_code&);  // or nothing
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
