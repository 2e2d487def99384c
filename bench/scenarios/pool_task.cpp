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

constexpr int further = 8;  // tasks after the first

struct shift {
  struct turn {
    std::atomic<shift*> of{nullptr};  // hands the rest over: oneTBB's own way is unseen by TSan
    int from;
    testing::gate over;
    instant end;
  };
  const subject_code& subject;
  account& at;
  int n;
  std::array<turn, 1 + further> turns{};
  stress::worker_pool pool{1};

  // From handing it over until it has registered.
  instant hand_over(int index) {
    turn& mine = turns[static_cast<std::size_t>(index)];
    mine.from = index * n;
    const instant start = now();
    mine.of.store(this, std::memory_order_release);
    pool.enqueue(&work, &mine);
    mine.over.wait();
    return mine.end - start;
  }
  static void work(void* shared) {
    turn& mine = *static_cast<turn*>(shared);
    shift& of = *mine.of.load(std::memory_order_acquire);
    of.subject.register_range(of.at.done, mine.from, mine.from + of.n);
    mine.end = now();
    mine.over.open();
  }
};

sample take(const subject_code& s, account& at, int n, verdict& v) {
  at.open(s.registers_nothing ? 0 : n * (1 + further));
  shift all{.subject = s, .at = at, .n = n};
  sample found;
  found.total = all.hand_over(0);
  for (int i = 1; i <= further; ++i) found.region += all.hand_over(i);
  if (!all.pool.end()) throw std::runtime_error("oneTBB did not end its workers");
  v.add(at.judge());
  return found;
}

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_free();
  fail_with_reason(state, session, [&] {
    account at(row.n * (1 + further));
    measured m = sample_pairs(
        state, further, [&](verdict& v) { return take(s, at, row.n, v); },
        [&](verdict& v) { return take(floor, at, row.n, v); });
    std::sort(m.subject.total.begin(), m.subject.total.end());
    std::sort(m.floor.total.begin(), m.floor.total.end());
    const double first = quantile(m.subject.total, 0.5);
    state.counters["first_ns"] = first;
    state.counters["first_ratio"] = first / quantile(m.floor.total, 0.5);
    report(state, session, row, further, std::move(m), figures::per_operation);
  });
}

}  // namespace

// How long does it take until a task that is handed to a oneTBB worker has registered finalizers?
//   bench_threadref --benchmark_filter=worker/pool_task
// first_ns: of the first task, for which the pool makes the worker, arming included; ns: of those
// after it, handed over while the worker still looks for more. Each registers n, which run when the
// pool ends. The floor's tasks register nothing.
// 2026-11-21, a Xeon's two cores: 85 us for the first, whatever it registers; 0.75 us for each
// after it, and 0.04 more with 16.
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
