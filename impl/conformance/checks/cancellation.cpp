// SPDX-License-Identifier: MIT
// G. Threads that others cancel, and long-lived threads.
#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "conformance/harness/suite.hpp"
#include "threadref/detail/memory.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(cancellation);

[[noreturn]] void wait_to_be_cancelled() {
  for (;;) {
    pthread_testcancel();
    sched_yield();
  }
}

TYPED_TEST(cancellation, c063_deferred_in_the_body) {
  lane_on<TypeParam>& me = this->new_lane();
  gate ready;
  os_thread t([&] {
    me.open();
    for (int i = 0; i != 10; ++i) me.add();
    ready.open();
    wait_to_be_cancelled();
  });
  ready.wait();
  t.cancel();
  EXPECT_EQ(t.join(), PTHREAD_CANCELED);
  me.close();
  EXPECT_EQ(me.order().size(), 10U);
}

// Queries and removals are no cancellation points. They must not end the process either, by an
// unwinding that a noexcept function stops.
TYPED_TEST(cancellation, c063_pending_when_it_asks) {
  gate registered;
  gate asked;
  std::optional<basic_ref<TypeParam>> r;
  plain_finalizer<TypeParam> first;
  plain_finalizer<TypeParam> second;
  os_thread other([&] {
    r.emplace();
    first = finalize<TypeParam>([] {});
    second = finalize<TypeParam>([] {});
    registered.open();
    asked.wait();
  });
  registered.wait();
  int answers = 0;
  os_thread t([&] {
    pthread_cancel(pthread_self());
    const std::optional<thread_handle> peeked = first.peek();
    answers += peeked && !peeked->name().empty() ? 1 : 0;
    answers += (*r)() ? 1 : 0;
    answers += enumerate<TypeParam>().empty() ? 0 : 1;
    answers += first.detach().has_value() ? 1 : 0;
    answers += detach_all<TypeParam>(reinterpret_cast<const void*>(+[] {})) != 0 ? 1 : 0;
    pthread_testcancel();
    ++answers;
  });
  EXPECT_EQ(t.join(), PTHREAD_CANCELED);
  asked.open();
  other.join();
  EXPECT_EQ(answers, 5);
  EXPECT_FALSE(second.alive());
}

// Finalizers that are cancellation points, on a thread with a cancellation pending.
template <class B>
class uninterrupted {
 public:
  void add(lane_on<B>& me, int count) {
    for (int i = 0; i != count; ++i) me.add_and([this] { complete(); });
  }
  // On the thread: returns once it is cancelled.
  void await_cancellation() {
    ready_.open();
    EXPECT_TRUE(yield_until([this] { return is_cancelled_.load(); }));
  }
  void complete() {
    pthread_testcancel();
    ++completed_;
  }
  // On another: returns how many have completed at the thread's end.
  int cancel_and_join(os_thread& t) {
    ready_.wait();
    t.cancel();
    is_cancelled_ = true;
    t.join();
    return completed_;
  }

 private:
  gate ready_;
  std::atomic<bool> is_cancelled_{false};
  std::atomic<int> completed_{0};
};

// The body returns with a cancellation pending: that does not cut the finalizers short.
TYPED_TEST(cancellation, c063_pending_when_the_body_returns) {
  lane_on<TypeParam>& me = this->new_lane();
  uninterrupted<TypeParam> all;
  os_thread t([&] {
    me.open();
    all.add(me, 10);
    all.await_cancellation();
  });
  EXPECT_EQ(all.cancel_and_join(t), 10);
  me.close();
}

TYPED_TEST(cancellation, c063_arriving_during_a_finalizer) {
  lane_on<TypeParam>& me = this->new_lane();
  uninterrupted<TypeParam> all;
  os_thread t([&] {
    me.open();
    all.add(me, 5);
    me.add_and([&] {
      all.await_cancellation();
      all.complete();
    });
  });
  EXPECT_EQ(all.cancel_and_join(t), 6);
  me.close();
}

// A finalizer of a cancelled thread calls pthread_exit.
TYPED_TEST(cancellation, c063_and_pthread_exit_inside_a_finalizer) {
  lane_on<TypeParam>& me = this->new_lane();
  gate ready;
  os_thread t([&] {
    me.open();
    me.add();
    me.add_and([] { pthread_exit(nullptr); });
    me.add();
    ready.open();
    wait_to_be_cancelled();
  });
  ready.wait();
  t.cancel();
  t.join();
  me.close();
  EXPECT_EQ(me.order(), (std::vector<int>{2, 1, 0}));
}

template <class B>
std::size_t slots_of_this_thread() {
  std::size_t all = 0;
  for (const detail::slab* s : slabs_of_this_thread<B>()) all += s->capacity;
  return all;
}

// Shows: F-30.
TYPED_TEST(cancellation, c064_a_long_life_of_register_and_cancel_takes_no_memory) {
  trim<TypeParam>();  // so that the thread starts without slabs
  os_thread([] {
    for (int i = 0; i != scaled(10'000'000); ++i) {
      ASSERT_TRUE(finalize<TypeParam>([] {}).cancel());
    }
    EXPECT_EQ(slabs_of_this_thread<TypeParam>().size(), 1U);
  }).join();
  // Oldest first, of a thousand; see below.
  trim<TypeParam>();
  os_thread([] {
    constexpr std::size_t pending = 1'000;
    constexpr std::size_t rounds = scaled(2'000, 20);
    std::array<plain_finalizer<TypeParam>, pending> all;
    for (auto& f : all) f = finalize<TypeParam>([] {});
    for (std::size_t i = 0; i != rounds * pending; ++i) {
      EXPECT_TRUE(all[i % pending].cancel());
      all[i % pending] = finalize<TypeParam>([] {});
    }
    EXPECT_LE(slots_of_this_thread<TypeParam>(), 2 * (3 * pending + 31));
  }).join();
}

// Each of these registers another 400, and itself: those that ran below leave holes, as do those
// that are cancelled in the middle. The last one has ten pending, and keeps cancelling the oldest.
template <class B>
struct registers_again {
  int left;
  void operator()() const {
    if (left != 0) {
      finalize<B>(registers_again{left - 1});
      for (int i = 0; i != 400; ++i) finalize<B>([] {});
      return;
    }
    cancel_the_oldest_of_ten<B>(20'000);
    EXPECT_LE(slots_of_this_thread<B>(), 2 * (3 * 400 + 31));
  }
};
TYPED_TEST(cancellation, c064_finalizers_that_register_leave_room) {
  if (is_direct<TypeParam>()) return;  // each place is used once
  trim<TypeParam>();                   // so that the thread starts without slabs
  os_thread([] { finalize<TypeParam>(registers_again<TypeParam>{50}); }).join();
}

// Slots that other threads emptied are reused. A list has at most twice as many slots in the array
// as were pending at once, as many linked ones, and one slab of each kind. (It takes more than one
// round to get there: what is registered while half the array is holes goes to the chain, which has
// slabs of its own.)
TYPED_TEST(cancellation, c064_nor_when_another_thread_cancels) {
  constexpr std::size_t batch = 1'000;
  std::vector<plain_finalizer<TypeParam>> all;
  std::vector<std::size_t> slots;  // after each round
  trim<TypeParam>();
  os_thread([&] {
    for (int round = 0; round != scaled(2'000, 10); ++round) {
      all.clear();
      for (std::size_t i = 0; i != batch; ++i) all.push_back(finalize<TypeParam>([] {}));
      cancel_elsewhere<TypeParam>(all);
      slots.push_back(slots_of_this_thread<TypeParam>());
    }
  }).join();
  EXPECT_EQ(slots.back(), slots[slots.size() / 2]) << "half-way and after the last round";
  // No slab is larger than all slabs before it plus 31.
  EXPECT_LE(slots.back(), 2 * (3 * batch + 31));
}

TYPED_TEST(cancellation, c064_nor_does_a_churn_of_threads_take_blocks) {
  const auto one = [] {
    os_thread([] {
      for (int i = 0; i != 100; ++i) finalize<TypeParam>([] {});
    }).join();
  };
  one();
  const std::size_t before = TypeParam::list::all().used();
  for (int i = 0; i != scaled(20'000); ++i) one();
  EXPECT_EQ(TypeParam::list::all().used(), before);
}

}  // namespace
}  // namespace threadref::conformance
