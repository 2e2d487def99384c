// SPDX-License-Identifier: MIT
#include "bench/load/other_keys.hpp"
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

// Sets all keys on the thread, then runs the routine that probe::shared points to.
void with_keys(probe& at) {
  other_keys::set_all();
  (*static_cast<const probe::routine*>(at.shared))(at);
}

sample take_with_keys(const subject_code& s, probe::routine what, int registered, probe& at,
                      verdict& v) {
  at.n = swept_count;
  at.shared = &what;
  return s.run(at, &with_keys, registered, v);
}

scenario_code among_keys(scenario_code made, decltype(scenario_code::take) take) {
  made.take = take;
  made.run = &report_among<other_keys>;
  return made;
}

}  // namespace

// Does registering depend on how many other keys have values on the thread?
//   bench_threadref --benchmark_filter=sweep/keys_registration
template <>
const scenario_code& scenario_of<id::sweep_keys_registration>() {
  static const scenario_code it =
      among_keys(sweep_of_registration(id::sweep_keys_registration),
                 [](const subject_code& s, probe& at, int /*keys*/, verdict& v) {
                   return take_with_keys(s, s.registration, swept_count + 1, at, v);
                 });
  return it;
}

// Does the end of a thread depend on how many other keys have values on it?
//   bench_threadref --benchmark_filter=sweep/keys_exit
// glibc walks all of them after the last finalizer, which shows in total.
template <>
const scenario_code& scenario_of<id::sweep_keys_exit>() {
  static const scenario_code it =
      among_keys(sweep_of_exit(id::sweep_keys_exit),
                 [](const subject_code& s, probe& at, int /*keys*/, verdict& v) {
                   return take_with_keys(s, s.exit, swept_count, at, v);
                 });
  return it;
}

}  // namespace threadref::bench
