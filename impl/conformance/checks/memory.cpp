// SPDX-License-Identifier: MIT
// O. Memory: the table of blocks, what is returned after a peak, and returning it while other
// threads ask handles that pointed there.
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "conformance/harness/affinity.hpp"
#include "conformance/harness/race.hpp"
#include "conformance/harness/suite.hpp"
#include "testing/check.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(memory);

// Most systems do not allow that many threads, so this acquires the blocks of its own table, on one
// thread. One table serves for all back ends: they share its code, and 40 MB are enough.
TYPED_TEST(memory, c127_65_537_blocks_at_once) {
  constexpr std::size_t blocks = 65'536 + 1;
  static constexpr detail::list_functions no_functions{
      [] {}, []() noexcept -> detail::block* { return nullptr; }, [](detail::block&) {},
      []() noexcept {}};
  static constinit detail::domain table(no_functions);
  std::set<std::uint64_t> serials;
  std::set<const detail::block*> all;
  for (std::size_t i = 0; i != blocks; ++i) {
    detail::block* b = table.acquire();
    ASSERT_NE(b, nullptr);
    b->life.release();  // held by this thread, which stands for many
    all.insert(b);
    serials.insert(b->serial);
  }
  EXPECT_EQ(all.size(), blocks);
  EXPECT_EQ(serials.size(), blocks);
  EXPECT_EQ(table.used(), blocks);
  std::size_t found = 0;
  for (std::size_t i = 0; i != blocks; ++i) {
    detail::block* b = table.pin_live(i);
    ASSERT_NE(b, nullptr);
    found += all.count(b);
    b->unpin();
    b->bury();
    EXPECT_EQ(table.pin_live(i), nullptr);
  }
  EXPECT_EQ(found, blocks);
  // Blocks of dead threads are reused.
  detail::block* again = table.acquire();
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(all.count(again), 1U);
  again->end_life();
  EXPECT_EQ(table.used(), blocks);
}

std::size_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  THREADREF_CHECK_ERRNO(file != nullptr, "fopen(/proc/self/statm)");
  unsigned long pages = 0;
  THREADREF_CHECK(std::fscanf(file, "%*u %lu", &pages) == 1,
                  "/proc/self/statm has no second field");
  std::fclose(file);
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TYPED_TEST(memory, c127_trim_gives_back_what_a_peak_took) {
  constexpr int threads = 16;
  constexpr int each = 40'000;
  constexpr std::size_t node_bytes = std::size_t{threads} * each * sizeof(detail::node);
  // Slabs of dead threads of other back ends may lie in the same mappings.
  for_each_type(backends{}, []<class Other>() { trim<Other>(); });
  std::atomic<int> ready{0};
  {
    gate all_ready;
    std::deque<os_thread> at_once;
    for (int t = 0; t != threads; ++t) {
      at_once.emplace_back([&] {
        for (int i = 0; i != each; ++i) finalize<TypeParam>([] {});
        if (++ready == threads) all_ready.open();
        all_ready.wait();
      });
    }
  }
  const std::size_t after_peak = resident_bytes();
  trim<TypeParam>();
  const std::size_t after_trim = resident_bytes();
  EXPECT_GE(after_peak, after_trim + node_bytes / 2);
  // The next threads start from scratch.
  this->run([](auto& me) {
    for (int i = 0; i != 1'000; ++i) me.add();
  });
}

// Slabs of a dead thread that another thread reuses are not idle.
TYPED_TEST(memory, c127_trim_leaves_what_is_used_again) {
  constexpr int each = 100'000;
  os_thread([] {
    for (int i = 0; i != each; ++i) finalize<TypeParam>([] {});
  }).join();
  int ran = 0;
  os_thread([&ran] {
    for (int i = 0; i != each; ++i) finalize<TypeParam>([&ran] { ++ran; });
    trim<TypeParam>();
  }).join();
  EXPECT_EQ(ran, each);
}

// Runs f() on a thread that gets that free block: of as many threads as there are blocks, one does.
template <class B, class F>
void on_a_thread_with(const detail::block* wanted, F&& f) {
  bool found = false;
  gate over;
  std::deque<os_thread> holders;
  for (std::size_t most = B::list::all().used(); !found && holders.size() <= most;) {
    std::atomic<bool> looked{false};
    holders.emplace_back([&, mine = &looked] {
      finalize<B>([] {});
      found = B::list::own() == wanted;
      if (found) f();
      *mine = true;
      over.wait();
    });
    while (!looked) sched_yield();
  }
  over.open();
  EXPECT_TRUE(found) << "no thread got the block, so nothing was tested";
}

// The next thread of a dead thread's block uses the dead thread's handles, whose memory is
// unmapped.
TYPED_TEST(memory, c129_the_next_thread_with_the_handles_of_the_last) {
  std::vector<plain_finalizer<TypeParam>> all;
  const detail::block* block = nullptr;
  os_thread([&] {
    for (int i = 0; i != 100'000; ++i) all.push_back(finalize<TypeParam>([] {}));
    block = TypeParam::list::own();
  }).join();
  trim<TypeParam>();
  const auto ask = [&all] {
    for (const auto& f : all) {
      if (f.state() == finalizer_state::gone && !f.cancel() && !f.detach() && !f.peek()) continue;
      ADD_FAILURE() << "a handle of a dead thread";
      break;
    }
  };
  on_a_thread_with<TypeParam>(block, [&ask] {
    ask();
    os_thread(ask).join();
  });
}

// Slots that came back too late for their thread are in slabs that other threads use by now.
TYPED_TEST(memory, c129_what_came_back_to_the_last_thread) {
  constexpr int each = 2'000;
  std::vector<plain_finalizer<TypeParam>> all;
  const detail::block* block = nullptr;
  {
    gate filled;
    gate over;
    os_thread first([&] {
      const auto in_a_chain = exit_phase::very_last;
      for (int i = 0; i != each; ++i) all.push_back(finalize_in<TypeParam>(in_a_chain, [] {}));
      block = TypeParam::list::own();
      filled.open();
      over.wait();
    });
    filled.wait();
    for (const auto& f : all) EXPECT_TRUE(f.cancel());
    over.open();
  }
  std::atomic<int> ran{0};
  const auto register_as_many = [&ran] {
    for (int i = 0; i != each; ++i)
      finalize_in<TypeParam>(exit_phase::very_last, [&ran] { ++ran; });
  };
  on_a_thread_with<TypeParam>(block, [&register_as_many] {
    register_as_many();
    os_thread(register_as_many).join();
  });
  EXPECT_EQ(ran, 2 * each);
}

// Handles of a dead thread, whatever its block and slabs are used for by now.
template <class B>
struct remains {
  std::vector<plain_finalizer<B>> finalizers;
  std::vector<basic_ref<B>> refs;
  thread_handle thread;

  remains() {
    os_thread([this] {
      thread = current<B>();
      // Enough for whole mappings, so that trim() unmaps what some of these handles point to.
      for (int i = 0; i != 40'000; ++i) {
        const auto f = finalize<B>([] {});
        if (i % 200 == 0) finalizers.push_back(f);
      }
      refs.emplace_back();
      refs.emplace_back([](const auto& /*self*/) {});
    }).join();
  }
  // How many answers are not "gone".
  [[nodiscard]] int ask() const {
    int wrong = 0;
    for (const auto& f : finalizers) {
      f.atexit(true);
      wrong += f.state() == finalizer_state::gone && !f.atexit() && !f.peek() && !f.cancel() &&
                       !f.detach() && !f()
                   ? 0
                   : 1;
      f.wait();
    }
    for (const auto& r : refs) wrong += r.expired() && !r() && !r.has_callback() ? 0 : 1;
    return wrong + (thread.state() == thread_state::ended ? 0 : 1);
  }
};

TYPED_TEST(memory, c129_trim_against_those_who_ask_the_dead) {
  constexpr int readers = 2;
  std::deque<remains<TypeParam>> dead(8);
  // Without a thread_handle, the next thread may reuse the block.
  for (std::size_t i = 0; i != dead.size(); i += 2) dead[i].thread = {};
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> asked{0};
  std::atomic<int> trims{0};
  {
    std::deque<os_thread> others;
    for (int t = 0; t != readers; ++t) {
      others.emplace_back([&] {
        for (std::size_t i = 0; !done; ++i) {
          wrong += dead[i % dead.size()].ask();
          ++asked;
          std::this_thread::yield();
        }
      });
    }
    others.emplace_back([&] {
      for (; !done; ++trims) {
        trim<TypeParam>();
        std::this_thread::yield();
      }
    });
    std::mt19937 random(129);
    for (int round = 0; round != scaled(40'000); ++round) {
      const auto n = random() % 500;
      os_thread([n] {
        for (std::uint64_t i = 0; i != n; ++i) finalize<TypeParam>([] {});
      }).join();
    }
    EXPECT_TRUE(yield_until([&] { return asked > scaled(2'000) && trims > scaled(2'000); }));
    done = true;
  }
  EXPECT_EQ(wrong, 0);
}

// Pins the thread to the first CPU that it may use: threads on one CPU reuse each other's blocks.
void stay_on_the_first_cpu() {
  const cpu_set_t allowed = affinity();
  std::size_t cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  stay_on(cpu);
}

// A thread that checks a ref as the referent ends must not free the block for a third thread when
// the next one has started there meanwhile.
TYPED_TEST(memory, c058_looking_at_a_ref_against_the_next_thread) {
  balance sides;
  for (int round = 0; round != scaled(2'000, 50) && !::testing::Test::HasFailure(); ++round) {
    std::optional<basic_ref<TypeParam>> of_first;
    std::atomic<bool> looking{false};
    std::atomic<bool> looked{false};
    bool was_second_first = false;
    starting_line line(3);
    starting_line begun;
    starting_line compared;
    const detail::block* second_block = nullptr;
    os_thread first([&] {
      stay_on_the_first_cpu();
      of_first.emplace();
      line.arrive();
      while (!looking) sched_yield();
    });
    os_thread second([&] {
      stay_on_the_first_cpu();
      line.arrive();
      while (!of_first->expired()) sched_yield();
      sides.delay_first();
      finalize<TypeParam>([] {});
      was_second_first = !looked;
      second_block = TypeParam::list::own();
      begun.arrive();
      compared.arrive();
    });
    line.arrive();
    looking = true;
    static_cast<void>((*of_first)());
    looked = true;
    begun.arrive();
    os_thread([second_block] {
      stay_on_the_first_cpu();
      finalize<TypeParam>([] {});
      EXPECT_NE(TypeParam::list::own(), second_block);
    }).join();
    compared.arrive();
    second.join();
    sides.record(was_second_first ? 1 : 0, was_second_first ? 0 : 1);
  }
}

}  // namespace
}  // namespace threadref::conformance
