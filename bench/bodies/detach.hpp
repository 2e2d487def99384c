// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "baselines/floor_bump_store.hpp"
#include "baselines/floor_mutex_pair.hpp"
#include "bodies/body.hpp"
#include "gate.hpp"

namespace threadref::bench {

// What does a finalizer cost that its own thread registers and cancels?
//   bench_threadref --benchmark_filter=finalize/detach_owner
// The peers can't cancel.
// 2026-11-20, amd-epyc-2c: 9 to 14 ns, of which an atomic compare-and-swap is half.
template <>
struct body<id::detach_owner> {
  using floors = type_list<floor_bump_store>;
  using peers = type_list<>;
  static constexpr int rounds = 1024;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 4'000; }
  static constexpr int most(int /*n*/) { return 2; }
  static constexpr double operations(int /*n*/) { return rounds; }

  template <subject S>
  [[gnu::noinline]] static void repeat(ledger& of, int times) {
    call* const kept = of.calls + 1;
    for (int i = 0; i != times; ++i) {
      if (!S::add_and_cancel(call{&of, 1}, kept)) ++of.refused;
      forget_registers();
    }
  }

  template <subject S>
  static void routine(probe& at) {
    S::arm(at.storage(), 2);
    register_range<S>(at.done, 0, 1);
    at.start = now();
    repeat<S>(at.done, rounds);
    at.stop = now();
    leave<S>();
  }

  template <subject S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    return at.run(&routine<S>, 1, v);
  }
};

// What does it cost to cancel a finalizer of another thread?
//   bench_threadref --benchmark_filter=finalize/detach_foreign
// The other thread lives and sleeps, so that nobody contends.
// 2026-11-20, amd-epyc-2c: 19 to 21 ns, an uncontended mutex 11.
template <>
struct body<id::detach_foreign> {
  using floors = type_list<floor_mutex_pair>;
  using peers = type_list<>;
  static constexpr int each = 256;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 2'000; }
  static constexpr int most(int /*n*/) { return each + 1; }
  static constexpr double operations(int /*n*/) { return each; }

  template <class S>
  struct shared {
    gate registered;
    gate released;
    std::vector<typename S::handle> handles{each};
  };

  template <class S>
  static void routine(probe& at) {
    auto& with = *static_cast<shared<S>*>(at.shared);
    register_range<S>(at.done, 0, 1);
    std::int64_t id = 0;
    for (typename S::handle& h : with.handles) h = S::add_for_handle(call{&at.done, ++id});
    at.start = at.stop = now();
    with.registered.open();
    with.released.pass();
  }

  template <class S>
  [[gnu::noinline]] static void cancel_all(const std::vector<typename S::handle>& handles,
                                           std::uint64_t& refused) {
    for (const typename S::handle& h : handles) refused += h.cancel() ? 0U : 1U;
  }

  template <class S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    if constexpr (!subject<S>) {
      return take_floor();
    } else {
      shared<S> with;
      at.shared = &with;
      at.begin(&routine<S>, 1);
      with.registered.pass();
      const instant before = now();
      const instant start = now();
      cancel_all<S>(with.handles, v.lost);
      const instant stop = now();
      with.released.open();
      sample s = at.join(v);
      s.empty = start - before;
      s.region = stop - start;
      return s;
    }
  }
  static sample take_floor() {
    const instant before = now();
    const instant start = now();
    floor_mutex_pair::rounds(each);
    return {now() - start, start - before, 0, 0};
  }
};

}  // namespace threadref::bench
