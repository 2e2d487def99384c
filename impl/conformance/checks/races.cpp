// SPDX-License-Identifier: MIT
// F. Races against the exit of a thread: each finalizer is claimed exactly once.
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "conformance/harness/race.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(races);

constexpr int ids = 2'000;
constexpr int claimers = 4;
using hit_list = std::array<std::atomic<int>, ids>;

// A block that was freed twice would serve two threads at once.
template <class B>
void expect_a_block_each() {
  os_thread([] {
    finalize<B>([] {});
    os_thread([other = B::list::own()] {
      finalize<B>([] {});
      EXPECT_NE(B::list::own(), other);
    }).join();
  }).join();
}

// One thread registers `ids` finalizers and exits; four others claim what they can meanwhile.
// `claim(f, hit)` returns whether it claimed the finalizer.
template <class B, class Claim>
void claim_against_exit(Claim claim) {
  balance sides;
  for (int round = 0; round != scaled(2'000) && !sides.is_hopeless(); ++round) {
    auto ran = std::make_unique<hit_list>();
    std::atomic<int> claimed{0};
    std::vector<plain_finalizer<B>> all;
    starting_line line(claimers + 1);
    {
      os_thread owner([&] {
        all.reserve(ids);
        for (std::size_t i = 0; i != ids; ++i) {
          all.push_back(finalize<B>([&hit = (*ran)[i]] { ++hit; }));
        }
        line.arrive();
        sides.delay_first();
      });
      std::deque<os_thread> others;
      for (int t = 0; t != claimers; ++t) {
        others.emplace_back([&, t] {
          line.arrive();
          sides.delay_second();
          // Each starts elsewhere and goes over all, so that several try to claim the same.
          for (std::size_t n = 0; n != ids; ++n) {
            const std::size_t i = (n + static_cast<std::size_t>(t) * (ids / claimers)) % ids;
            if (n % 64 == 0) sched_yield();  // with few cores one side would win all otherwise
            claimed += claim(all[i], (*ran)[i]) ? 1 : 0;
          }
        });
      }
    }
    int total = 0;
    int wrong = 0;
    for (const std::atomic<int>& hit : *ran) {
      total += hit;
      wrong += hit > 1 ? 1 : 0;
    }
    ASSERT_EQ(wrong, 0) << "ran more than once";
    ASSERT_EQ(total + claimed, ids) << "ran " << total << ", claimed " << claimed;
    sides.record(total, claimed);
  }
  sides.expect_both("ran at exit", "was claimed");
}

// Shows: F-12.
TYPED_TEST(races, c053_detach_against_exit) {
  claim_against_exit<TypeParam>(
      [](const auto& f, auto& /*hit*/) { return f.detach().has_value(); });
}

TYPED_TEST(races, c053_cancel_against_exit) {
  claim_against_exit<TypeParam>([](const auto& f, auto& /*hit*/) { return f.cancel(); });
}

// Shows: F-12.
TYPED_TEST(races, c054_call_against_exit) {
  claim_against_exit<TypeParam>([](const auto& f, auto& hit) {
    if (!f()) return false;
    --hit;  // it ran here, and counts as claimed
    return true;
  });
  expect_a_block_each<TypeParam>();
}

TYPED_TEST(races, c055_dropping_refs_against_exit) {
  balance sides;
  for (int round = 0; round != scaled(2'000) && !sides.is_hopeless(); ++round) {
    constexpr std::size_t refs = 500;
    std::vector<std::optional<basic_ref<TypeParam>>> all(refs);
    std::array<std::atomic<int>, refs> calls{};
    std::array<std::atomic<bool>, refs> dropped{};
    bool seen_dropped = false;  // was the next one to be called dropped when this one was called?
    std::size_t called_next = refs;
    int too_late = 0;
    starting_line line(claimers + 1);
    {
      os_thread owner([&] {
        for (std::size_t i = 0; i != refs; ++i) {
          all[i].emplace([&, i](const auto& /*self*/) {
            ++calls[i];
            too_late += called_next == i && seen_dropped ? 1 : 0;
            called_next = i - 1;  // newest first
            seen_dropped = i != 0 && dropped[i - 1];
          });
        }
        line.arrive();
        sides.delay_first();
      });
      std::deque<os_thread> others;
      for (std::size_t t = 0; t != claimers; ++t) {
        others.emplace_back([&, t] {
          line.arrive();
          sides.delay_second();
          for (std::size_t i = t; i < refs; i += claimers) {
            all[i].reset();
            dropped[i] = true;
            if (i % 16 == 0) sched_yield();
          }
        });
      }
    }
    int called = 0;
    for (const std::atomic<int>& c : calls) {
      ASSERT_LE(c, 1);
      called += c;
    }
    ASSERT_EQ(too_late, 0) << "a callback started after its last drop had returned";
    sides.record(called, static_cast<int>(refs) - called);
  }
  sides.expect_both("was called", "was dropped");
}

TYPED_TEST(races, c009_one_drop_against_exit) {
  balance sides;
  for (int round = 0; round != scaled(100'000) && !sides.is_hopeless(); ++round) {
    std::optional<basic_ref<TypeParam>> r;
    int calls = 0;
    std::atomic<bool> dropped{false};
    bool dropped_before_its_turn = false;
    starting_line line;
    os_thread owner([&] {
      r.emplace([&calls](const auto& /*self*/) { ++calls; });
      finalize<TypeParam>([&] { dropped_before_its_turn = dropped; });
      line.arrive();
      sides.delay_first();
    });
    line.arrive();
    sides.delay_second();
    r.reset();
    dropped = true;
    owner.join();
    ASSERT_LE(calls, 1);
    ASSERT_FALSE(dropped_before_its_turn && calls == 1)
        << "the callback started after the last drop had returned";
    sides.record(calls, 1 - calls);
  }
  sides.expect_both("was called", "was dropped");
}

// What three threads access in a loop while its owner exits.
template <class B>
struct target {
  std::optional<basic_ref<B>> r;
  plain_finalizer<B> peeked;
  plain_finalizer<B> contested;
  pid_t owner = 0;
  std::atomic<bool> joined{false};
  std::atomic<int> callbacks{0};
  std::atomic<int> ran{0};
  std::atomic<int> claimed{0};
  std::atomic<int> violations{0};

  void seen_on_exit() {
    if (gettid() != owner || joined) ++violations;
  }
  void prepare() {
    owner = gettid();
    contested = finalize<B>([this] {
      ++ran;
      seen_on_exit();
    });
    peeked = finalize<B>([this] { seen_on_exit(); });
    r.emplace([this](const auto& /*self*/) {
      ++callbacks;
      seen_on_exit();
    });
  }
  void hammer() {
    for (int i = 0; i != 8; ++i) {
      if (const thread_handle t = (*r)()) violations += t.tid() == owner ? 0 : 1;
      if (const auto t = peeked.peek()) violations += t->tid() == owner ? 0 : 1;
    }
    if (contested.detach()) ++claimed;
  }
};

// in the system this is modelled on, checking a ref could move its callbacks to the thread
// that checked it, and past the join.
// Differs: R-14: looking never holds what ends with the thread, so no callback moves or comes late.
TYPED_TEST(races, c014_callbacks_stay_on_their_thread_while_others_look) {
  balance sides;
  for (int round = 0; round != scaled(100'000) / 4 && !sides.is_hopeless(); ++round) {
    target<TypeParam> t;
    starting_line line(4);
    {
      std::deque<os_thread> hammers;
      os_thread owner([&] {
        t.prepare();
        line.arrive();
        sides.delay_first();
      });
      for (int i = 0; i != 3; ++i) {
        hammers.emplace_back([&] {
          line.arrive();
          sides.delay_second();
          t.hammer();
        });
      }
      owner.join();
      t.joined = true;
    }
    ASSERT_EQ(t.violations, 0) << "a callback ran elsewhere or after the join";
    ASSERT_EQ(t.callbacks, 1);
    ASSERT_EQ(t.ran + t.claimed, 1);
    sides.record(t.ran, t.claimed);
  }
  sides.expect_both("ran at exit", "was detached");
}

TYPED_TEST(races, c058_enumerate_against_exit) {
  balance sides;
  for (int round = 0; round != scaled(100'000) && !sides.is_hopeless(); ++round) {
    std::atomic<std::uint64_t> serial{0};
    std::atomic<pid_t> tid{0};
    starting_line line;
    os_thread owner([&] {
      serial = current<TypeParam>().serial();
      tid = gettid();
      finalize<TypeParam>([] {});
      line.arrive();
      sides.delay_first();
    });
    line.arrive();
    sides.delay_second();
    int seen = 0;
    for (const thread_handle& t : enumerate<TypeParam>()) {
      if (t.is_main()) continue;
      ++seen;
      ASSERT_EQ(t.serial(), serial);
      ASSERT_EQ(t.tid(), tid);
    }
    owner.join();
    ASSERT_LE(seen, 1);
    sides.record(1 - seen, seen);
  }
  sides.expect_both("had ended", "was found");
}

// A thread that checks a ref as the referent ends must not keep the referent's block.
TYPED_TEST(races, c058_looking_at_a_ref_against_exit) {
  for (int round = 0; round != scaled(10'000, 200); ++round) {
    std::optional<basic_ref<TypeParam>> r;
    starting_line line;
    os_thread owner([&] {
      r.emplace();
      line.arrive();
    });
    line.arrive();
    static_cast<void>((*r)());
  }
  expect_a_block_each<TypeParam>();
}

// In a process of its own (first_use.<back end>) this is also the race for the back end's key.
TYPED_TEST(races, c059_many_threads_use_it_first_at_once) {
  constexpr int at_once = 32;
  for (int wave = 0; wave != std::max(scaled(10'000) / at_once, 2); ++wave) {
    starting_line line(at_once);
    std::atomic<int> ran{0};
    {
      std::deque<os_thread> threads;
      for (int i = 0; i != at_once; ++i) {
        threads.emplace_back([&] {
          line.arrive();
          finalize<TypeParam>([&ran] { ++ran; });
        });
      }
    }
    ASSERT_EQ(ran, at_once);
  }
}

// The finalizer's thread lives on: its end would wake all waiters.
TYPED_TEST(races, c122_no_wake_up_is_lost_while_the_thread_lives) {
  const int rounds = scaled(1'000'000, 1'000);
  plain_finalizer<TypeParam> f;
  std::atomic<int> turn{0};  // even: the owner's; odd: the waiter's
  os_thread owner([&] {
    for (int n = 0; n != rounds; ++n) {
      while (turn != 2 * n) sched_yield();
      f = finalize<TypeParam>([] {});
      const auto mine = f;
      turn = 2 * n + 1;
      for (std::atomic<int> delay{n % 128}; delay > 0; --delay) {
      }
      EXPECT_TRUE(mine());
    }
    while (turn != 2 * rounds) sched_yield();
  });
  for (int n = 0; n != rounds; ++n) {
    while (turn != 2 * n + 1) sched_yield();
    f.wait();
    ++turn;
  }
}

// A thread sees that the finalizer is gone without waiting for it; the owner continues, and takes
// no lock in between.
TYPED_TEST(races, c113_what_a_run_wrote_is_seen_with_its_end) {
  for (int n = 0; n != scaled(1'000, 20) && !::testing::Test::HasFailure(); ++n) {
    int written = 0;
    gate made;
    gate seen;
    plain_finalizer<TypeParam> f;
    os_thread owner([&] {
      finalize<TypeParam>([&seen] { seen.wait(); });
      f = finalize<TypeParam>([&written] { written = 1; });
      made.open();
    });
    made.wait();
    EXPECT_TRUE(yield_until([&f] { return f.state() == finalizer_state::gone; }));
    EXPECT_EQ(written, 1);
    seen.open();
  }
}

}  // namespace
}  // namespace threadref::conformance
