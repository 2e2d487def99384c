// SPDX-License-Identifier: MIT
#pragma once

#include "baselines/peer_cxa_thread_atexit.hpp"
#include "baselines/peer_key_list.hpp"
#include "baselines/peer_reserved_vector.hpp"
#include "bodies/body.hpp"
#include "text.hpp"
#include "trace.hpp"

namespace threadref::bench {

// Where do finalizers run among stack objects, thread_locals, keys and the join?
//   bench_threadref --benchmark_filter=finalize/ordering
// The label is what was seen. Back ends must do as their capabilities claim; peers claim nothing
// but newest first. Nothing is timed.
// 2026-11-20, amd-epyc-2c: after both thread_locals, or between the younger and the older one;
// the C library's own list calls each in its place among them.
template <>
struct body<id::ordering> {
  using floors = type_list<>;
  using peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_key_list>;
  static constexpr int pairs(int /*n*/) { return 100; }

  struct stage {
    trace seen;
    mark kept[2] = {{&seen, event::finalizer_1}, {&seen, event::finalizer_2}};
    entry storage[2] = {};
  };

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
    plant_keys(with.seen);
    return nullptr;
  }

  template <subject S>
  static constexpr capability claims() {
    if constexpr (requires { S::claims; }) {
      return S::claims;
    } else {
      return capability::none;
    }
  }

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
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
      found.add(bench::judge(with.seen, claims<S>()));
      if (first.empty()) first = with.seen.seen;
      if (first != with.seen.seen) ++found.misordered;  // an order that varies is none
    }
    state.SetLabel(concat("order=", to_text(first)));
    if (!bench::judge(state, all, of, found)) return;
    state.counters["samples"] = static_cast<double>(state.iterations());
    for (const char* fault : {"lost", "doubled", "misordered"}) state.counters[fault] = 0;
  }
};

}  // namespace threadref::bench
