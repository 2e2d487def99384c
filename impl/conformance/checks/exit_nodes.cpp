// SPDX-License-Identifier: MIT
// O. exit_node: a finalizer in storage of the caller.
#include <pthread.h>

#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(exit_nodes);

using entries = std::vector<std::string>;

// Embeds a node, and logs when its function is called.
template <class B>
struct embedding {
  embedding(entries* where, std::string as, std::function<void()> what = {})
      : log(where), name(std::move(as)), work(std::move(what)) {}
  entries* log;
  std::string name;
  std::function<void()> work;
  basic_exit_node<B> node;

  static void called(void* self) {
    auto& e = *static_cast<embedding*>(self);
    e.log->push_back(e.name);
    if (e.work) e.work();
  }
  std::errc attach(exit_phase phase = exit_phase::last) {
    return node.attach(&called, this, phase);
  }
};

// Registers the oldest finalizer. It does nothing that a check looks at: the canaries' faults
// affect it, and not the nodes.
template <class B>
void add_oldest() {
  finalize<B>([] {});
}

TYPED_TEST(exit_nodes, c123_newest_first_in_one_order_with_finalizers) {
  entries log;
  embedding<TypeParam> x{&log, "node x"};
  embedding<TypeParam> y{&log, "node y"};
  std::optional<basic_ref<TypeParam>> r;
  os_thread([&] {
    finalize<TypeParam>([&log] { log.emplace_back("oldest"); });
    EXPECT_EQ(x.attach(), std::errc{});
    finalize<TypeParam>([&log] { log.emplace_back("finalizer"); });
    r.emplace([&log](const auto& /*self*/) { log.emplace_back("ref"); });
    EXPECT_EQ(y.attach(), std::errc{});
    finalize<TypeParam>([&log] { log.emplace_back("newest"); });
  }).join();
  EXPECT_EQ(log, (entries{"newest", "node y", "ref", "finalizer", "node x", "oldest"}));
}

TYPED_TEST(exit_nodes, c123_newest_first_among_themselves) {
  entries log;
  entries expected;
  std::deque<embedding<TypeParam>> all;
  os_thread([&] {
    add_oldest<TypeParam>();
    for (int i = 0; i != 1'000; ++i) {
      EXPECT_EQ(all.emplace_back(&log, std::to_string(i)).attach(), std::errc{});
      expected.insert(expected.begin(), std::to_string(i));
    }
  }).join();
  EXPECT_EQ(log, expected);
  EXPECT_EQ(this->delta().registered, 1'001U);
  EXPECT_EQ(this->delta().ran_at_exit, 1'001U);
}

TYPED_TEST(exit_nodes, c123_detached_ones_leave_their_storage_and_the_order_alone) {
  entries log;
  std::vector<std::unique_ptr<embedding<TypeParam>>> all;
  os_thread([&] {
    add_oldest<TypeParam>();
    for (int i = 0; i != 6; ++i) {
      all.push_back(std::make_unique<embedding<TypeParam>>(&log, std::to_string(i)));
      EXPECT_EQ(all.back()->attach(), std::errc{});
      EXPECT_TRUE(all.back()->node.is_attached());
    }
    for (const std::size_t i : {0U, 3U, 5U}) {
      EXPECT_EQ(all[i]->node.detach(), std::errc{});
      EXPECT_FALSE(all[i]->node.is_attached());
      all[i].reset();
    }
  }).join();
  EXPECT_EQ(log, (entries{"4", "2", "1"}));
  EXPECT_EQ(this->delta().registered, 7U);
  EXPECT_EQ(this->delta().detached, 3U);
}

TYPED_TEST(exit_nodes, c123_the_end_of_its_storage_detaches_it) {
  entries log;
  os_thread([&log] {
    embedding<TypeParam> gone{&log, "gone"};
    EXPECT_EQ(gone.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, entries{});
  EXPECT_EQ(this->delta().detached, 1U);
}

// Its place among the thread_locals is that of an entry with the C library, which stays.
TYPED_TEST(exit_nodes, c123_early_ones_may_go_before_their_place_comes) {
  entries log;
  os_thread([&log] {
    add_oldest<TypeParam>();
    auto freed = std::make_unique<embedding<TypeParam>>(&log, "freed");
    auto again = std::make_unique<embedding<TypeParam>>(&log, "again");
    EXPECT_EQ(freed->attach(exit_phase::early), std::errc{});
    EXPECT_EQ(again->attach(exit_phase::early), std::errc{});
    EXPECT_EQ(again->node.detach(), std::errc{});
    static thread_local const struct at_end {
      entries* log;
      ~at_end() { log->emplace_back("thread_local"); }
    } between{&log};
    static_cast<void>(&between);
    EXPECT_EQ(again->attach(exit_phase::early), std::errc{});
    freed.reset();
    auto* const frees_itself = new embedding<TypeParam>(&log, "frees itself");
    const auto free_it = [](void* self) {
      embedding<TypeParam>::called(self);
      delete static_cast<embedding<TypeParam>*>(self);
    };
    EXPECT_EQ(frees_itself->node.attach(free_it, frees_itself, exit_phase::early), std::errc{});
    // Destroyed last, by the function of an older registration: it is not attached any more.
    finalize_in<TypeParam>(exit_phase::very_last, [kept = std::move(again)] {});
  }).join();
  EXPECT_EQ(log, (entries{"frees itself", "again", "thread_local"}));
  EXPECT_EQ(this->delta().detached, 2U);
}

// The exit destroys the thread_local and the node with it, before the node's turn unless that comes
// among the thread_locals.
TYPED_TEST(exit_nodes, c123_destroyed_with_a_thread_local_before_its_turn_it_is_reported) {
  for (const exit_phase phase : {exit_phase::early, exit_phase::last, exit_phase::very_last}) {
    const captured_incidents incidents;
    const counters before = stats<TypeParam>();
    int runs = 0;
    std::uint64_t serial = 0;
    os_thread([&] {
      static thread_local basic_exit_node<TypeParam> in_thread_local;
      EXPECT_FALSE(in_thread_local.is_attached());
      add_oldest<TypeParam>();
      serial = current<TypeParam>().serial();
      const auto count = [](void* to) { ++*static_cast<int*>(to); };
      EXPECT_EQ(in_thread_local.attach(count, &runs, phase), std::errc{});
    }).join();
    const std::vector<reported_incident> all = incidents.all();
    EXPECT_EQ(runs + static_cast<int>(all.size()), 1) << "phase " << static_cast<int>(phase);
    EXPECT_TRUE(runs == 1 || phase != exit_phase::early);
    EXPECT_TRUE(runs == 0 || phase != exit_phase::very_last);
    EXPECT_EQ(stats<TypeParam>().abandoned - before.abandoned, all.size());
    for (const reported_incident& i : all) {
      EXPECT_EQ(i.kind, incident::node_destroyed);
      EXPECT_EQ(i.serial, serial);
    }
  }
  EXPECT_EQ(this->delta().detached, 0U);
}

TYPED_TEST(exit_nodes, c123_its_storage_may_be_freed_inside_its_function) {
  entries log;
  os_thread([&log] {
    add_oldest<TypeParam>();
    for (int i = 0; i != 3; ++i) {
      auto* mine = new embedding<TypeParam>(&log, "freed");
      const auto free_it = [](void* self) {
        auto* e = static_cast<embedding<TypeParam>*>(self);
        e->log->push_back(e->name);
        delete e;
      };
      EXPECT_EQ(mine->node.attach(free_it, mine), std::errc{});
    }
  }).join();
  EXPECT_EQ(log, entries(3, "freed"));
}

TYPED_TEST(exit_nodes, c123_detached_and_attached_again_it_is_as_new) {
  entries log;
  embedding<TypeParam> older{&log, "older"};
  embedding<TypeParam> younger{&log, "younger"};
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(older.attach(), std::errc{});
    EXPECT_EQ(younger.attach(), std::errc{});
    EXPECT_EQ(older.node.detach(), std::errc{});
    EXPECT_EQ(older.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"older", "younger"}));
  // After its call another thread may attach it.
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(older.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"older", "younger", "older"}));
}

TYPED_TEST(exit_nodes, c123_another_thread_can_not_detach_it) {
  entries log;
  embedding<TypeParam> mine{&log, "mine"};
  gate attached;
  gate tried;
  os_thread owner([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(mine.attach(), std::errc{});
    attached.open();
    tried.wait();
  });
  attached.wait();
  os_thread stranger([&] {
    EXPECT_EQ(mine.node.detach(), std::errc::operation_not_permitted);
    add_oldest<TypeParam>();  // known to the back end, it is still another thread
    EXPECT_EQ(mine.node.detach(), std::errc::operation_not_permitted);
    EXPECT_EQ(mine.attach(), std::errc::device_or_resource_busy);
    EXPECT_TRUE(mine.node.is_attached());
  });
  stranger.join();
  tried.open();
  owner.join();
  EXPECT_EQ(log, entries{"mine"});
  EXPECT_EQ(this->delta().registered, 3U);
}

TYPED_TEST(exit_nodes, c123_what_is_wrong_is_refused_and_changes_nothing) {
  entries log;
  embedding<TypeParam> e{&log, "once"};
  os_thread([&] {
    EXPECT_EQ(e.node.detach(), std::errc::invalid_argument) << "not attached";
    EXPECT_EQ(e.node.attach(nullptr, &e), std::errc::invalid_argument);
    EXPECT_FALSE(e.node.is_attached());
    EXPECT_FALSE(try_current<TypeParam>()) << "not even the thread has become known";
    add_oldest<TypeParam>();
    EXPECT_EQ(e.attach(), std::errc{});
    const auto other = [](void* log_of) { static_cast<entries*>(log_of)->emplace_back("other"); };
    EXPECT_EQ(e.node.attach(other, &log), std::errc::device_or_resource_busy);
    EXPECT_EQ(e.node.attach(nullptr, nullptr), std::errc::invalid_argument);
    EXPECT_TRUE(e.node.is_attached());
  }).join();
  EXPECT_EQ(log, entries{"once"});
  EXPECT_EQ(this->delta().registered, 2U);
}

TYPED_TEST(exit_nodes, c123_inside_its_own_function_it_is_free) {
  entries log;
  embedding<TypeParam> e{&log, "again"};
  int left = 3;
  e.work = [&] {
    EXPECT_FALSE(e.node.is_attached());
    EXPECT_EQ(e.node.detach(), std::errc::invalid_argument);
    if (--left == 0) return;
    EXPECT_EQ(e.attach(), std::errc{});
  };
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(e.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, entries(3, "again"));
}

TYPED_TEST(exit_nodes, c123_attached_again_inside_its_function_it_stays_attached) {
  entries log;
  embedding<TypeParam> first{&log, "first"};
  embedding<TypeParam> second{&log, "second"};
  int left = 2;
  first.work = [&] {
    if (--left == 0) return;
    EXPECT_EQ(first.attach(), std::errc{});
    EXPECT_EQ(second.attach(), std::errc{});
  };
  second.work = [&] { EXPECT_TRUE(first.node.is_attached()); };
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(first.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"first", "second", "first"}));
}

TYPED_TEST(exit_nodes, c123_attached_inside_a_finalizer_it_runs_next) {
  entries log;
  embedding<TypeParam> late{&log, "late"};
  os_thread([&] {
    finalize<TypeParam>([&log] { log.emplace_back("oldest"); });
    finalize<TypeParam>([&] {
      log.emplace_back("finalizer");
      EXPECT_EQ(late.attach(), std::errc{});
    });
  }).join();
  EXPECT_EQ(log, (entries{"finalizer", "late", "oldest"}));
}

TYPED_TEST(exit_nodes, c123_one_may_detach_another_and_attach_a_third) {
  entries log;
  embedding<TypeParam> pending{&log, "pending"};
  embedding<TypeParam> third{&log, "third"};
  embedding<TypeParam> first{&log, "first"};
  first.work = [&] {
    EXPECT_EQ(pending.node.detach(), std::errc{});
    EXPECT_EQ(third.attach(), std::errc{});
    finalize<TypeParam>([&log] { log.emplace_back("finalizer"); });
  };
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(pending.attach(), std::errc{});
    EXPECT_EQ(first.attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"first", "finalizer", "third"}));
  EXPECT_EQ(this->delta().detached, 1U);
}

TYPED_TEST(exit_nodes, c123_one_that_throws_is_reported_and_the_rest_run) {
  const captured_incidents incidents;
  entries log;
  std::uint64_t serial = 0;
  embedding<TypeParam> x{&log, "x"};
  embedding<TypeParam> y{&log, "y", [] { throw std::runtime_error("node"); }};
  embedding<TypeParam> z{&log, "z"};
  os_thread([&] {
    serial = current<TypeParam>().serial();
    add_oldest<TypeParam>();
    for (auto* e : {&x, &y, &z}) EXPECT_EQ(e->attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"z", "y", "x"}));
  const reported_incident it = incidents.only();
  EXPECT_EQ(it.kind, incident::threw);
  EXPECT_EQ(it.what, "node");
  EXPECT_EQ(it.serial, serial);
  EXPECT_EQ(this->delta().ran_at_exit, 4U);
}

TYPED_TEST(exit_nodes, c125_pthread_exit_inside_one_runs_the_rest) {
  entries log;
  embedding<TypeParam> x{&log, "x"};
  embedding<TypeParam> y{&log, "y", [] { pthread_exit(nullptr); }};
  embedding<TypeParam> z{&log, "z"};
  os_thread([&] {
    add_oldest<TypeParam>();
    for (auto* e : {&x, &y, &z}) EXPECT_EQ(e->attach(), std::errc{});
  }).join();
  EXPECT_EQ(log, (entries{"z", "y", "x"}));
  EXPECT_EQ(this->delta().ran_at_exit, 4U);
}

TYPED_TEST(exit_nodes, c123_one_that_always_attaches_itself_is_abandoned) {
  const captured_incidents incidents;
  struct for_ever {
    std::uint64_t runs = 0;
    basic_exit_node<TypeParam> node;
    void attach() {
      EXPECT_EQ(node.attach(
                    [](void* self) {
                      ++static_cast<for_ever*>(self)->runs;
                      static_cast<for_ever*>(self)->attach();
                    },
                    this),
                std::errc{});
    }
  } endless;
  basic_exit_node<TypeParam> afterwards;
  std::errc refused{};
  const pthread_key_t high = younger_key<TypeParam>();
  key_task younger(
      1, [&](int /*round*/) { refused = afterwards.attach([](void* /*unused*/) {}, nullptr); });
  os_thread([&] {
    younger.arm(high);
    finalize_in<TypeParam>(exit_phase::very_last, [] {});  // never runs
    endless.attach();
  }).join();
  EXPECT_EQ(endless.runs, configured().late_registrations_max + 1);
  EXPECT_FALSE(endless.node.is_attached()) << "its storage is the caller's again";
  EXPECT_EQ(refused, std::errc::operation_not_permitted);
  EXPECT_EQ(this->delta().abandoned, 2U);
  EXPECT_EQ(incidents.all().size(), 1U);
}

// After the back end's last pass nothing would call it.
TYPED_TEST(exit_nodes, c123_refused_once_the_thread_has_ended) {
  basic_exit_node<TypeParam> node;
  std::errc attached{};
  std::errc detached{};
  const pthread_key_t high = younger_key<TypeParam>();
  key_task younger(detail::destructor_rounds, [&](int round) {
    if (round != detail::destructor_rounds) return;
    attached = node.attach([](void* /*unused*/) {}, nullptr);
    detached = node.detach();
  });
  os_thread([&] {
    younger.arm(high);
    add_oldest<TypeParam>();
  }).join();
  EXPECT_EQ(attached, std::errc::operation_not_permitted);
  EXPECT_EQ(detached, std::errc::invalid_argument);
  EXPECT_FALSE(node.is_attached());
  EXPECT_EQ(this->delta().registered, 1U);
}

TYPED_TEST(exit_nodes, c124_inside_malloc_only_where_that_is_safe) {
  entries log;
  embedding<TypeParam> e{&log, "inside"};
  const bool safe = can_register_inside_malloc<TypeParam>();
  os_thread([&] {
    add_oldest<TypeParam>();
    EXPECT_EQ(e.node.attach_inside_malloc(&embedding<TypeParam>::called, &e),
              safe ? std::errc{} : std::errc::operation_not_supported);
    EXPECT_EQ(e.node.is_attached(), safe);
  }).join();
  EXPECT_EQ(log, safe ? entries{"inside"} : entries{});
  EXPECT_TRUE(!safe || has(TypeParam::info.capabilities, capability::inside_malloc));
}

}  // namespace
}  // namespace threadref::conformance
