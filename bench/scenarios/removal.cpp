// SPDX-License-Identifier: MIT
// Finalizers that are removed before their thread ends: cancelled, detached or called.
#include "bench/subjects/removal.hpp"

#include "bench/scenarios/scenario.hpp"

namespace threadref::bench {

namespace {

// No peer can do that.
template <removal R>
scenario_code by_owner(id key) {
  return {
      .key = key,
      .floors = {"floor_bump_store"},
      .pairs = [](int /*n*/) { return 2'000; },
      .most = [](int /*n*/) { return 2; },
      .operations = [](int /*n*/) -> double { return removed_by_owner; },
      .take =
          [](const subject_code& s, probe& at, int /*n*/, verdict& v) {
            std::uint64_t runs = 0;
            at.shared = &runs;
            const sample taken = s.run(at, s.owner[static_cast<std::size_t>(R)], 1, v);
            judge_runs(R, runs, removed_by_owner, v);
            return taken;
          },
  };
}

template <removal R>
scenario_code by_another(id key) {
  return {
      .key = key,
      .floors = {"floor_mutex_pair"},
      .pairs = [](int /*n*/) { return 1'000; },
      .most = [](int /*n*/) { return 1; },
      .operations = [](int /*n*/) -> double { return removed_by_another; },
      .take = [](const subject_code& s, probe& at, int /*n*/,
                 verdict& v) { return s.foreign[static_cast<std::size_t>(R)](at, v); },
  };
}

}  // namespace

// What does a finalizer cost that its own thread registers and cancels, detaches, or calls early?
//   bench_threadref --benchmark_filter='finalize/(cancel|detach|call)_owner'
// 2026-11-20, amd-epyc-2c: the default 11, 48 and 11 ns, of which an atomic compare-and-swap takes
// 5 to 6; detaching also returns a handle of the thread, which takes a lock. The floor takes 0.6,
// with a call 1.7.
template <>
const scenario_code& scenario_of<id::cancel_owner>() {
  static const scenario_code it = by_owner<removal::cancel>(id::cancel_owner);
  return it;
}
template <>
const scenario_code& scenario_of<id::detach_owner>() {
  static const scenario_code it = by_owner<removal::detach>(id::detach_owner);
  return it;
}
template <>
const scenario_code& scenario_of<id::call_owner>() {
  static const scenario_code it = by_owner<removal::call>(id::call_owner);
  return it;
}

// What does it cost to cancel, detach or call a finalizer of another thread?
//   bench_threadref --benchmark_filter='finalize/(cancel|detach|call)_foreign'
// The other thread is alive and sleeps, so there is no contention.
// 2026-11-20, amd-epyc-2c: the default 20, 77 and 42 ns, an uncontended mutex 11.
template <>
const scenario_code& scenario_of<id::cancel_foreign>() {
  static const scenario_code it = by_another<removal::cancel>(id::cancel_foreign);
  return it;
}
template <>
const scenario_code& scenario_of<id::detach_foreign>() {
  static const scenario_code it = by_another<removal::detach>(id::detach_foreign);
  return it;
}
template <>
const scenario_code& scenario_of<id::call_foreign>() {
  static const scenario_code it = by_another<removal::call>(id::call_foreign);
  return it;
}

}  // namespace threadref::bench
