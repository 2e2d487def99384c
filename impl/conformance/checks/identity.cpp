// SPDX-License-Identifier: MIT
// A. Identity: which thread is it, and does it still run?
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(identity);

// Shows.
TYPED_TEST(identity, c001_current_is_the_referent) {
  this->run([](auto& /*me*/) {
    const thread_handle here = current<TypeParam>();
    EXPECT_EQ(basic_ref<TypeParam>()(), here);
    EXPECT_EQ(try_current<TypeParam>(), here);
    EXPECT_EQ(here.tid(), gettid());
    EXPECT_EQ(here.state(), thread_state::running);
    EXPECT_FALSE(here.is_main());
  });
}

// Shows: R-28.
TYPED_TEST(identity, c001_a_serial_is_never_used_again) {
  const int threads = scaled(10'000);
  std::set<std::uint64_t> serials;
  std::set<pthread_t> ids;
  for (int i = 0; i != threads; ++i) {
    os_thread t([&] { serials.insert(current<TypeParam>().serial()); });
    ids.insert(t.native());
    t.join();
  }
  EXPECT_EQ(serials.size(), static_cast<std::size_t>(threads));
  EXPECT_LT(ids.size(), static_cast<std::size_t>(threads)) << "no pthread_t was ever reused";
}

TYPED_TEST(identity, c001_a_thread_is_unknown_until_its_first_use) {
  os_thread([] {
    EXPECT_FALSE(try_current<TypeParam>());
    static_cast<void>(basic_ref<TypeParam>());
    EXPECT_TRUE(try_current<TypeParam>());
  }).join();
}

TYPED_TEST(identity, c001_ensure_makes_it_known_and_no_more) {
  os_thread([] {
    EXPECT_TRUE(ensure<TypeParam>());
    const thread_handle known = try_current<TypeParam>();
    EXPECT_TRUE(known);
    EXPECT_TRUE(ensure<TypeParam>());
    EXPECT_EQ(current<TypeParam>(), known);
  }).join();
  EXPECT_EQ(this->delta().registered, 0U);
}

// Shows: R-03.
TYPED_TEST(identity, c002_dead_after_the_join_while_a_handle_is_held) {
  basic_ref<TypeParam>* r = nullptr;
  thread_handle held;
  std::uint64_t serial = 0;
  pid_t tid = 0;
  os_thread t([&] {
    r = new basic_ref<TypeParam>();
    held = (*r)();
    serial = current<TypeParam>().serial();
    tid = gettid();
  });
  t.join();
  EXPECT_TRUE(r->expired());
  EXPECT_FALSE((*r)());
  EXPECT_EQ(held.serial(), serial);
  EXPECT_EQ(held.tid(), tid);
  EXPECT_EQ(held.state(), thread_state::ended);
  delete r;
}

// Names are read when somebody asks, so what is known of a dead thread is the last answer.
TYPED_TEST(identity, c002_a_name_is_that_of_the_moment_and_then_the_last_one_asked_for) {
  thread_handle held;
  thread_handle not_asked;
  gate renamed;
  gate asked;
  os_thread t([&] {
    held = current<TypeParam>();
    pthread_setname_np(pthread_self(), "c002");
    EXPECT_EQ(held.name(), "c002");
    pthread_setname_np(pthread_self(), "renamed");
    renamed.open();
    asked.wait();
    pthread_setname_np(pthread_self(), "too late");
  });
  renamed.wait();
  EXPECT_EQ(held.name(), "renamed");
  asked.open();
  t.join();
  EXPECT_EQ(held.name(), "renamed");
  os_thread([&not_asked] {
    pthread_setname_np(pthread_self(), "c002");
    not_asked = current<TypeParam>();
  }).join();
  EXPECT_EQ(not_asked.name(), "");
}

// Shows: R-05.
TYPED_TEST(identity, c003_a_handle_does_not_delay_the_exit) {
  thread_handle held;
  bool ran = false;
  os_thread([&] {
    held = current<TypeParam>();
    finalize<TypeParam>([&ran] { ran = true; });
  }).join();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(held);
}

// Shows: R-06.
TYPED_TEST(identity, c004_eight_threads_see_the_same_thread) {
  gate published;
  gate done;
  std::optional<basic_ref<TypeParam>> r;
  thread_handle owner;
  os_thread t([&] {
    r.emplace();
    owner = current<TypeParam>();
    published.open();
    done.wait();
  });
  published.wait();
  std::atomic<int> same{0};
  {
    std::deque<os_thread> readers;
    for (int i = 0; i != 8; ++i) {
      readers.emplace_back([&] {
        for (int n = 0; n != 1'000; ++n) same += (*r)() == owner ? 1 : 0;
      });
    }
  }
  done.open();
  t.join();
  EXPECT_EQ(same.load(), 8'000);
}

// of the seed systems: while their thread runs, all refs of it are equal; once dead,
// only copies of the same ref are. The hash is the thread's, before and after.
// Shows.
// Differs: R-25: a dead ref has its thread's hash whether or not anybody asked for it before.
TYPED_TEST(identity, c010_equality_and_hash) {
  using ref_type = basic_ref<TypeParam>;
  std::optional<ref_type> a;
  std::optional<ref_type> b;
  std::optional<ref_type> a_copy;
  std::optional<ref_type> other;
  std::optional<ref_type> asked_late;
  os_thread([&] {
    asked_late.emplace();
    a.emplace();
    b.emplace();
    a_copy.emplace(*a);
    os_thread([&] {
      other.emplace();
      EXPECT_FALSE(*a == *other);
    }).join();
    EXPECT_TRUE(*a == *b);
    EXPECT_EQ(a->hash(), b->hash());
    EXPECT_EQ((std::unordered_set<ref_type>{*a, *b, *a_copy}.size()), 1U);
    EXPECT_FALSE(*a == *other);  // alive and dead
  }).join();
  EXPECT_TRUE(*a == *a_copy);
  EXPECT_FALSE(*a == *b);
  EXPECT_FALSE(*a == *other);
  EXPECT_EQ(a->hash(), b->hash());
  EXPECT_EQ((std::unordered_set<ref_type>{*a, *b, *a_copy}.size()), 2U);
  EXPECT_EQ(a->hash(), asked_late->hash());
  const ref_type moved = std::move(*a);
  EXPECT_TRUE(a->expired());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_TRUE(*a == *a);
  EXPECT_FALSE(*a == moved);
  EXPECT_TRUE(moved == *a_copy);
}

// Shows: R-33.
// Differs: R-33: a thread's life is the system's, and not that of each call from it.
TYPED_TEST(identity, c015_enumerate_finds_threads_that_the_library_did_not_start) {
  gate seen;
  std::atomic<int> ready{0};
  {
    std::deque<os_thread> threads;
    std::set<std::uint64_t> expected;
    std::mutex m;
    for (int i = 0; i != 4; ++i) {
      threads.emplace_back([&] {
        {
          const std::lock_guard lock(m);
          expected.insert(current<TypeParam>().serial());
        }
        ++ready;
        seen.wait();
      });
    }
    EXPECT_TRUE(yield_until([&] { return ready == 4; }));
    std::set<std::uint64_t> found;
    for (const thread_handle& t : enumerate<TypeParam>()) {
      if (!t.is_main()) found.insert(t.serial());
    }
    EXPECT_EQ(found, expected);
    seen.open();
  }
}

// Shows: R-16.
// Differs: R-17: it keeps its identity to the end, and leaves nothing behind.
// Differs: R-18: one can wait for a thread that still runs callbacks, so it is listed, as draining.
TYPED_TEST(identity, c015_a_thread_that_drains_is_itself_and_still_listed) {
  using states = std::vector<thread_state>;
  std::uint64_t serial = 0;
  const auto listed = [&serial] {
    states found;
    for (const thread_handle& t : enumerate<TypeParam>()) {
      if (t.serial() == serial) found.push_back(t.state());
    }
    return found;
  };
  bool ran = false;
  os_thread([&] {
    serial = current<TypeParam>().serial();
    finalize<TypeParam>([&] {
      ran = true;
      EXPECT_EQ(current<TypeParam>().serial(), serial);
      EXPECT_EQ(listed(), states{thread_state::draining});
    });
    EXPECT_EQ(listed(), states{thread_state::running});
  }).join();
  EXPECT_TRUE(ran);
  EXPECT_EQ(listed(), states{});
}

// Shows.
TYPED_TEST(identity, c015_holds_for_std_thread_too) {
  lane_on<TypeParam>& me = this->new_lane();
  std::thread([&] {
    me.open();
    me.add();
    me.add_ref();
    EXPECT_EQ(basic_ref<TypeParam>()(), current<TypeParam>());
  }).join();
  me.close();
  EXPECT_EQ(me.order(), (std::vector<int>{1, 0}));
}

// Shows: F-11.
// Differs: F-28: a finalizer is a handle, to be copied and not to be derived from: what runs is the
// function.
TYPED_TEST(identity, c020_a_handle_is_equal_to_copies_of_itself_alone) {
  os_thread([] {
    constexpr auto nothing = [] {};
    const auto f = finalize<TypeParam>(nothing);
    const auto other = finalize<TypeParam>(nothing);
    const auto copy = f;  // NOLINT(performance-unnecessary-copy-initialization): the question
    EXPECT_TRUE(copy == f);
    EXPECT_FALSE(other == f);
    EXPECT_TRUE(copy.cancel());
    EXPECT_FALSE(f.alive());
    EXPECT_TRUE(copy == f);
    EXPECT_TRUE(other.cancel());
    EXPECT_FALSE(other == f);
  }).join();
}

// 10 000 later threads reuse a thread's record; handles and refs of the first thread must not refer
// to any of them.
// Shows: R-28.
TYPED_TEST(identity, c060_what_outlives_its_thread_says_gone_for_ever) {
  std::optional<basic_ref<TypeParam>> r;
  plain_finalizer<TypeParam> f;
  os_thread([&] {
    r.emplace();
    f = finalize<TypeParam>([] {});
  }).join();
  bool ever_back = false;
  for (int i = 0; i != scaled(10'000); ++i) {
    os_thread([&] {
      auto successor = finalize<TypeParam>([] {});
      ever_back |= !r->expired() || (*r)() || f.alive() || f.peek().has_value() || f.cancel();
      ever_back |= f == successor;
      f.wait();
    }).join();
  }
  EXPECT_FALSE(ever_back);
}

}  // namespace
}  // namespace threadref::conformance
