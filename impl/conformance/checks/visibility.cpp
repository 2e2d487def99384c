// SPDX-License-Identifier: MIT
// M and N. What a finalizer can use on its thread, and what the counters say.
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(visibility);

thread_local int trivial = 0;

// Differs: R-19: a variable without a destructor keeps its value to the end of the thread.
TYPED_TEST(visibility, c109_trivial_thread_locals_are_readable) {
  int seen = 0;
  os_thread([&seen] {
    trivial = 109;
    finalize<TypeParam>([&seen] { seen = trivial; });
  }).join();
  EXPECT_EQ(seen, 109);
}

// thread_locals of class type are destroyed newest first; a capability says whether the
// finalizers run among them or after them.
// Differs: R-19: one with a destructor is gone or not, as a capability of the back end says.
TYPED_TEST(visibility, c110_class_type_thread_locals_are_readable_or_not) {
  struct older;
  struct younger;
  bool older_alive = false;
  bool younger_alive = true;
  os_thread([&] {
    witness<older>::construct();
    finalize<TypeParam>([&] {
      older_alive = witness<older>::alive;
      younger_alive = witness<younger>::alive;
    });
    witness<younger>::construct();
    EXPECT_TRUE(witness<older>::alive && witness<younger>::alive);
  }).join();
  EXPECT_EQ(older_alive, has(TypeParam::info.capabilities, capability::among_thread_locals));
  EXPECT_FALSE(younger_alive);
}

// in a key destructor the values of keys with a lower index are null already.
TYPED_TEST(visibility, c111_values_of_foreign_keys) {
  key_task low(1, [](int /*round*/) {});
  key_task high(1, [](int /*round*/) {});
  const pthread_key_t high_key = younger_key<TypeParam>();
  const void* older_value = nullptr;
  const void* younger_value = nullptr;
  os_thread([&] {
    low.arm(older_key());
    high.arm(high_key);
    finalize<TypeParam>([&] {
      older_value = pthread_getspecific(older_key());
      younger_value = pthread_getspecific(high_key);
    });
  }).join();
  const bool among = has(TypeParam::info.capabilities, capability::among_thread_locals);
  EXPECT_EQ(older_value, among ? &low : nullptr);
  EXPECT_EQ(younger_value, &high);
}

TYPED_TEST(visibility, c112_name_signal_mask_and_cancel_state) {
  char name[16] = {};
  bool blocked = false;
  bool usr2_blocked = true;
  int cancel_state = -1;
  os_thread([&] {
    pthread_setname_np(pthread_self(), "c112");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    finalize<TypeParam>([&] {
      pthread_getname_np(pthread_self(), name, sizeof name);
      sigset_t now;
      pthread_sigmask(SIG_BLOCK, nullptr, &now);
      blocked = sigismember(&now, SIGUSR1) == 1;
      usr2_blocked = sigismember(&now, SIGUSR2) == 1;
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    });
  }).join();
  EXPECT_STREQ(name, "c112");
  EXPECT_TRUE(blocked);
  EXPECT_FALSE(usr2_blocked);
  EXPECT_EQ(cancel_state, PTHREAD_CANCEL_DISABLE) << "cancellation is off while a thread drains";
}

// Plain memory in both directions: ThreadSanitizer reports a missing order.
TYPED_TEST(visibility, c113_memory_of_the_body_and_for_the_joiner) {
  int from_body = 0;
  int from_finalizer = 0;
  os_thread([&] {
    finalize<TypeParam>([&] { from_finalizer = from_body + 1; });
    from_body = 112;
  }).join();
  EXPECT_EQ(from_finalizer, 113);
}

// Shows: R-36.
// Differs: W-22: there is no Windows here, and no lock of the library is held while a callback
// runs.
TYPED_TEST(visibility, c114_a_finalizer_may_do_what_any_code_may) {
  std::string made;
  int from_thread = 0;
  bool notified = false;
  os_thread([&] {
    finalize<TypeParam>([&] {
      std::ostringstream out;
      out << "number " << 114;
      made = out.str() + std::string(10'000, '.');
      std::mutex m;
      std::condition_variable changed;
      std::thread other([&] {
        from_thread = 114;
        finalize<TypeParam>([&] {
          const std::lock_guard lock(m);
          notified = true;
          changed.notify_one();
        });
      });
      {
        std::unique_lock lock(m);
        // If a broken back end loses the finalizer, the check must not hang.
        EXPECT_TRUE(wait_patiently(changed, lock, [&] { return notified; }));
      }
      other.join();
    });
  }).join();
  EXPECT_EQ(made.substr(0, 10), "number 114");
  EXPECT_EQ(from_thread, 114);
  EXPECT_TRUE(notified);
}

TYPED_TEST(visibility, c118_stats_equal_the_ledger) {
  counters expected;
  std::mt19937 random(118);
  for (int t = 0; t != scaled(2'000); ++t) {
    this->run([&](auto& me) {
      std::vector<typename lane_on<TypeParam>::entry> all;
      const auto n = random() % 64;
      for (std::uint64_t i = 0; i != n; ++i) all.push_back(me.add());
      expected.registered += n;
      for (const auto& e : all) {
        switch (random() % 4) {
          case 0:
            me.called(e.id);
            EXPECT_TRUE(e.handle());
            ++expected.ran_by_call;
            break;
          case 1:
            EXPECT_TRUE(random() % 2 == 0 ? e.handle.cancel() : e.handle.detach().has_value());
            me.removed(e.id);
            ++expected.detached;
            break;
          case 2:
            static_cast<void>(basic_ref<TypeParam>([](const auto& /*self*/) {}));
            ++expected.registered;
            ++expected.dropped;
            [[fallthrough]];
          default:
            ++expected.ran_at_exit;
        }
      }
    });
  }
  const counters now = this->delta();
  EXPECT_EQ(now.registered, expected.registered);
  EXPECT_EQ(now.ran_at_exit, expected.ran_at_exit);
  EXPECT_EQ(now.ran_by_call, expected.ran_by_call);
  EXPECT_EQ(now.detached, expected.detached);
  EXPECT_EQ(now.dropped, expected.dropped);
  EXPECT_EQ(now.abandoned, 0U);
}

}  // namespace
}  // namespace threadref::conformance
