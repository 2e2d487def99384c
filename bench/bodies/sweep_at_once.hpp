// SPDX-License-Identifier: MIT
#pragma once

#include "bodies/sweep.hpp"
#include "team.hpp"

namespace threadref::bench {

// As registration_routine and exit_routine, with all others.
template <subject S>
void register_at_once(probe& at) {
  team::take_seat(at);
  S::arm(at.storage(), at.n + 1);
  register_range<S>(at.done, 0, 1);
  team::meet(at);
  at.start = now();
  register_range<S>(at.done, 1, at.n + 1);
  at.stop = now();
  leave<S>();
}
template <subject S>
void exit_at_once(probe& at) {
  team::take_seat(at);
  S::arm(at.storage(), at.n);
  register_range<S>(at.done, 0, at.n);
  team::meet(at);
  at.start = now();
  leave<S>();
}

template <id Timed>
struct sweep_at_once : sweep_body<Timed> {
  using base = sweep_body<Timed>;
  static constexpr bool is_free = true;

  static std::vector<int> values(const session& /*all*/) {
    const auto most = static_cast<int>(allowed_cpus().size());
    std::vector<int> threads;
    for (int t = 1; t < most; t *= 2) threads.push_back(t);
    threads.push_back(most);
    return threads;
  }

  template <subject S>
  static sample take(team& all, verdict& v) {
    constexpr bool is_exit = Timed == id::exit_solo;
    return all.run(is_exit ? &exit_at_once<S> : &register_at_once<S>, base::count, base::most(0),
                   v);
  }

  // Subject and floor in turns, with the same number of threads.
  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    all.go_with_crowd(0);
    team together(allowed_cpus(), of.n, base::most(0));
    using floor = decltype(first_of(typename base::floors{}));
    measured m = sample_pairs(
        state, base::count, [&](verdict& v) { return take<S>(together, v); },
        [&](verdict& v) { return take<floor>(together, v); });
    report(state, all, of, base::count, std::move(m), base::wanted);
  }
};

// Do threads that register at the same time hinder each other?
//   bench_threadref --benchmark_filter=sweep/at_once_registration
// Each thread has a CPU of its own; a sample is the mean over the threads.
template <>
struct body<id::sweep_at_once_registration> : sweep_at_once<id::registration> {};

// Do threads that end at the same time hinder each other?
//   bench_threadref --benchmark_filter=sweep/at_once_exit
template <>
struct body<id::sweep_at_once_exit> : sweep_at_once<id::exit_solo> {};

}  // namespace threadref::bench
