// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <utility>

#include "bench/scenarios/scenario.hpp"
#include "testing/gate.hpp"
#include "workers/worker_pool.hpp"

namespace threadref::bench {

namespace {

constexpr int further_tasks = 8;  // after the first task

struct pool_run {
  struct task {
    std::atomic<pool_run*> of{nullptr};  // publishes the rest, since TSan can't see inside oneTBB
    int from;
    testing::gate over;
    instant end;
  };
  const subject_code& subject;
  account& at;
  int n;
  std::array<task, 1 + further_tasks> tasks{};
  workers::worker_pool pool{1};

  // The time from handing over a task until it has registered.
  instant hand_over(int index) {
    task& mine = tasks[static_cast<std::size_t>(index)];
    mine.from = index * n;
    const instant start = now();
    mine.of.store(this, std::memory_order_release);
    pool.enqueue(&work, &mine);
    mine.over.wait();
    return mine.end - start;
  }
  static void work(void* shared) {
    task& mine = *static_cast<task*>(shared);
    pool_run& of = *mine.of.load(std::memory_order_acquire);
    of.subject.register_range(of.at.done, mine.from, mine.from + of.n);
    mine.end = now();
    mine.over.open();
  }
};

sample take(const subject_code& s, account& at, int n, verdict& v) {
  at.open(s.registers_nothing ? 0 : n * (1 + further_tasks));
  pool_run all{.subject = s, .at = at, .n = n};
  sample found;
  found.total = all.hand_over(0);
  for (int i = 1; i <= further_tasks; ++i) found.region += all.hand_over(i);
  if (!all.pool.end()) throw std::runtime_error("oneTBB could not end its workers");
  v.add(at.judge());
  return found;
}

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_free();
  fail_with_reason(state, session, [&] {
    account at(row.n * (1 + further_tasks));
    measured m = sample_pairs(
        state, further_tasks, [&](verdict& v) { return take(s, at, row.n, v); },
        [&](verdict& v) { return take(floor, at, row.n, v); });
    std::sort(m.subject.total.begin(), m.subject.total.end());
    std::sort(m.floor.total.begin(), m.floor.total.end());
    const double first = quantile(m.subject.total, 0.5);
    state.counters["first_ns"] = first;
    state.counters["first_ratio"] = first / quantile(m.floor.total, 0.5);
    report(state, session, row, further_tasks, std::move(m), figures::per_operation);
  });
}

}  // namespace

// How long does it take until a task that is handed to a oneTBB worker has registered finalizers?
//   bench_threadref --benchmark_filter=worker/pool_task
// first_ns: the first task, for which the pool creates the worker, arming included; ns: later
// tasks, handed over while the worker still looks for work. Each registers n finalizers, which run
// when the pool ends. The floor's tasks register nothing.
// 2026-11-21, two cores of a Xeon: 85 us for the first, whatever it registers; 0.75 us for each
// later one, and 0.04 more with 16 finalizers.
template <>
const scenario_code& scenario_of<id::pool_task>() {
  static const scenario_code it{
      .key = id::pool_task,
      .floors = {"floor_empty_thread"},
      .is_free = true,
      .pairs = [](int /*n*/) { return 500; },
      .run = &run,
  };
  return it;
}

}  // namespace threadref::bench
