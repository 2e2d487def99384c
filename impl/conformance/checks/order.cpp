// SPDX-License-Identifier: MIT
// C. Order: newest first, and where a thread's finalizers run among everything else that ends with
// it.
#include <pthread.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(order);

// Each lane's ledger checks the order; only the sizes differ here.
// Shows: F-16.
TYPED_TEST(order, c029_newest_first) {
  for (const int n : {1, 2, 100, 10'000, scaled(2'000'000)}) {
    this->run([n](auto& me) {
      for (int i = 0; i != n; ++i) me.add();
    });
  }
}

// Shows: R-10, F-16.
TYPED_TEST(order, c030_refs_and_finalizers_share_one_order) {
  lane_on<TypeParam>* lane = nullptr;
  this->run([&lane](auto& me) {
    lane = &me;
    for (int i = 0; i != 100; ++i) {
      if (i % 3 == 0) {
        me.add_ref();
      } else {
        me.add();
      }
    }
  });
  EXPECT_EQ(lane->order().size(), 100U);
}

TYPED_TEST(order, c031_taking_some_keeps_the_order_of_the_rest) {
  this->run([](auto& me) {
    std::mt19937 random(31);
    std::vector<typename lane_on<TypeParam>::entry> all;
    for (int i = 0; i != 1'000; ++i) all.push_back(me.add());
    std::shuffle(all.begin(), all.end(), random);
    for (std::size_t i = 0; i != 500; ++i) {
      EXPECT_TRUE(i % 2 == 0 ? all[i].handle.cancel() : all[i].handle.detach().has_value());
      me.removed(all[i].id);
    }
    for (int i = 0; i != 100; ++i) me.add();  // into the slots that became free
  });
}

// A thread that, with the help of another, removes registrations at both ends of its list and in
// between, so that the list has every shape that it can have; optionally also during the exit.
enum class until { exit_begins, end_of_exit };
template <class B>
class long_life {
 public:
  long_life(lane_on<B>& me, until end) : me_(me), end_(end) {}

  void live(int steps) {
    for (int i = 0; i != steps; ++i) {
      step();
      if (i % 500 == 0) os_thread([this] { remove_some(20); }).join();
    }
  }

 private:
  using entry = typename lane_on<B>::entry;

  // Registers somewhat more than it removes, and removes mostly old ones.
  void step() {
    const unsigned choice = random_() % 16;
    if (choice < 8) {
      pending_.push_back(me_.add());
    } else if (choice == 8) {
      me_.add_ref();
    } else if (choice == 9 && end_ == until::end_of_exit) {
      pending_.push_back(me_.add_and([this] { late(); }));
    } else if (choice == 10) {
      remove(pending_.size() - 1);
    } else if (choice == 11) {
      remove(random_() % (pending_.size() + 1));
    } else {
      remove(random_() % (pending_.size() / 4 + 1));
    }
  }
  void remove_some(int count) {
    for (int i = 0; i != count; ++i) remove(random_() % (pending_.size() + 1));
  }
  void remove(std::size_t at) {
    if (at >= pending_.size()) return;
    const entry gone = pending_[at];
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
    if (gone.handle.cancel()) me_.removed(gone.id);
  }
  // Runs in the drain, where all others may still be pending.
  void late() {
    for (int i = 0; i != 3; ++i) {
      remove(random_() % (pending_.size() + 1));
      me_.add();
    }
  }

  lane_on<B>& me_;
  const until end_;
  std::mt19937 random_{131};
  std::deque<entry> pending_;
};

TYPED_TEST(order, c031_registering_and_taking_for_long_keeps_the_order) {
  std::optional<long_life<TypeParam>> life;
  this->run([&life](auto& me) {
    life.emplace(me, until::exit_begins);
    life->live(scaled(100'000));
  });
}

TYPED_TEST(order, c037_a_finalizer_of_a_finalizer_after_a_long_life) {
  std::optional<long_life<TypeParam>> life;
  this->run([&life](auto& me) {
    life.emplace(me, until::end_of_exit);
    life->live(scaled(100'000));
  });
}

TYPED_TEST(order, c032_threads_do_not_mix) {
  lane_on<TypeParam>& a = this->new_lane();
  lane_on<TypeParam>& b = this->new_lane();
  gate both;
  std::atomic<int> ready{0};
  const auto body = [&](lane_on<TypeParam>& me) {
    me.open();
    for (int i = 0; i != 1'000; ++i) me.add();
    if (++ready == 2) both.open();
    both.wait();
  };
  {
    os_thread first([&] { body(a); });
    os_thread second([&] { body(b); });
  }
  a.close();
  b.close();
  EXPECT_EQ(a.order().size(), 1'000U);
  EXPECT_EQ(b.order().size(), 1'000U);
}

TYPED_TEST(order, c035_foreign_keys_do_not_change_it) {
  key_task older(1, [](int /*round*/) {});
  key_task younger(1, [](int /*round*/) {});
  const pthread_key_t high = younger_key<TypeParam>();
  this->run([&](auto& me) {
    older.arm(older_key());
    for (int i = 0; i != 10; ++i) me.add();
    younger.arm(high);
    for (int i = 0; i != 10; ++i) me.add();
  });
}

// Logs its name when it is destroyed.
struct end_mark {
  std::vector<std::string>* log = nullptr;
  const char* name = "";
  ~end_mark() {
    if (log != nullptr) log->emplace_back(name);
  }
};
template <class B, class Tag>
end_mark& mark_in_thread_local() {
  static thread_local end_mark mark;
  return mark;
}

// stack objects, thread_locals newest first, keys by index. A back end's capabilities say
// where the finalizers run in between.
// Shows: W-13.
TYPED_TEST(order, c036_the_place_among_all_that_ends_with_a_thread) {
  struct older {};
  struct younger {};
  std::vector<std::string> log;
  key_task low(1, [&log](int /*round*/) { log.emplace_back("older key"); });
  key_task high(1, [&log](int /*round*/) { log.emplace_back("younger key"); });
  const pthread_key_t high_key = younger_key<TypeParam>();
  os_thread([&] {
    low.arm(older_key());
    high.arm(high_key);
    const end_mark on_stack{&log, "stack"};
    mark_in_thread_local<TypeParam, older>() = {&log, "older thread_local"};
    log.clear();  // of the temporaries' destructors
    finalize<TypeParam>([&log] { log.emplace_back("finalizer"); });
    end_mark& young = mark_in_thread_local<TypeParam, younger>();
    young.name = "younger thread_local";
    young.log = &log;
  }).join();
  const bool among = has(TypeParam::info.capabilities, capability::among_thread_locals);
  const std::vector<std::string> expected =
      among ? std::vector<std::string>{"stack",     "younger thread_local",
                                       "finalizer", "older thread_local",
                                       "older key", "younger key"}
            : std::vector<std::string>{
                  "stack",     "younger thread_local", "older thread_local", "older key",
                  "finalizer", "younger key"};
  EXPECT_EQ(log, expected);
}

}  // namespace
}  // namespace threadref::conformance
