// SPDX-License-Identifier: MIT
#pragma once

#include "baselines/peers.hpp"
#include "bodies/body.hpp"
#include "text.hpp"
#include "trace.hpp"

namespace threadref::bench {

// Where do finalizers run among stack objects, thread_locals, keys, Boost's and the join?
//   bench_threadref --benchmark_filter=finalize/ordering
// The label is what was seen. Back ends must do as their capabilities claim; peers claim nothing
// but newest first. Nothing is timed.
// 2026-11-20, amd-epyc-2c: after both thread_locals, or between the younger and the older one;
// the C library's own list calls each in its place among them.
template <>
struct body<id::ordering> {
  using floors = type_list<>;
  using peers = bench::peers;
  static constexpr bool at_exit = true;
  static constexpr int pairs(int /*n*/) { return 100; }

  struct stage {
    trace seen;
    mark kept[2] = {{&seen, event::finalizer_1}, {&seen, event::finalizer_2}};
    mark later[2] = {{&seen, event::destructor_1}, {&seen, event::destructor_2}};
    void* variables[2] = {&later[0], &later[1]};
    entry storage[2] = {};
  };

  // Both stages of an exit are there, where there are two.
  template <subject S>
  static constexpr bool has_destructors = requires {
    &S::add_destructor;
  };
  template <subject S>
  static void add_destructors(stage& with) {
    if constexpr (has_destructors<S>) {
      for (void*& variable : with.variables) {
        // One that is refused never runs, and is found lost.
        static_cast<void>(S::add_destructor(&variable, &run_state<mark>));
      }
    }
  }

  template <subject S>
  static void* routine(void* shared) {
    auto& with = *static_cast<stage*>(shared);
    const marker stack(with.seen, event::stack);
    plant_older_thread_local(with.seen);
    if constexpr (requires { typename S::reference; }) {
      with.seen.is_alive = [r = typename S::reference()] { return !r.expired(); };
    }
    S::arm(with.storage, 2);
    S::add(with.kept[0], &with.kept[0]);
    plant_younger_thread_local(with.seen);
    S::add(with.kept[1], &with.kept[1]);
    add_destructors<S>(with);
    plant_keys(with.seen);
    plant_boost(with.seen);
    plant_promise(with.seen);
    return nullptr;
  }

  template <subject S>
  static constexpr expected of() {
    expected e{capability::none, oldest_first<S>, has_destructors<S>};
    if constexpr (requires { S::claims; }) e.claims = S::claims;
    return e;
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& which) {
    all.go_solo();
    verdict found;
    std::vector<event> first;
    for (auto _ : state) {
      stage with;
      const instant before = now();
      pthread_t thread{};
      THREADREF_CHECK_CALL(pthread_create(&thread, nullptr, &routine<S>, &with));
      THREADREF_CHECK_CALL(pthread_join(thread, nullptr));
      state.SetIterationTime(static_cast<double>(now() - before) * 1e-9);
      with.seen.note(event::joined);
      found.add(bench::judge(with.seen, of<S>()));
      if (first.empty()) first = with.seen.seen;
      if (first != with.seen.seen) ++found.misordered;  // an order that varies is none
    }
    state.SetLabel(concat("order=", to_text(first)));
    if (!bench::judge(state, all, which, found)) return;
    state.counters["samples"] = static_cast<double>(state.iterations());
    for (const char* fault : {"lost", "doubled", "misordered"}) state.counters[fault] = 0;
  }
};

}  // namespace threadref::bench
