// SPDX-License-Identifier: MIT
// H. The exit stage: what runs in it, in which order, and what is registered too late. Each check
// runs in a process of its own.
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <vector>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(exit_stage);

// The registrations of F-20, in their order. `d` belong to a thread that still runs; m3 and d2 have
// atexit(false); m4 registers m5 when it runs.
template <class B>
void register_as_in_f20(ledger& out) {
  static gate done;
  seen<B>(out, "m1");
  seen<B>(out, "m2");
  seen<B>(out, "m3").atexit(false);
  finalize<B>([&out] {
    out.note("m4");
    seen<B>(out, "m5");
  });
  start_detached([&out] {
    seen<B>(out, "d1");
    seen<B>(out, "d2").atexit(false);
    done.open();
    block_for_ever();
  });
  done.wait();
  seen<B>(out, "m6");
}

THREADREF_SCENARIO(c081_the_exiting_threads_list_and_no_other) {
  register_as_in_f20<B>(out);
  return 0;
}
// Differs: R-30: what a thread that still runs has registered may be in use, and is left alone.
// Differs: F-20: only the ending thread's are run, and main's if it is gone: others' data may be in
// use.
TYPED_TEST(exit_stage, c081_the_exiting_threads_list_and_no_other) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m6@main", "m4@main", "m5@main", "m2@main", "m1@main"}));
  expect_accounted(end.stats, 3);
}

THREADREF_SCENARIO(c081_with_adopt_the_others_after_it) {
  if (configure({.adopt = true})) return 1;
  register_as_in_f20<B>(out);
  return 0;
}
TYPED_TEST(exit_stage, c081_with_adopt_the_others_after_it) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m6@main", "m4@main", "m5@main", "m2@main", "m1@main", "d1@main"}));
  expect_accounted(end.stats, 2);
}

THREADREF_SCENARIO(c081_with_global_order_newest_first) {
  if (configure({.adopt = true, .global_order = true})) return 1;
  register_as_in_f20<B>(out);
  return 0;
}
// Shows: F-20, F-24, F-25.
TYPED_TEST(exit_stage, c081_with_global_order_newest_first) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m6@main", "d1@main", "m4@main", "m5@main", "m2@main", "m1@main"}));
  EXPECT_EQ(end.stats.ran_at_process_exit, 6U);
  expect_accounted(end.stats, 2);
}

THREADREF_SCENARIO(c082_what_a_finalizer_registers_runs_next) {
  seen<B>(out, "m1");
  finalize<B>([&out] {
    out.note("m2");
    seen<B>(out, "m3");
    seen<B>(out, "m4");
  });
  return 0;
}
// Shows: F-24.
TYPED_TEST(exit_stage, c082_what_a_finalizer_registers_runs_next) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"m2@main", "m4@main", "m3@main", "m1@main"})) << end.output;
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c082_a_thread_that_a_finalizer_starts) {
  seen<B>(out, "m1");
  finalize<B>([&out] {
    out.note("m2");
    os_thread([&out] {
      seen<B>(out, "w1");
      seen<B>(out, "w2");
    }).join();
    out.note("joined");
  });
  return 0;
}
TYPED_TEST(exit_stage, c082_a_thread_that_a_finalizer_starts) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"m2@main", "w2@thread", "w1@thread", "joined@main", "m1@main"}))
      << end.output;
  expect_accounted(end.stats, 0);
}

THREADREF_SCENARIO(c083_an_exception_goes_to_the_hook) {
  static ledger* notes = nullptr;
  notes = &out;
  set_unraisable_hook([](const thread_handle& on, std::exception_ptr what, incident kind) noexcept {
    try {
      std::rethrow_exception(what);
    } catch (const std::exception& e) {
      notes->note(on.is_main() && kind == incident::threw ? e.what() : "reported wrongly");
    }
  });
  seen<B>(out, "m1");
  finalize<B>([&out] {
    out.note("m2");
    throw std::runtime_error("thrown");
  });
  seen<B>(out, "m3");
  return 4;
}
// Shows: F-23.
TYPED_TEST(exit_stage, c083_an_exception_goes_to_the_hook) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 4") << end.output;
  EXPECT_EQ(end.trace, (names{"m3@main", "m2@main", "thrown@main", "m1@main"}));
  EXPECT_EQ(end.stats.ran_at_process_exit, 3U);
  expect_accounted(end.stats, 0);
}

// Notes its own destruction.
struct destroyed {
  ledger* out;
  const char* name;
  destroyed(ledger& to, const char* as) : out(&to), name(as) {}
  destroyed(const destroyed&) = delete;
  destroyed& operator=(const destroyed&) = delete;
  ~destroyed() { out->note(name); }
};

// The stage comes after main's thread_locals, and before all that has a place among the exit
// handlers, whether that is older or younger than main's first finalizer or the library.
THREADREF_SCENARIO(c084_between_mains_thread_locals_and_its_statics) {
  static ledger* notes = nullptr;
  notes = &out;
  run_after_the_stage([&out] { out.note("oldest static"); });
  std::atexit([] { notes->note("atexit 1"); });
  static const destroyed one(out, "static 1");
  static thread_local const destroyed local(out, "thread_local");
  static_cast<void>(local);
  seen<B>(out, "m1");
  seen<B>(out, "m2");
  static const destroyed two(out, "static 2");
  std::atexit([] { notes->note("atexit 2"); });
  return 0;
}
// Differs: F-22: it comes before all exit handlers, so that it finds what main had, whichever was
// first.
TYPED_TEST(exit_stage, c084_between_mains_thread_locals_and_its_statics) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace,
            (names{"thread_local@main", "m2@main", "m1@main", "atexit 2@main", "static 2@main",
                   "static 1@main", "atexit 1@main", "oldest static@main"}))
      << end.output;
}

THREADREF_SCENARIO(c084_mains_ref_is_dead_after_the_stage) {
  static ledger* notes = nullptr;
  static const basic_ref<B>* mains = nullptr;
  notes = &out;
  mains = new basic_ref<B>(
      [&out](const auto& self) { out.note(self.expired() ? "called" : "called alive"); });
  static thread_local const struct at_end {
    ~at_end() { notes->note((*mains)().is_main() ? "main" : "nobody"); }
  } last_of_main;
  static_cast<void>(&last_of_main);
  std::atexit([] { notes->note((*mains)().is_main() ? "main" : "nobody"); });
  return 0;
}
// Differs: R-29: main's refs live until its thread_locals are destroyed: exit handlers come after
// its callbacks.
TYPED_TEST(exit_stage, c084_mains_ref_is_dead_after_the_stage) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"main@main", "called@main", "nobody@main"})) << end.output;
  expect_accounted(end.stats, 0);
}

// A worker that ends the process has no such place: the C library destroys its thread_locals in
// exit() as at any end of a thread.
THREADREF_SCENARIO(c084_a_worker_that_exits_has_the_place_of_the_library) {
  static ledger* notes = nullptr;
  notes = &out;
  run_after_the_stage([&out] { out.note("oldest static"); });
  std::atexit([] { notes->note("atexit"); });
  start_detached([&out] {
    seen<B>(out, "w1");
    std::exit(0);
  });
  block_for_ever();
}
TYPED_TEST(exit_stage, c084_a_worker_that_exits_has_the_place_of_the_library) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  const bool among = has(TypeParam::info.capabilities, capability::among_thread_locals);
  EXPECT_EQ(end.trace, among ? (names{"w1@thread", "atexit@thread", "oldest static@thread"})
                             : (names{"atexit@thread", "w1@thread", "oldest static@thread"}));
  expect_accounted(end.stats, 0);
}

// The phase early on main: each at its own place among the thread_locals, in exit().
THREADREF_SCENARIO(c128_early_on_main_runs_with_its_thread_locals) {
  static ledger* notes = nullptr;
  notes = &out;
  const auto early = [&out](const char* name) {
    return finalize_in<B>(exit_phase::early, [&out, name] { out.note(name); });
  };
  seen<B>(out, "last");
  early("early 1");
  static thread_local const destroyed older(out, "older");
  static_cast<void>(&older);
  early("early 2");
  early("unwanted").atexit(false);
  static basic_exit_node<B> node;
  if (node.attach([](void* /*unused*/) { notes->note("early node"); }, nullptr,
                  exit_phase::early) != std::errc{})
    return 1;
  static thread_local const destroyed younger(out, "younger");
  static_cast<void>(&younger);
  std::atexit([] { notes->note("atexit"); });
  return 0;
}
TYPED_TEST(exit_stage, c128_early_on_main_runs_with_its_thread_locals) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"younger@main", "early node@main", "early 2@main", "older@main",
                              "early 1@main", "last@main", "atexit@main"}));
  EXPECT_EQ(end.stats.ran_at_process_exit, 4U);
  expect_accounted(end.stats, 1);
}

// exit() is not called: the rounds of the key run all.
THREADREF_SCENARIO(c128_early_runs_when_main_calls_pthread_exit) {
  seen<B>(out, "last");
  finalize_in<B>(exit_phase::early, [&out] { out.note("early 1"); });
  finalize_in<B>(exit_phase::early, [&out] { out.note("unwanted"); }).atexit(false);
  static basic_exit_node<B> node;
  static ledger* notes = nullptr;
  notes = &out;
  if (node.attach([](void* /*unused*/) { notes->note("early node"); }, nullptr,
                  exit_phase::early) != std::errc{})
    return 1;
  pthread_exit(nullptr);
}
TYPED_TEST(exit_stage, c128_early_runs_when_main_calls_pthread_exit) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"early node@main", "unwanted@main", "early 1@main", "last@main"}));
  EXPECT_EQ(end.stats.ran_at_exit, 4U);
  expect_accounted(end.stats, 0);
}

// Nothing is lost silently: what is registered after the stage runs in another one, or is refused.
THREADREF_SCENARIO(c085_after_the_stage) {
  static std::vector<plain_finalizer<B>> all;
  all.push_back(seen<B>(out, "m1"));
  all.push_back(seen<B>(out, "m2"));
  all.push_back(seen<B>(out, "m3"));
  all.back().atexit(false);
  run_after_the_stage([&out, held = all] {
    for (const auto& f : held) out.note(f.alive() ? "alive" : "gone");
    for (int i : {0, 1}) {
      if (held[static_cast<std::size_t>(i)]()) out.note("ran by call");
    }
    const auto late = try_finalize<B>([&out] { out.note("late"); });
    out.note(late ? "accepted" : "refused");
    if (!late)
      out.note(late.error == std::errc::operation_not_permitted ? "right error" : "wrong error");
  });
  return 0;
}
// Differs: F-26: what is registered afterwards runs in another stage, or is refused: never dropped
// in silence.
TYPED_TEST(exit_stage, c085_after_the_stage) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  names expected = {"m2@main", "m1@main", "gone@main", "gone@main", "alive@main"};
  const bool accepted = count(end, "accepted@main") != 0;
  for (const char* n :
       {accepted ? "accepted@main" : "refused@main", accepted ? "late@main" : "right error@main"}) {
    expected.emplace_back(n);
  }
  EXPECT_EQ(end.trace, expected);
  expect_accounted(end.stats, 1);
}

// Also where the thread's list is empty and could simply grow again.
THREADREF_SCENARIO(c085_after_a_stage_that_left_nothing) {
  seen<B>(out, "m1");
  run_after_the_stage(
      [&out] { out.note(try_finalize<B>([&out] { out.note("late"); }) ? "accepted" : "refused"); });
  return 0;
}
TYPED_TEST(exit_stage, c085_after_a_stage_that_left_nothing) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  const bool accepted = count(end, "accepted@main") != 0;
  EXPECT_EQ(end.trace, accepted ? (names{"m1@main", "accepted@main", "late@main"})
                                : (names{"m1@main", "refused@main"}));
  expect_accounted(end.stats, 0);
}

// All have atexit(false) during the stage, and atexit(true) after it.
template <class B>
void set_atexit_after_the_stage(ledger& out, const std::vector<plain_finalizer<B>>& all) {
  for (const auto& f : all) f.atexit(false);
  run_after_the_stage([&out, held = all] {
    for (const auto& f : held) f.atexit(true);
    out.note(try_finalize<B>([&out] { out.note("late"); }) ? "accepted" : "refused");
  });
}

// What the stage skipped is left for the next one, in its own phase.
THREADREF_SCENARIO(c085_who_wants_to_run_after_all) {
  static std::vector<plain_finalizer<B>> all;
  seen<B>(out, "m1");
  all.push_back(seen<B>(out, "m2"));
  all.push_back(finalize_in<B>(exit_phase::very_last, [&out] { out.note("m3"); }));
  set_atexit_after_the_stage<B>(out, all);
  return 0;
}
TYPED_TEST(exit_stage, c085_who_wants_to_run_after_all) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  const bool accepted = count(end, "accepted@main") != 0;
  EXPECT_EQ(end.trace, accepted
                           ? (names{"m1@main", "accepted@main", "late@main", "m2@main", "m3@main"})
                           : (names{"m1@main", "refused@main"}));
  expect_accounted(end.stats, accepted ? 0 : 2);
}

// However many passes the stage makes: after each finalizer that runs it makes another one.
THREADREF_SCENARIO(c085_in_the_order_that_they_had) {
  static std::vector<plain_finalizer<B>> all;
  seen<B>(out, "m0");
  for (const char* name : {"m1", "m2", "m3"})
    all.push_back(finalize_in<B>(exit_phase::very_last, [&out, name] { out.note(name); }));
  set_atexit_after_the_stage<B>(out, all);
  return 0;
}
TYPED_TEST(exit_stage, c085_in_the_order_that_they_had) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  const bool accepted = count(end, "accepted@main") != 0;
  names expected = {"m0@main"};
  for (const char* n : {"accepted@main", "late@main", "m3@main", "m2@main", "m1@main"}) {
    if (accepted) expected.emplace_back(n);
  }
  if (!accepted) expected.emplace_back("refused@main");
  EXPECT_EQ(end.trace, expected);
  expect_accounted(end.stats, accepted ? 0 : 3);
}

// A static pool of workers that is older than the library: its destructor joins them after the
// stage, and they end like any other thread.
THREADREF_SCENARIO(c085_a_static_pool_that_is_joined_after_the_stage) {
  struct pool {
    gate stop;
    gate ready;
    std::unique_ptr<os_thread> worker;
  };
  static auto* const threads = new pool;
  seen<B>(out, "m1");
  threads->worker = std::make_unique<os_thread>([&out] {
    seen<B>(out, "w1");
    seen<B>(out, "w2");
    threads->ready.open();
    threads->stop.wait();
    seen<B>(out, "w3");
  });
  threads->ready.wait();
  run_after_the_stage([&out] {
    threads->stop.open();
    threads->worker->join();
    out.note("joined");
    delete threads;
  });
  return 0;
}
TYPED_TEST(exit_stage, c085_a_static_pool_that_is_joined_after_the_stage) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"m1@main", "w3@thread", "w2@thread", "w1@thread", "joined@main"}));
  EXPECT_EQ(end.stats.ran_at_exit, 3U);
  EXPECT_EQ(end.stats.ran_at_process_exit, 1U);
  expect_accounted(end.stats, 0);
}

// 44: from an atexit handler, which runs after the stage of main, and before that of a worker.
template <class B>
int finalize_in_atexit(ledger& out) {
  static ledger* notes = nullptr;
  static std::uint64_t serial = 0;
  notes = &out;
  serial = try_current<B>().serial();
  std::atexit([] {
    const auto late = try_finalize<B>([] { notes->note("late"); });
    notes->note(late ? "accepted" : "refused");
    const std::uint64_t now = current<B>().serial();
    if (serial != 0 && now != 0 && now != serial) notes->note("a new identity");  // 45
  });
  return 0;
}
THREADREF_SCENARIO(c044_from_an_atexit_handler) {
  seen<B>(out, "m1");
  return finalize_in_atexit<B>(out);
}
TYPED_TEST(exit_stage, c044_from_an_atexit_handler) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"m1@main", "accepted@main", "late@main"})) << end.output;
  expect_accounted(end.stats, 0);
}
// What is too late for the phase early runs as well.
THREADREF_SCENARIO(c044_in_the_phase_early_from_an_atexit_handler) {
  static ledger* notes = nullptr;
  notes = &out;
  finalize_in<B>(exit_phase::early, [&out] { out.note("m1"); });
  std::atexit([] {
    const auto late = try_finalize_in<B>(exit_phase::early, [] { notes->note("late"); });
    notes->note(late ? "accepted" : "refused");
  });
  return 0;
}
TYPED_TEST(exit_stage, c044_in_the_phase_early_from_an_atexit_handler) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"m1@main", "accepted@main", "late@main"})) << end.output;
  expect_accounted(end.stats, 0);
}
THREADREF_SCENARIO(c044_first_use_in_an_atexit_handler) {
  return finalize_in_atexit<B>(out);
}
TYPED_TEST(exit_stage, c044_first_use_in_an_atexit_handler) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, (names{"accepted@main", "late@main"})) << end.output;
  expect_accounted(end.stats, 0);
}
THREADREF_SCENARIO(c044_from_an_atexit_handler_on_a_worker) {
  start_detached([&out] {
    seen<B>(out, "w1");
    std::exit(finalize_in_atexit<B>(out));
  });
  block_for_ever();
}
TYPED_TEST(exit_stage, c044_from_an_atexit_handler_on_a_worker) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(count(end, "w1@thread"), 1U) << end.output;
  EXPECT_EQ(count(end, "accepted@thread"), count(end, "late@thread"));
  EXPECT_EQ(count(end, "accepted@thread") + count(end, "refused@thread"), 1U);
  EXPECT_EQ(end.trace.size(), 2 + count(end, "accepted@thread"));
  expect_accounted(end.stats, 0);
}

}  // namespace
}  // namespace threadref::conformance
