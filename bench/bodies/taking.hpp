// SPDX-License-Identifier: MIT
// A finalizer that is had before its thread ends: cancelled, detached or called.
#pragma once

#include <cstddef>
#include <vector>

#include "baselines/floor_bump_store.hpp"
#include "baselines/floor_mutex_pair.hpp"
#include "bodies/body.hpp"
#include "gate.hpp"
#include "way.hpp"

namespace threadref::bench {

// What is registered to be taken: 16 bytes, as those that run at exit.
struct counted {
  std::uint64_t* runs;
  std::uint64_t unused = 0;
  void operator()() const noexcept { ++*runs; }
};
static_assert(sizeof(counted) == sizeof(call));

// Called ones must have run once each, the others never, though their thread has ended since.
template <way W>
void judge_runs(std::uint64_t runs, std::uint64_t taken, verdict& v) {
  const std::uint64_t due = W == way::call ? taken : 0;
  if (runs < due) v.lost += due - runs;
  if (runs > due) v.doubled += runs - due;
}

template <way W>
struct taken_by_owner {
  using floors = type_list<floor_bump_store>;
  using peers = type_list<>;  // none of them can
  static constexpr int rounds = 1024;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 4'000; }
  static constexpr int most(int /*n*/) { return 2; }
  static constexpr double operations(int /*n*/) { return rounds; }

  // Gives how many could not be had.
  template <subject S>
  [[gnu::noinline]] static std::uint64_t repeat(counted* kept, int times) {
    std::uint64_t refused = 0;
    for (int i = 0; i != times; ++i) {
      if (!S::template add_and_take<W>(*kept, kept)) ++refused;
      forget_registers();
    }
    return refused;
  }

  template <subject S>
  static void routine(probe& at) {
    S::arm(at.storage(), 2);
    register_range<S>(at.done, 0, 1);
    counted kept{static_cast<std::uint64_t*>(at.shared)};
    at.start = now();
    at.done.refused += repeat<S>(&kept, rounds);
    at.stop = now();
    leave<S>();
  }

  template <subject S>
  static sample take(probe& at, int /*n*/, verdict& v) {
    std::uint64_t runs = 0;
    at.shared = &runs;
    const sample s = at.run(&routine<S>, 1, v);
    judge_runs<W>(runs, rounds, v);
    return s;
  }
};

template <way W>
struct taken_by_another {
  using floors = type_list<floor_mutex_pair>;
  using peers = type_list<>;
  static constexpr int each = 256;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return 2'000; }
  static constexpr int most(int /*n*/) { return 1; }
  static constexpr double operations(int /*n*/) { return each; }

  template <class S>
  struct shared {
    gate registered;
    gate released;
    std::vector<typename S::handle> handles{each};
    std::uint64_t runs = 0;
  };

  template <class S>
  static void routine(probe& at) {
    auto& with = *static_cast<shared<S>*>(at.shared);
    register_range<S>(at.done, 0, 1);
    for (typename S::handle& h : with.handles) h = S::add_for_handle(counted{&with.runs});
    at.start = at.stop = now();
    with.registered.open();
    with.released.pass();
  }

  // Gives how many could not be had.
  template <class S>
  [[gnu::noinline]] static std::uint64_t take_all(const std::vector<typename S::handle>& handles) {
    std::uint64_t refused = 0;
    for (const typename S::handle& h : handles) refused += take_by<W>(h) ? 0U : 1U;
    return refused;
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
      v.lost += take_all<S>(with.handles);
      const instant stop = now();
      with.released.open();
      sample s = at.join(v);
      judge_runs<W>(with.runs, each, v);
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

// What does a finalizer cost that its own thread registers and cancels, detaches, or calls early?
//   bench_threadref --benchmark_filter='finalize/(cancel|detach|call)_owner'
// 2026-11-20, amd-epyc-2c: the default 11, 48 and 11 ns, of which an atomic compare-and-swap is 5
// to 6; detaching also gives a handle of the thread, which takes a lock. The floor 0.6, called 1.7.
template <>
struct body<id::cancel_owner> : taken_by_owner<way::cancel> {};
template <>
struct body<id::detach_owner> : taken_by_owner<way::detach> {};
template <>
struct body<id::call_owner> : taken_by_owner<way::call> {};

// What does it cost to cancel, detach or call a finalizer of another thread?
//   bench_threadref --benchmark_filter='finalize/(cancel|detach|call)_foreign'
// The other thread lives and sleeps, so that nobody contends.
// 2026-11-20, amd-epyc-2c: the default 20, 77 and 42 ns, an uncontended mutex 11.
template <>
struct body<id::cancel_foreign> : taken_by_another<way::cancel> {};
template <>
struct body<id::detach_foreign> : taken_by_another<way::detach> {};
template <>
struct body<id::call_foreign> : taken_by_another<way::call> {};

}  // namespace threadref::bench
