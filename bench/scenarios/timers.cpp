// SPDX-License-Identifier: MIT
// Timers that are cancelled long before they are due. ns: the time that the caller needs to start
// and cancel one; joined_ns: the time until its thread is joined.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "bench/scenarios/scenario.hpp"
#include "workers/later.hpp"
#include "workers/this_worker.hpp"

namespace threadref::bench {

namespace {

constexpr std::chrono::hours never_reached{1};

int registered(const subject_code& s, int n) {
  return s.registers_nothing ? 0 : n;
}

void report_joined(benchmark::State& state, session& session, const row& row, measured m) {
  samples joined = m.subject.total;
  std::sort(joined.begin(), joined.end());
  state.counters["joined_ns"] = quantile(joined, 0.5);
  report(state, session, row, 1, std::move(m), figures::per_operation);
}

sample take_timer(const subject_code& s, account& at, int n, verdict& v) {
  at.open(registered(s, n));
  bool has_fired = false;
  const instant start = now();
  const workers::worker_ptr timer = workers::this_worker::create_worker(
      [&] {
        s.register_range(at.done, 0, n);
        workers::this_worker::wait_timeout(never_reached);
        has_fired = true;
      },
      {.parent = nullptr});
  timer->stop();
  const instant stop = now();
  timer->join();
  const instant joined = now();
  v.add(at.judge());
  v.doubled += has_fired ? 1U : 0U;
  return {stop - start, 0, joined - start, 0};
}

void run_timer(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  const subject_code& floor = subject_named("floor_empty_thread");
  session.go_free();
  fail_with_reason(state, session, [&] {
    account at(row.n);
    report_joined(state, session, row,
                  sample_pairs(
                      state, 1, [&](verdict& v) { return take_timer(s, at, row.n, v); },
                      [&](verdict& v) { return take_timer(floor, at, row.n, v); }));
  });
}

// The worker that would make the calls of later_cancel.
class caller {
 public:
  caller(const subject_code& s, int n) : at_(n) {
    at_.open(registered(s, n));
    it_ = workers::this_worker::create_worker(
        [this, &s, n] {
          s.register_range(at_.done, 0, n);
          workers::this_worker::wait_forever();
        },
        {.parent = nullptr});
  }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;
  // NOLINTNEXTLINE(bugprone-exception-escape): a worker that can't be joined ends the program
  ~caller() { it_->stop().join(); }

  sample take(verdict& v) {
    const instant start = now();
    const workers::pending_call call = workers::later(
        it_, [this] { ++calls_; }, never_reached);
    const bool is_cancelled = call.cancel();
    const instant stop = now();
    call.timer()->join();
    v.lost += is_cancelled ? 0U : 1U;
    return {stop - start, 0, now() - start, 0};
  }
  void stop(verdict& v) {
    it_->stop().join();
    v.add(at_.judge());
    v.doubled += calls_.load();
  }

 private:
  account at_;
  std::atomic<std::uint64_t> calls_{0};
  workers::worker_ptr it_;
};

void run_later(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  session.go_free();
  fail_with_reason(state, session, [&] {
    caller timed(s, row.n);
    caller floor(subject_named("floor_empty_thread"), row.n);
    measured m = sample_pairs(
        state, 1, [&](verdict& v) { return timed.take(v); },
        [&](verdict& v) { return floor.take(v); });
    timed.stop(m.found);
    floor.stop(m.found);
    report_joined(state, session, row, std::move(m));
  });
}

scenario_code cancelled_timer(id key, decltype(scenario_code::run) run) {
  return {
      .key = key,
      .floors = {"floor_empty_thread"},
      .is_free = true,
      .pairs = [](int /*n*/) { return 1'000; },
      .run = run,
  };
}

}  // namespace

// What does a timer cost that is cancelled before it is due, on a thread with finalizers?
//   bench_threadref --benchmark_filter=worker/timer_cancel
// A worker registers n finalizers and waits. The timer must not fire, and the finalizers must run.
// The floor's workers register nothing.
// 2026-11-21, two cores of a Xeon: 3.4 us to start and cancel one; its thread is joined after 13.5.
// Shows: PM-11.
template <>
const scenario_code& scenario_of<id::timer_cancel>() {
  static const scenario_code it = cancelled_timer(id::timer_cancel, &run_timer);
  return it;
}

// What does a call cost that a worker is to make later, and that is cancelled before?
//   bench_threadref --benchmark_filter=worker/later_cancel
// The worker waits meanwhile and has n finalizers; the floor's worker has none. Each call has a
// thread that waits until it is due.
// 2026-11-21, two cores of a Xeon: 3.5 us for later() and cancel(); the thread is joined after 24.
// Shows: PW-39.
template <>
const scenario_code& scenario_of<id::later_cancel>() {
  static const scenario_code it = cancelled_timer(id::later_cancel, &run_later);
  return it;
}

}  // namespace threadref::bench
