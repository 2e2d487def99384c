// SPDX-License-Identifier: MIT
// O. The phases of a thread's exit: their order, what their finalizers see, and registrations that
// come too late for their phase.
#include <pthread.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

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

// The early pass is over, so this runs in phase `last`: that is yet to come where it runs after all
// thread_locals, and is over where it ran among them.
TYPED_TEST(phases, c128_too_late_for_early_between_the_passes) {
  struct at_end {
    std::function<void()> work;
    ~at_end() {
      if (work) work();
    }
  };
  entries log;
  os_thread([&] {
    static thread_local at_end older;
    older.work = [&log] {
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
