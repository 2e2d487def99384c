// SPDX-License-Identifier: MIT
// A. Refs with a callback: which handles own it, and what it sees.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(refs);

// Shows.
// Differs: R-23: has_callback() says whether one is pending; the function itself is the thread's.
TYPED_TEST(refs, c005_the_callback_gets_its_own_ref_once) {
  using ref_type = basic_ref<TypeParam>;
  std::optional<ref_type> r;
  int calls = 0;
  os_thread([&] {
    r.emplace([&](const ref_type& self) {
      ++calls;
      EXPECT_TRUE(self == *r);
      EXPECT_TRUE(self.expired());
      EXPECT_FALSE(self());
      EXPECT_FALSE(self.has_callback());
      return 42;  // ignored
    });
    EXPECT_TRUE(r->has_callback());
    EXPECT_TRUE((*r)());
  }).join();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(r->has_callback());
}

// Shows.
TYPED_TEST(refs, c006_all_refs_are_dead_at_the_first_callback) {
  using ref_type = basic_ref<TypeParam>;
  for (const int n : {5, 1'000}) {
    std::vector<ref_type> all;
    int alive_seen = 0;
    int calls = 0;
    os_thread([&] {
      for (int i = 0; i != n; ++i) {
        all.emplace_back([&](const ref_type& /*self*/) {
          ++calls;
          for (const ref_type& r : all) alive_seen += r.expired() && !r() ? 0 : 1;
        });
      }
    }).join();
    EXPECT_EQ(calls, n);
    EXPECT_EQ(alive_seen, 0);
  }
}

// Shows: R-11.
TYPED_TEST(refs, c007_dropping_the_last_handle_drops_the_callback) {
  int calls = 0;
  const int rounds = scaled(100'000);
  trim<TypeParam>();  // this thread begins without slabs
  os_thread([&] {
    // One after the other, so that a slot that is not returned shows as another slab.
    for (int i = 0; i != rounds; ++i) {
      basic_ref<TypeParam> r([&calls](const auto& /*self*/) { ++calls; });
    }
    // (A slot that had an entry in the system's list is not reused: check 64.)
    if (!is_direct<TypeParam>()) {
      EXPECT_EQ(slabs_of_this_thread<TypeParam>().size(), 1U);
    }
  }).join();
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(this->delta().dropped, static_cast<std::uint64_t>(rounds));
}

TYPED_TEST(refs, c007_dropping_it_on_another_thread_drops_the_callback) {
  std::optional<basic_ref<TypeParam>> r;
  auto state = std::make_shared<int>(0);
  gate made;
  gate dropped;
  os_thread t([&] {
    r.emplace([state](const auto& /*self*/) { ++*state; });
    made.open();
    dropped.wait();
  });
  made.wait();
  EXPECT_EQ(state.use_count(), 2);
  r.reset();
  EXPECT_EQ(state.use_count(), 1) << "the callback's state is freed at once";
  dropped.open();
  t.join();
  EXPECT_EQ(*state, 0);
  EXPECT_EQ(this->delta().dropped, 1U);
}

// Shows: R-11.
TYPED_TEST(refs, c008_a_local_of_the_body_is_not_called_a_moved_one_is) {
  std::optional<basic_ref<TypeParam>> elsewhere;
  int local_calls = 0;
  int moved_calls = 0;
  os_thread([&] {
    const basic_ref<TypeParam> local([&](const auto& /*self*/) { ++local_calls; });
    basic_ref<TypeParam> moved([&](const auto& /*self*/) { ++moved_calls; });
    elsewhere = std::move(moved);
  }).join();
  EXPECT_EQ(local_calls, 0);
  EXPECT_EQ(moved_calls, 1);
}

// Shows: R-26.
TYPED_TEST(refs, c011_two_refs_are_two_nodes_a_copy_is_the_same) {
  lane_on<TypeParam>* lane = nullptr;
  this->run([&lane](auto& me) {
    lane = &me;
    const auto first = me.add_ref();
    const auto copy = first;  // NOLINT(performance-unnecessary-copy-initialization): the question
    me.add_ref();
    EXPECT_TRUE(copy.has_callback());
  });
  EXPECT_EQ(lane->order(), (std::vector<int>{1, 0}));
}

// Shows: R-27.
TYPED_TEST(refs, c011_a_class_may_be_derived_from_a_ref) {
  struct named : basic_ref<TypeParam> {
    using basic_ref<TypeParam>::basic_ref;
    std::string name = "c011";
  };
  std::optional<named> r;
  int calls = 0;
  os_thread([&] {
    r.emplace([&](const basic_ref<TypeParam>& self) {
      ++calls;
      EXPECT_TRUE(self == *r);
    });
    EXPECT_EQ((*r)(), current<TypeParam>());
  }).join();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(r->expired());
  EXPECT_EQ(r->name, "c011");
}

// The call moves the callback out and destroys it: a cycle ends with the thread.
TYPED_TEST(refs, c012_a_callback_may_hold_its_own_ref) {
  struct cycle {
    std::optional<basic_ref<TypeParam>> self;
    int* calls;
    ~cycle() { *calls += 100; }
  };
  int calls = 0;
  os_thread([&] {
    auto c = std::make_shared<cycle>();
    c->calls = &calls;
    c->self.emplace([c](const auto& /*self*/) { ++*c->calls; });
  }).join();
  EXPECT_EQ(calls, 101) << "called once, then freed";
}

// A handle in a thread_local is destroyed, and its callback dropped, if the thread_local dies
// first.
template <class B, class Tag>
std::optional<basic_ref<B>>& in_thread_local() {
  static thread_local std::optional<basic_ref<B>> slot;
  return slot;
}

// Differs: R-12: C++ destroys thread_locals newest first in every version; where the callbacks come
// among them is a capability of the back end.
TYPED_TEST(refs, c013_a_handle_in_a_thread_local_goes_with_it) {
  struct older {};
  struct younger {};
  int older_calls = 0;
  int younger_calls = 0;
  os_thread([&] {
    auto& first = in_thread_local<TypeParam, older>();
    first.emplace([&](const auto& /*self*/) { ++older_calls; });
    auto& second = in_thread_local<TypeParam, younger>();
    second.emplace([&](const auto& /*self*/) { ++younger_calls; });
  }).join();
  const bool among = has(TypeParam::info.capabilities, capability::among_thread_locals);
  EXPECT_EQ(older_calls, among ? 1 : 0);
  EXPECT_EQ(younger_calls, 0);
}

// Checks its ref when it is destroyed.
template <class B>
struct asking {
  std::optional<basic_ref<B>> r;
  bool* expired = nullptr;
  ~asking() {
    if (expired != nullptr) *expired = r->expired() && !(*r)();
  }
  template <class Tag>
  static asking& in_thread_local() {
    static thread_local asking slot;
    return slot;
  }
};

// Shows: R-04.
TYPED_TEST(refs, c013_a_ref_in_a_thread_local_is_dead_if_the_finalizers_came_first) {
  struct older;
  struct younger;
  bool older_saw_it_dead = false;
  bool younger_saw_it_dead = true;
  os_thread([&] {
    auto& first = asking<TypeParam>::template in_thread_local<older>();
    finalize<TypeParam>([] {});
    first.r.emplace();
    first.expired = &older_saw_it_dead;
    auto& second = asking<TypeParam>::template in_thread_local<younger>();
    second.r.emplace();
    second.expired = &younger_saw_it_dead;
  }).join();
  EXPECT_EQ(older_saw_it_dead, has(TypeParam::info.capabilities, capability::among_thread_locals));
  EXPECT_FALSE(younger_saw_it_dead);
}

// Shows.
TYPED_TEST(refs, c014_callbacks_run_on_their_thread_before_the_join) {
  using ref_type = basic_ref<TypeParam>;
  std::optional<ref_type> r;
  pid_t owner = 0;
  pid_t ran_on = 0;
  os_thread([&] {
    owner = gettid();
    r.emplace([&](const ref_type& /*self*/) { ran_on = gettid(); });
  }).join();
  EXPECT_EQ(ran_on, owner);
}

// Shows: R-15.
TYPED_TEST(refs, c014_a_join_with_a_limit_may_return_during_a_callback) {
  std::optional<basic_ref<TypeParam>> r;
  thread_handle owner;
  gate running;
  gate go_on;
  bool over = false;
  os_thread t([&] {
    owner = current<TypeParam>();
    r.emplace([&](const auto& /*self*/) {
      running.open();
      go_on.wait();
      over = true;
    });
  });
  running.wait();
  EXPECT_FALSE(t.join_within(std::chrono::milliseconds(1)));
  EXPECT_EQ(owner.state(), thread_state::draining);
  go_on.open();
  t.join();
  EXPECT_TRUE(over);
}

// Shows: R-22.
// Differs: R-01: for no callback, pass none: null is a mistake.
// Differs: R-21: what can't be called does not compile, and null is refused at once.
TYPED_TEST(refs, c028_a_null_callback_is_refused) {
  using ref_type = basic_ref<TypeParam>;
  static_assert(!std::is_constructible_v<ref_type, int>);
  static_assert(!std::is_constructible_v<ref_type, void (*)(const ref_type&), int>);
  os_thread([] {
    using function = void (*)(const basic_ref<TypeParam>&);
    EXPECT_THROW(basic_ref<TypeParam>(function{nullptr}), std::invalid_argument);
    EXPECT_THROW(basic_ref<TypeParam>(std::function<void(const basic_ref<TypeParam>&)>{}),
                 std::invalid_argument);
  }).join();
  EXPECT_EQ(this->delta().registered, 0U);
}

// Differs: R-32: it is of the thread that ends: dead at once, and called next, since what is lost
// in silence can't be found.
TYPED_TEST(refs, c040_a_ref_made_in_a_callback_reads_null_and_is_called_next) {
  using ref_type = basic_ref<TypeParam>;
  std::vector<int> order;
  std::optional<ref_type> outer;
  std::optional<ref_type> inner;
  os_thread([&] {
    finalize<TypeParam>([&] { order.push_back(3); });
    outer.emplace([&](const ref_type& /*self*/) {
      order.push_back(1);
      inner.emplace([&](const ref_type& self) {
        order.push_back(2);
        EXPECT_TRUE(self.expired());
      });
      EXPECT_TRUE(inner->expired());
      EXPECT_FALSE((*inner)());
    });
  }).join();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace threadref::conformance
