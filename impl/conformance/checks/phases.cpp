// SPDX-License-Identifier: MIT
// O. The phases of a thread's exit: their order, what their finalizers see, and registrations that
// come too late for their phase.
#include <pthread.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(phases);

using entries = std::vector<std::string>;

constexpr exit_phase all_phases[] = {exit_phase::early, exit_phase::last, exit_phase::very_last};
constexpr bool among(const backend_info& b) {
  return has(b.capabilities, capability::among_thread_locals);
}

// Registers a finalizer in a phase that logs an entry, and then does `more`.
template <class B>
void log_in(exit_phase phase, entries& log, const char* entry, std::function<void()> more = {}) {
  finalize_in<B>(phase, [&log, entry, more = std::move(more)] {
    log.emplace_back(entry);
    if (more) more();
  });
}

// The variable of a registered destructor, which logs and then does `more`.
struct second_stage {
  entries* log;
  std::function<void()> more = {};
  void* self = this;
  template <class B>
  void add() {
    EXPECT_EQ(register_destructor<B>(&self,
                                     [](void* of) {
                                       const auto& s = *static_cast<second_stage*>(of);
                                       s.log->emplace_back("stage 2");
                                       if (s.more) s.more();
                                     }),
              std::error_code{});
  }
};

TYPED_TEST(phases, c128_early_then_last_then_stage_2_then_very_last) {
  entries log;
  second_stage two{&log};
  os_thread([&] {
    log_in<TypeParam>(exit_phase::very_last, log, "very last 1");
    log_in<TypeParam>(exit_phase::last, log, "last 1");
    two.add<TypeParam>();
    log_in<TypeParam>(exit_phase::early, log, "early 1");
    finalize<TypeParam>([&log] { log.emplace_back("last 2"); });
    log_in<TypeParam>(exit_phase::early, log, "early 2");
    log_in<TypeParam>(exit_phase::very_last, log, "very last 2");
    log_in<TypeParam>(exit_phase::last, log, "last 3");
  }).join();
  EXPECT_EQ(log, (entries{"early 2", "early 1", "last 3", "last 2", "last 1", "stage 2",
                          "very last 2", "very last 1"}));
}

// The same without early: every back end has the other two phases.
TYPED_TEST(phases, c128_last_then_stage_2_then_very_last) {
  entries log;
  second_stage two{&log};
  os_thread([&] {
    log_in<TypeParam>(exit_phase::very_last, log, "very last 1");
    two.add<TypeParam>();
    log_in<TypeParam>(exit_phase::last, log, "last 1");
    log_in<TypeParam>(exit_phase::very_last, log, "very last 2");
    log_in<TypeParam>(exit_phase::last, log, "last 2");
  }).join();
  EXPECT_EQ(log, (entries{"last 2", "last 1", "stage 2", "very last 2", "very last 1"}));
}

TYPED_TEST(phases, c128_newest_first_inside_each) {
  for (const exit_phase phase : all_phases) {
    std::vector<int> log;
    std::vector<int> expected;
    os_thread([&] {
      for (int i = 0; i != 1'000; ++i) {
        finalize_in<TypeParam>(phase, [&log, i] { log.push_back(i); });
        expected.insert(expected.begin(), i);
      }
    }).join();
    EXPECT_EQ(log, expected) << "phase " << static_cast<int>(phase);
  }
}

TYPED_TEST(phases, c128_exit_nodes_have_phases_too) {
  struct embedding {
    entries* log;
    const char* entry;
    basic_exit_node<TypeParam> node = {};
  };
  entries log;
  embedding very_last{&log, "very last node"};
  embedding last{&log, "last node"};
  embedding early{&log, "early node"};
  const auto attach = [](embedding& e, exit_phase phase) {
    const auto append = [](void* of) {
      const auto& self = *static_cast<embedding*>(of);
      self.log->emplace_back(self.entry);
    };
    EXPECT_EQ(e.node.attach(append, &e, phase), std::errc{});
  };
  os_thread([&] {
    log_in<TypeParam>(exit_phase::last, log, "last");
    log_in<TypeParam>(exit_phase::very_last, log, "very last");
    attach(very_last, exit_phase::very_last);
    attach(last, exit_phase::last);
    log_in<TypeParam>(exit_phase::early, log, "early");
    attach(early, exit_phase::early);
  }).join();
  EXPECT_EQ(log,
            (entries{"early node", "early", "last node", "last", "very last node", "very last"}));
}

// Whichever phase a thread uses first.
// Shows: R-09.
TYPED_TEST(phases, c128_refs_are_dead_before_the_first_of_any) {
  for (const exit_phase phase : all_phases) {
    std::vector<thread_state> states;
    int alive = 0;
    os_thread([&] {
      const basic_ref<TypeParam> r;
      const auto look = [&, r] {
        states.push_back(current<TypeParam>().state());
        alive += r.expired() && !r() ? 0 : 1;
      };
      finalize_in<TypeParam>(phase, look);
      finalize_in<TypeParam>(phase, look);
    }).join();
    EXPECT_EQ(states, std::vector<thread_state>(2, thread_state::draining));
    EXPECT_EQ(alive, 0) << "phase " << static_cast<int>(phase);
  }
}

TYPED_TEST(phases, c128_refs_are_dead_before_the_first_of_stage_2) {
  entries log;
  second_stage two{&log};
  bool was_alive = true;
  os_thread([&] {
    const basic_ref<TypeParam> r;
    two.more = [&was_alive, r] { was_alive = !r.expired(); };
    two.add<TypeParam>();
  }).join();
  EXPECT_EQ(log, entries{"stage 2"});
  EXPECT_FALSE(was_alive);
}

TYPED_TEST(phases, c128_inside_early_each_phase_is_still_to_come) {
  entries log;
  second_stage two{&log};
  os_thread([&] {
    log_in<TypeParam>(exit_phase::last, log, "last");
    log_in<TypeParam>(exit_phase::very_last, log, "very last");
    log_in<TypeParam>(exit_phase::early, log, "early 1");
    log_in<TypeParam>(exit_phase::early, log, "early 2", [&] {
      log_in<TypeParam>(exit_phase::very_last, log, "late very last");
      log_in<TypeParam>(exit_phase::last, log, "late last");
      log_in<TypeParam>(exit_phase::early, log, "late early");
      two.add<TypeParam>();
    });
  }).join();
  EXPECT_EQ(log, (entries{"early 2", "late early", "early 1", "late last", "last", "stage 2",
                          "late very last", "very last"}));
}

TYPED_TEST(phases, c128_inside_last_an_early_one_comes_next) {
  entries log;
  second_stage two{&log};
  os_thread([&] {
    log_in<TypeParam>(exit_phase::last, log, "last 1");
    two.add<TypeParam>();
    log_in<TypeParam>(exit_phase::last, log, "last 2", [&] {
      log_in<TypeParam>(exit_phase::very_last, log, "late very last");
      log_in<TypeParam>(exit_phase::early, log, "late early");
    });
  }).join();
  EXPECT_EQ(log, (entries{"last 2", "late early", "last 1", "stage 2", "late very last"}));
}

TYPED_TEST(phases, c128_inside_stage_2_the_others_come_after_it) {
  entries log;
  second_stage two{&log};
  second_stage rest{&log};
  two.more = [&] {
    log_in<TypeParam>(exit_phase::very_last, log, "late very last");
    log_in<TypeParam>(exit_phase::last, log, "late last");
    log_in<TypeParam>(exit_phase::early, log, "late early");
  };
  os_thread([&] {
    log_in<TypeParam>(exit_phase::very_last, log, "very last");
    two.add<TypeParam>();
    rest.add<TypeParam>();
  }).join();
  EXPECT_EQ(log, (entries{"stage 2", "stage 2", "late early", "late last", "late very last",
                          "very last"}));
}

TYPED_TEST(phases, c128_inside_very_last_anything_comes_next) {
  entries log;
  second_stage two{&log};
  os_thread([&] {
    log_in<TypeParam>(exit_phase::very_last, log, "very last 1");
    log_in<TypeParam>(exit_phase::very_last, log, "very last 2", [&] {
      log_in<TypeParam>(exit_phase::very_last, log, "late very last");
      log_in<TypeParam>(exit_phase::last, log, "late last");
      log_in<TypeParam>(exit_phase::early, log, "late early");
      two.add<TypeParam>();
    });
  }).join();
  EXPECT_EQ(log, (entries{"very last 2", "late early", "late last", "stage 2", "late very last",
                          "very last 1"}));
}

struct seen {
  bool older = false;
  bool younger = false;
  friend bool operator==(const seen&, const seen&) = default;
};

TYPED_TEST(phases, c128_early_runs_with_the_thread_locals) {
  struct older;
  struct younger;
  seen early{false, true};
  seen last{true, true};
  seen very_last{true, true};
  os_thread([&] {
    const auto look = [](seen* what) { *what = {witness<older>::alive, witness<younger>::alive}; };
    witness<older>::construct();
    finalize_in<TypeParam>(exit_phase::early, look, &early);
    finalize_in<TypeParam>(exit_phase::last, look, &last);
    finalize_in<TypeParam>(exit_phase::very_last, look, &very_last);
    witness<younger>::construct();
    EXPECT_TRUE(witness<older>::alive && witness<younger>::alive);
  }).join();
  EXPECT_EQ(early, (seen{true, false})) << "older " << early.older << ", younger " << early.younger;
  EXPECT_EQ(last, (seen{among(TypeParam::info), false}))
      << "older " << last.older << ", younger " << last.younger;
  EXPECT_EQ(very_last, (seen{false, false}));
}

// Runs a function when the thread destroys its thread_locals, in the place of where() among them.
struct at_end {
  std::function<void()> work;
  ~at_end() {
    if (work) work();
  }
};
template <int Which>
at_end& at_end_of_thread() {
  static thread_local at_end one;
  return one;
}

// Whoever else registers, and however often: a place among the thread_locals is nobody's alone.
TYPED_TEST(phases, c128_each_early_one_has_its_own_place_among_the_thread_locals) {
  entries log;
  entries expected;
  os_thread([&] {
    const auto early = [&](const char* entry) {
      log_in<TypeParam>(exit_phase::early, log, entry);
      expected.insert(expected.begin(), entry);
    };
    const auto construct = [&](at_end& one, const char* entry) {
      one.work = [&log, entry] { log.emplace_back(entry); };
      expected.insert(expected.begin(), entry);
    };
    early("another library's");
    construct(at_end_of_thread<1>(), "thread_local 1");
    early("mine");
    early("mine too");
    construct(at_end_of_thread<2>(), "thread_local 2");
    early("newest");
    construct(at_end_of_thread<3>(), "thread_local 3");
  }).join();
  EXPECT_EQ(log, expected);
}

// Also one that a younger thread_local's destructor registers.
TYPED_TEST(phases, c128_early_between_two_thread_locals_that_are_being_destroyed) {
  entries log;
  os_thread([&] {
    at_end_of_thread<1>().work = [&log] { log.emplace_back("older"); };
    finalize<TypeParam>([] {});
    at_end_of_thread<2>().work = [&log] {
      log.emplace_back("younger");
      log_in<TypeParam>(exit_phase::early, log, "late early");
    };
  }).join();
  EXPECT_EQ(log, (entries{"younger", "late early", "older"}));
}

// Its entry with the C library stays, so its place in memory must not become another's: that would
// run with the thread_locals.
TYPED_TEST(phases, c128_what_is_registered_after_cancelled_early_ones_keeps_its_phase) {
  for (const bool elsewhere : {false, true}) {
    struct older;
    int too_early = 0;
    os_thread([&] {
      witness<older>::construct();
      std::vector<plain_finalizer<TypeParam>> early;
      for (int i = 0; i != 100; ++i)
        early.push_back(finalize_in<TypeParam>(exit_phase::early, [] {}));
      if (elsewhere) {
        cancel_elsewhere<TypeParam>(early);
      } else {
        for (const auto& f : early) EXPECT_TRUE(f.cancel());
      }
      for (int i = 0; i != 100; ++i) {
        finalize_in<TypeParam>(exit_phase::very_last,
                               [&too_early] { too_early += witness<older>::alive ? 1 : 0; });
      }
    }).join();
    EXPECT_EQ(too_early, 0) << (elsewhere ? "cancelled by another thread" : "by their own");
  }
  EXPECT_EQ(this->delta().detached, 200U);
}

TYPED_TEST(phases, c128_the_turn_of_a_cancelled_early_one_begins_nothing) {
  bool was_alive = false;
  os_thread([&] {
    const basic_ref<TypeParam> r;
    at_end_of_thread<1>().work = [&was_alive, r] { was_alive = !r.expired(); };
    EXPECT_TRUE(finalize_in<TypeParam>(exit_phase::early, [] {}).cancel());
  }).join();
  EXPECT_TRUE(was_alive);
}

// What another thread runs, or has run, when its turn comes: it runs once, there.
TYPED_TEST(phases, c128_an_early_one_that_another_thread_calls_has_no_turn) {
  entries log;
  gate running;
  gate go_on;
  std::unique_ptr<os_thread> caller;
  os_thread([&] {
    const auto f = finalize_in<TypeParam>(exit_phase::early, [&] {
      running.open();
      go_on.wait();
      log.emplace_back("called");
    });
    at_end_of_thread<1>().work = [] {};
    log_in<TypeParam>(exit_phase::early, log, "newer");
    caller = std::make_unique<os_thread>([f] { EXPECT_TRUE(f()); });
    running.wait();
  }).join();
  EXPECT_EQ(log, entries{"newer"});
  go_on.open();
  caller->join();
  EXPECT_EQ(log, (entries{"newer", "called"}));
}

// Wherever in the array the finalizer lies that registers it.
TYPED_TEST(phases, c128_inside_last_wherever_it_lies_an_early_one_comes_next) {
  entries log;
  entries expected;
  os_thread([&] {
    for (int i = 0; i != 200; ++i) {
      const std::string entry = std::to_string(i);
      finalize<TypeParam>([&log, entry] {
        log.push_back(entry);
        log_in<TypeParam>(exit_phase::early, log, "late early");
      });
      expected.insert(expected.begin(), {entry, "late early"});
    }
  }).join();
  EXPECT_EQ(log, expected);
}

// The others are abandoned with it, whatever their phase.
TYPED_TEST(phases, c039_an_early_one_that_always_registers_another_is_abandoned) {
  struct for_ever {
    int* runs;
    void operator()() const {
      ++*runs;
      finalize_in<TypeParam>(exit_phase::early, for_ever{runs});
    }
  };
  const captured_incidents incidents;
  int runs = 0;
  int innocent = 0;
  os_thread([&] {
    for (int i = 0; i != 100; ++i) finalize<TypeParam>([&innocent] { ++innocent; });
    finalize_in<TypeParam>(exit_phase::early, for_ever{&runs});
  }).join();
  EXPECT_EQ(runs, static_cast<int>(configured().late_registrations_max) + 1);
  EXPECT_EQ(innocent, 0);
  EXPECT_EQ(this->delta().abandoned, 101U);
  EXPECT_EQ(incidents.all().size(), 1U);
}

// The phase last is over where it runs among the thread_locals; early is not.
TYPED_TEST(phases, c128_early_from_an_older_thread_local_is_not_too_late) {
  entries log;
  os_thread([&] {
    at_end_of_thread<1>().work = [&log] {
      log.emplace_back("thread_local");
      log_in<TypeParam>(exit_phase::early, log, "late early");
    };
    log_in<TypeParam>(exit_phase::last, log, "last");
    log_in<TypeParam>(exit_phase::early, log, "early");
  }).join();
  EXPECT_EQ(log, among(TypeParam::info) ? (entries{"early", "last", "thread_local", "late early"})
                                        : (entries{"early", "thread_local", "late early", "last"}));
}

// A foreign key may register in every round; all of that runs before the last pass.
TYPED_TEST(phases, c128_very_last_comes_after_what_an_older_key_registers_in_any_round) {
  entries log;
  entries expected;
  key_task older(detail::destructor_rounds, [&](int round) {
    const std::string entry = "round " + std::to_string(round);
    finalize<TypeParam>([&log, entry] { log.push_back(entry); });
    expected.push_back(entry);
  });
  os_thread([&] {
    older.arm(older_key());
    log_in<TypeParam>(exit_phase::very_last, log, "very last");
  }).join();
  expected.emplace_back("very last");
  EXPECT_EQ(log, expected);
}

// Not in the last phase under ThreadSanitizer: it counts the rounds that glibc starts again after a
// pthread_exit, and has ended the thread by then.
TYPED_TEST(phases, c125_pthread_exit_inside_any_phase_runs_the_rest) {
  constexpr std::uint64_t tried = detail::under_tsan ? 2 : std::size(all_phases);
  for (std::uint64_t i = 0; i != tried; ++i) {
    entries log;
    second_stage two{&log};
    const auto one_in_each = [&log] {
      for (const exit_phase p : all_phases) log_in<TypeParam>(p, log, "returns");
    };
    os_thread([&] {
      one_in_each();
      log_in<TypeParam>(all_phases[i], log, "exits", [] { pthread_exit(nullptr); });
      one_in_each();
      two.add<TypeParam>();
    }).join();
    EXPECT_EQ(log.size(), 8U) << "phase " << i;
  }
  EXPECT_EQ(this->delta().ran_at_exit, 8U * tried);
}

TYPED_TEST(phases, c128_handles_work_in_every_phase) {
  for (const exit_phase phase : all_phases) {
    entries log;
    os_thread([&] {
      const auto make = [&](const char* entry) {
        return finalize_in<TypeParam>(phase, [&log, entry] { log.emplace_back(entry); });
      };
      const auto pending = make("pending");
      const auto called = make("called");
      const auto cancelled = make("cancelled");
      const auto detached = make("detached");
      EXPECT_TRUE(called());
      EXPECT_TRUE(cancelled.cancel());
      EXPECT_TRUE(detached.detach());
      EXPECT_TRUE(pending.alive());
    }).join();
    EXPECT_EQ(log, (entries{"called", "pending"})) << "phase " << static_cast<int>(phase);
  }
}

TYPED_TEST(phases, c028_a_null_function_is_refused_in_every_phase) {
  os_thread([] {
    using function = void (*)();
    for (const exit_phase phase : all_phases) {
      EXPECT_THROW(finalize_in<TypeParam>(phase, function{nullptr}), std::invalid_argument);
      EXPECT_THROW(finalize_in<TypeParam>(phase, std::function<int()>{}), std::invalid_argument);
      const auto tried = try_finalize_in<TypeParam>(phase, function{nullptr});
      EXPECT_FALSE(tried);
      EXPECT_EQ(tried.error, std::errc::invalid_argument);
      EXPECT_FALSE(tried.handle.alive());
    }
  }).join();
  EXPECT_EQ(this->delta().registered, 0U);
}

TYPED_TEST(phases, c039_once_ended_every_phase_and_stage_refuses) {
  void* variable = &variable;
  std::vector<std::errc> errors;
  std::error_code of_stage_2;
  bool ensured = true;
  const pthread_key_t high = younger_key<TypeParam>();
  key_task younger(detail::destructor_rounds, [&](int round) {
    if (round != detail::destructor_rounds) return;
    ensured = ensure<TypeParam>();
    of_stage_2 = register_destructor<TypeParam>(&variable, [](void* /*unused*/) {});
    for (const exit_phase phase : all_phases) {
      errors.push_back(try_finalize_in<TypeParam>(phase, [] {}).error);
      EXPECT_THROW(finalize_in<TypeParam>(phase, [] {}), std::system_error);
    }
  });
  os_thread([&] {
    younger.arm(high);
    finalize<TypeParam>([] {});
  }).join();
  EXPECT_EQ(errors, std::vector<std::errc>(3, std::errc::operation_not_permitted));
  EXPECT_EQ(of_stage_2, std::errc::operation_not_permitted);
  EXPECT_FALSE(ensured);
  EXPECT_EQ(this->delta().registered, 1U);
}

}  // namespace
}  // namespace threadref::conformance
