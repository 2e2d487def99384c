// SPDX-License-Identifier: MIT
// G. Ways in which a thread ends by itself.
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <threads.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(ends);

template <class B>
void add_ten(lane_on<B>& me) {
  for (int i = 0; i != 9; ++i) me.add();
  me.add_ref();
}

TYPED_TEST(ends, c061_return) {
  this->run([](auto& me) { add_ten(me); });
}

TYPED_TEST(ends, c061_return_from_a_std_thread) {
  lane_on<TypeParam>& me = this->new_lane();
  std::thread([&me] {
    me.open();
    add_ten(me);
  }).join();
  me.close();
}

// Counts the frames that are unwound.
struct frame {
  int* unwound;
  ~frame() { ++*unwound; }
};
void exit_at_depth(int depth, int& unwound) {
  const std::function<void(int)> deeper = [&](int more) {
    const frame here{&unwound};
    if (more == 0) pthread_exit(nullptr);
    deeper(more - 1);
  };
  deeper(depth);
}

// Shows: R-31.
TYPED_TEST(ends, c062_pthread_exit_at_any_depth) {
  for (const int depth : {0, 100}) {
    int unwound = 0;
    this->run([&](auto& me) {
      add_ten(me);
      exit_at_depth(depth, unwound);
    });
    EXPECT_EQ(unwound, depth + 1);
  }
}

TYPED_TEST(ends, c062_pthread_exit_inside_a_finalizer_runs_the_rest) {
  this->run([](auto& me) {
    add_ten(me);
    me.add_and([] { pthread_exit(nullptr); });
    add_ten(me);
  });
  EXPECT_EQ(this->delta().ran_at_exit, 21U);
}

TYPED_TEST(ends, c062_pthread_exit_in_the_body_and_inside_a_finalizer) {
  this->run([](auto& me) {
    add_ten(me);
    me.add_and([] { pthread_exit(nullptr); });
    add_ten(me);
    pthread_exit(nullptr);
  });
}

TYPED_TEST(ends, c062_what_a_finalizer_registered_before_its_pthread_exit_runs) {
  this->run([](auto& me) {
    me.add();
    me.add_and([&me] {
      me.add();
      me.add();
      pthread_exit(nullptr);
    });
    me.add();
  });
}

// Shows: R-20.
TYPED_TEST(ends, c062_pthread_exit_inside_a_ref_callback_runs_the_rest) {
  std::optional<basic_ref<TypeParam>> r;
  auto held = std::make_shared<int>(0);
  this->run([&](auto& me) {
    me.add();
    r.emplace([held](const auto& /*self*/) { pthread_exit(nullptr); });
    me.add();
  });
  EXPECT_EQ(held.use_count(), 1) << "the callback is destroyed by the unwinding";
}

// After a pthread_exit in a key destructor glibc starts its rounds again. ThreadSanitizer counts
// all rounds together, and ends the thread in its last one.
TYPED_TEST(ends, c125_several_finalizers_call_pthread_exit) {
  constexpr int unwinding = detail::under_tsan ? 2 : 10;
  this->run([](auto& me) {
    for (int i = 0; i != unwinding; ++i) {
      me.add();
      me.add_and([] { pthread_exit(nullptr); });
    }
    me.add();
  });
  EXPECT_EQ(this->delta().ran_at_exit, 2U * unwinding + 1U);
}

TYPED_TEST(ends, c065_a_detached_thread) {
  lane_on<TypeParam>& me = this->new_lane();
  gate registered;
  start_detached([&] {
    me.open();
    add_ten(me);
    registered.open();
  });
  registered.wait();
  // It has ended when the back end no longer lists it.
  EXPECT_TRUE(yield_until([] { return survivors<TypeParam>().empty(); }));
  me.close();
  EXPECT_EQ(me.order().size(), 10U);
}

TYPED_TEST(ends, c066_a_jthread_that_is_asked_to_stop) {
  lane_on<TypeParam>& me = this->new_lane();
  gate started;
  bool stopped_before = false;
  {
    std::jthread t([&](const std::stop_token& stop) {
      me.open();
      add_ten(me);
      me.add_and([&stopped_before, stop] { stopped_before = stop.stop_requested(); });
      started.open();
      while (!stop.stop_requested()) std::this_thread::yield();
    });
    started.wait();
  }
  me.close();
  EXPECT_TRUE(stopped_before);
}

// libstdc++ joins the thread of std::async in get(), so the finalizers have run by then. With a
// packaged_task, only the join guarantees that.
TYPED_TEST(ends, c067_finalizers_and_get) {
  lane_on<TypeParam>& a = this->new_lane();
  auto from_async = std::async(std::launch::async, [&a] {
    a.open();
    add_ten(a);
    return 67;
  });
  EXPECT_EQ(from_async.get(), 67);
  EXPECT_EQ(a.order().size(), 10U);
  a.close();

  lane_on<TypeParam>& p = this->new_lane();
  std::packaged_task<int()> task([&p] {
    p.open();
    add_ten(p);
    return 68;
  });
  auto from_task = task.get_future();
  std::thread t(std::move(task));
  EXPECT_EQ(from_task.get(), 68);
  t.join();
  EXPECT_EQ(p.order().size(), 10U);
  p.close();
}

struct worker_exit : std::runtime_error {
  worker_exit() : std::runtime_error("the worker has to end") {}
};
void deep(int depth) {
  if (depth == 0) throw worker_exit();
  deep(depth - 1);
}

// Shows: R-31.
TYPED_TEST(ends, c069_an_exception_that_means_the_end) {
  bool caught = false;
  this->run([&caught](auto& me) {
    add_ten(me);
    try {
      deep(50);
    } catch (const worker_exit&) {
      caught = true;
    }
  });
  EXPECT_TRUE(caught);
}

TYPED_TEST(ends, c070_thrd_exit) {
  lane_on<TypeParam>& me = this->new_lane();
  const auto body = [](void* of) -> int {
    auto& mine = *static_cast<lane_on<TypeParam>*>(of);
    mine.open();
    add_ten(mine);
    thrd_exit(70);
  };
  thrd_t t{};
  ASSERT_EQ(thrd_create(&t, body, &me), thrd_success);
  int result = 0;
  ASSERT_EQ(thrd_join(t, &result), thrd_success);
  EXPECT_EQ(result, 70);
  me.close();
}

TYPED_TEST(ends, c071_the_smallest_stack_will_do) {
  const char* in_body = nullptr;
  const char* in_finalizer = nullptr;
  os_thread(
      [&] {
        in_body = static_cast<const char*>(__builtin_frame_address(0));
        finalize<TypeParam>(
            [&] { in_finalizer = static_cast<const char*>(__builtin_frame_address(0)); });
      },
      static_cast<std::size_t>(PTHREAD_STACK_MIN))
      .join();
  ASSERT_NE(in_finalizer, nullptr);
  EXPECT_LT(std::abs(in_body - in_finalizer), 4'096) << "what the exit path needs of the stack";
}

std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free, "or it may not be used in a signal handler");

TYPED_TEST(ends, c072_signals_that_arrive_during_finalizers) {
  constexpr int signals = 20;
  struct sigaction storm {};
  struct sigaction before {};
  storm.sa_handler = [](int /*signal*/) { ++signals_seen; };
  ASSERT_EQ(sigaction(SIGUSR1, &storm, &before), 0);
  signals_seen = 0;
  lane_on<TypeParam>& me = this->new_lane();
  gate draining;
  std::atomic<bool> done{false};
  {
    os_thread owner([&] {
      me.open();
      me.add_and([&done] { done = true; });
      for (int i = 0; i != 10; ++i) {
        me.add_and([i] {
          if (::testing::Test::HasFailure()) return;  // they would not arrive in time here either
          // Waits until some more have arrived.
          EXPECT_TRUE(yield_until([i] { return signals_seen >= (10 - i) * signals / 10; }));
        });
      }
      me.add_and([&draining] { draining.open(); });
    });
    draining.wait();
    EXPECT_TRUE(yield_until([&] {
      pthread_kill(owner.native(), SIGUSR1);
      return done.load();
    }));
  }
  me.close();
  EXPECT_GE(signals_seen, signals);
  EXPECT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

}  // namespace
}  // namespace threadref::conformance
