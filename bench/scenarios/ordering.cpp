// SPDX-License-Identifier: MIT
#include <memory>

#include "bench/order/order_trace.hpp"
#include "bench/scenarios/scenario.hpp"
#include "bench/subjects/finalizers.hpp"
#include "testing/text.hpp"
#include "threadref/backend.hpp"

namespace threadref::bench {

namespace {

struct fixture {
  explicit fixture(const subject_code& s) : subject(s) {}
  const subject_code& subject;
  order_trace seen;
  mark finalizers[2] = {{&seen, event::finalizer_1}, {&seen, event::finalizer_2}};
  mark destructors[2] = {{&seen, event::destructor_1}, {&seen, event::destructor_2}};
  void* variables[2] = {&destructors[0], &destructors[1]};
  entry storage[2] = {};
};

void add_destructors(fixture& with) {
  if (with.subject.add_destructor == nullptr) return;
  for (void*& variable : with.variables) {
    // A destructor that is refused never runs, and so counts as lost.
    static_cast<void>(with.subject.add_destructor(&variable));
  }
}

void* routine(void* shared) {
  auto& with = *static_cast<fixture*>(shared);
  const subject_code& s = with.subject;
  const marker stack(with.seen, event::stack);
  add_older_thread_local(with.seen);
  if (s.ask_alive != nullptr) {
    const std::shared_ptr<alive_question> question = s.ask_alive();
    with.seen.is_alive = [question] { return question->is_alive(); };
  }
  s.arm(with.storage, 2);
  s.add_mark(&with.finalizers[0]);
  add_younger_thread_local(with.seen);
  s.add_mark(&with.finalizers[1]);
  add_destructors(with);
  add_keys(with.seen);
  add_boost(with.seen);
  add_promise(with.seen);
  return nullptr;
}

// Subjects that support destructors have a second stage of the exit.
expected expected_of(const subject_code& s) {
  return {s.info != nullptr ? s.info->capabilities : capability::none, s.oldest_first,
          s.add_destructor != nullptr};
}

void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  session.go_solo();
  verdict found;
  std::vector<event> first;
  for (auto _ : state) {
    fixture with(s);
    const instant before = now();
    pthread_t thread{};
    THREADREF_CHECK_CALL(pthread_create(&thread, nullptr, &routine, &with));
    THREADREF_CHECK_CALL(pthread_join(thread, nullptr));
    state.SetIterationTime(static_cast<double>(now() - before) * 1e-9);
    with.seen.note(event::joined);
    found.add(bench::judge(with.seen, expected_of(s)));
    if (first.empty()) first = with.seen.seen;
    if (first != with.seen.seen) ++found.misordered;  // an order that varies is no order
  }
  state.SetLabel(testing::concat("order=", to_text(first)));
  if (!bench::judge(state, session, row, found)) return;
  state.counters["samples"] = static_cast<double>(state.iterations());
  for (const char* fault : {"lost", "doubled", "misordered"}) state.counters[fault] = 0;
}

}  // namespace

// Where do finalizers run among stack objects, thread_locals, keys, Boost's and the join?
//   bench_threadref --benchmark_filter=finalize/ordering
// The label is the order that was seen. Back ends must do what their capabilities claim; peers
// claim only newest first. Nothing is timed.
// 2026-11-20, amd-epyc-2c: after both thread_locals, or between the younger and the older one; the
// C library's own list interleaves them.
template <>
const scenario_code& scenario_of<id::ordering>() {
  static const scenario_code it{
      .key = id::ordering,
      .all_peers = true,
      .at_exit = true,
      .pairs = [](int /*n*/) { return 100; },
      .run = &run,
  };
  return it;
}

}  // namespace threadref::bench
