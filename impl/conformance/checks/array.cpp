// SPDX-License-Identifier: MIT
// The array of a list (impl/threadref/detail/exit_array.cpp): behaviour that depends on a
// registration's place in it. Its first slabs have 31 and 63 places.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(array);

// How often a busy thread registers before another one replaces it: where an entry can't be
// removed, it needs memory until its thread ends.
template <backend B>
int busy_life() {
  return is_direct<B>() ? 100'000 : std::numeric_limits<int>::max();
}

// Keeps one registration pending until the object is destroyed, and moves the end of its array
// meanwhile, busy_life() times at most.
template <class B>
class busy_thread {
 public:
  busy_thread()
      : thread_([this] {
          finalize<B>([] {});
          has_begun_.open();
          for (int i = 0; i != busy_life<B>() && !is_stopped_; ++i) finalize<B>([] {}).cancel();
          is_done_ = true;
          while (!is_stopped_) sched_yield();
        }) {
    has_begun_.wait();
  }
  ~busy_thread() { is_stopped_ = true; }
  [[nodiscard]] bool is_done() const { return is_done_; }

 private:
  gate has_begun_;
  std::atomic<bool> is_done_{false};
  std::atomic<bool> is_stopped_{false};
  os_thread thread_;
};

constexpr int first_slab = 31;
constexpr int two_slabs = first_slab + 63;

// A run that lasts until the test releases it, and returns whether the bytes of its function, which
// fill the whole place, stayed unchanged.
struct run_elsewhere {
  gate running;
  gate over;
};
struct watched_bytes {
  run_elsewhere* at;
  std::uint64_t mark;
  bool operator()() const {
    const watched_bytes before = *this;
    before.at->running.open();
    before.at->over.wait();
    return at == before.at && mark == before.mark;
  }
};
static_assert(sizeof(watched_bytes) == detail::closure_bytes);

// `all` registrations, each of which registers two more when it runs; except that other threads run
// those at the places `elsewhere` from before the exit until after the thread's end.
template <class B>
class late_among_foreign_runs {
 public:
  late_among_foreign_runs(int all, std::initializer_list<int> elsewhere)
      : all_(all), elsewhere_(elsewhere), runs_(elsewhere.size()), handles_(elsewhere.size()) {}

  void on(lane_on<B>& me) {
    std::size_t next = 0;
    for (int i = 0; i != all_; ++i) {
      if (std::count(elsewhere_.begin(), elsewhere_.end(), i) != 0) {
        handles_[next] = finalize<B>(watched_bytes{&runs_[next], 37});
        ++next;
      } else {
        me.add_and([&me] {
          me.add();
          me.add();
        });
      }
    }
    for (std::size_t i = 0; i != runs_.size(); ++i) {
      others_.emplace_back(
          [this, i] { EXPECT_EQ(handles_[i](), std::optional(true)) << "of " << all_; });
    }
    for (run_elsewhere& r : runs_) r.running.wait();
  }
  void end() {
    for (run_elsewhere& r : runs_) r.over.open();
    others_.clear();
  }

 private:
  const int all_;
  const std::vector<int> elsewhere_;
  std::deque<run_elsewhere> runs_;
  std::vector<finalizer<bool, B>> handles_;
  std::deque<os_thread> others_;
};

TYPED_TEST(array, c037_a_finalizer_of_a_finalizer_leaves_what_runs_elsewhere) {
  using checked = late_among_foreign_runs<TypeParam>;
  const auto play = [this](int all, std::initializer_list<int> elsewhere) {
    checked c(all, elsewhere);
    this->run([&c](auto& me) { c.on(me); });
    c.end();
  };
  for (const int all : {3, first_slab, first_slab + 1, first_slab + 2, two_slabs + 1, 200}) {
    play(all, {all - 1});
    play(all, {all / 2});
    play(all, {0, all / 2, all - 1});
    play(all, {all - 2, all - 1});
  }
  play(200, {first_slab - 1, first_slab, two_slabs - 1, two_slabs});
}

// Those below it run in a later round, which first asks whether any are left.
TYPED_TEST(array, c062_pthread_exit_inside_the_first_or_the_last_of_a_slab) {
  for (const int place : {0, first_slab - 1, first_slab, two_slabs - 1, two_slabs}) {
    this->run([place](auto& me) {
      for (int i = 0; i != two_slabs + 2; ++i) {
        if (i == place) {
          me.add_and([] { pthread_exit(nullptr); });
        } else {
          me.add();
        }
      }
    });
  }
}

// It is newer than the whole previous slab, where the drain would continue.
TYPED_TEST(array, c123_what_the_last_of_a_slab_registers_is_next) {
  if (is_direct<TypeParam>()) return;  // a direct back end has no array
  std::vector<int> order;
  basic_exit_node<TypeParam> late;
  struct noted {
    std::vector<int>& in;
    static void run(void* self) { static_cast<noted*>(self)->in.push_back(-1); }
  } note{order};
  os_thread([&] {
    for (int i = 0; i != two_slabs; ++i) {
      finalize<TypeParam>([&, i] {
        order.push_back(i);
        if (i == first_slab) {
          EXPECT_EQ(late.attach(&noted::run, &note), std::errc{});
        }
      });
    }
  }).join();
  std::vector<int> expected;
  for (int i = two_slabs; i != 0; --i) {
    expected.push_back(i - 1);
    if (i - 1 == first_slab) expected.push_back(-1);
  }
  EXPECT_EQ(order, expected);
}

// A finalizer calls exit(): the exit stage runs the rest of the thread's list, on top of the drain,
// which was in the first slab. One of those finalizers calls pthread_exit. The last rounds of the
// thread's exit run what is left, and main ends the process.
THREADREF_SCENARIO(c062_pthread_exit_inside_the_stage_of_a_finalizer_that_exits) {
  os_thread([&out] {
    for (int i = 0; i != two_slabs; ++i) {
      if (i == 4) {
        seen<B>(out, "left");
      } else if (i == 8) {
        finalize<B>([&out] {
          out.note("pthread_exit");
          pthread_exit(nullptr);
        });
      } else if (i == 20) {
        finalize<B>([&out] {
          out.note("exit");
          std::exit(1);
        });
      } else {
        finalize<B>([] {});
      }
    }
  }).join();
  return 0;
}
TYPED_TEST(array, c062_pthread_exit_inside_the_stage_of_a_finalizer_that_exits) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, (names{"exit@thread", "pthread_exit@thread", "left@thread"}));
  expect_accounted(end.stats, 0);
}

// The array gets a slab and returns it, many times. That must not make it accept more holes.
TYPED_TEST(array, c064_slabs_that_come_and_go_are_no_room_for_holes) {
  if (is_direct<TypeParam>()) return;  // each place is used once
  std::size_t slabs = 0;
  trim<TypeParam>();  // this thread begins without slabs
  os_thread([&slabs] {
    for (int round = 0; round != 200; ++round) {
      std::vector<plain_finalizer<TypeParam>> all;
      for (int i = 0; i != two_slabs; ++i) all.push_back(finalize<TypeParam>([] {}));
      cancel_elsewhere<TypeParam>(all);
    }
    cancel_the_oldest_of_ten<TypeParam>(20'000);
    slabs = slabs_of_this_thread<TypeParam>().size();
  }).join();
  EXPECT_LE(slabs, 4U) << "two of the array, and one or two for the chains";
}

// The number of registrations is computed from the end of the array. Another thread may ask while
// that end moves, from slab to slab and by one.
TYPED_TEST(array, c118_counting_while_the_array_grows_and_shrinks) {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> registered{0};
  const counters before = stats<TypeParam>();
  const auto live = [&] {
    std::vector<plain_finalizer<TypeParam>> all;
    const int life = busy_life<TypeParam>();
    for (int made = 0; made < life - first_slab - 5 && !stop; made += first_slab + 5) {
      for (int i = 0; i != first_slab + 5; ++i) {
        ++registered;
        all.push_back(finalize<TypeParam>([] {}));
      }
      while (!all.empty()) {
        EXPECT_TRUE(all.back().cancel());
        all.pop_back();
      }
    }
  };
  os_thread busy([&] {
    while (!stop) os_thread(live).join();
  });
  while (registered == 0) sched_yield();
  std::uint64_t last = 0;
  for (int i = 0; i != scaled(200'000, 2'000); ++i) {
    const std::uint64_t now = stats<TypeParam>().registered - before.registered;
    EXPECT_GE(now, last);
    EXPECT_LE(now, registered.load());
    last = now;
  }
  stop = true;
  busy.join();
  EXPECT_EQ(stats<TypeParam>().registered - before.registered, registered.load());
}

// However long it is in the middle of that: a signal stops it anywhere, and it continues only after
// its registrations have been counted. Neither thread holds a lock that the other needs. Both sleep
// meanwhile: a thread that yields beside busy processes waits for each of them.
sem_t is_stopped;
sem_t may_continue;
void stop_until_counted(int /*signal*/) {
  sem_post(&is_stopped);
  sem_wait(&may_continue);  // not interrupted: all signals are blocked in here
}
TYPED_TEST(array, c118_counting_what_a_thread_registers_that_stands_still) {
  if (is_direct<TypeParam>()) return;  // each place is used once
  struct sigaction holding = {};
  struct sigaction before = {};
  holding.sa_handler = stop_until_counted;
  sigfillset(&holding.sa_mask);
  ASSERT_EQ(sigaction(SIGUSR1, &holding, &before), 0);
  ASSERT_EQ(sem_init(&is_stopped, 0, 0), 0);
  ASSERT_EQ(sem_init(&may_continue, 0, 0), 0);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
  const std::uint64_t at_first = stats<TypeParam>().registered;
  os_thread busy([&] {
    while (!stop) {
      std::vector<plain_finalizer<TypeParam>> all;
      for (int i = 0; i != first_slab + 5; ++i) {
        ++begun;
        all.push_back(finalize<TypeParam>([] {}));
        ++done;
      }
      for (; !all.empty(); all.pop_back()) EXPECT_TRUE(all.back().cancel());
    }
  });
  for (int i = 1; i != scaled(200'000, 1'000); ++i) {
    pthread_kill(busy.native(), SIGUSR1);
    while (sem_wait(&is_stopped) != 0) continue;
    const std::uint64_t now = stats<TypeParam>().registered - at_first;
    const std::uint64_t least = done;
    const std::uint64_t most = begun;
    sem_post(&may_continue);
    EXPECT_GE(now, least);
    EXPECT_LE(now, most);
  }
  stop = true;
  busy.join();
  EXPECT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

// The thread may also vanish in the middle of that, in the child of a fork. At any moment one
// registration is pending.
THREADREF_SCENARIO(c089_while_another_thread_moves_the_end_of_its_array) {
  auto busy = std::make_unique<busy_thread<B>>();
  for (int i = 0; i != scaled(300, 30); ++i) {
    if (busy->is_done()) busy = std::make_unique<busy_thread<B>>();
    const pid_t child = checked_fork();
    if (child == 0) _exit(stats<B>().forgotten == 0 ? 1 : 0);
    if (wait_for_fork(child) != "status 0") out.note("a child failed");
  }
  busy.reset();
  out.note("all forked");
  return 0;
}
TYPED_TEST(array, c089_while_another_thread_moves_the_end_of_its_array) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"all forked@main"});
}

// Then another thread starts where the vanished one was, in its block.
THREADREF_SCENARIO(c089_while_another_thread_is_half_way_through_a_move) {
  gate half_way;
  gate over;
  os_thread busy([&] {
    finalize<B>([] {});
    detail::block& b = *B::list::own();
    const std::uint64_t base = b.word_base;  // what move_array_end() stores first
    b.word_meanwhile = b.word_at(b.array_end());
    b.word_base = base | detail::block::is_moving;
    half_way.open();
    over.wait();
    b.word_base = base;
  });
  half_way.wait();
  const pid_t child = checked_fork();
  if (child == 0) {
    int ran = 0;
    os_thread([&ran] {
      for (int i = 0; i != first_slab; ++i) finalize<B>([&ran] { ++ran; });
    }).join();
    _exit(ran == first_slab ? 0 : 1);
  }
  out.note(wait_for_fork(child).c_str());
  over.open();
  busy.join();
  return 0;
}
TYPED_TEST(array, c089_while_another_thread_is_half_way_through_a_move) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{"status 0@main"});
}

// Places that other threads emptied are counted separately from those that their own thread has got
// back. Both numbers grow large in a long life.
TYPED_TEST(array, c064_after_four_billion_that_others_took) {
  if (is_direct<TypeParam>()) return;  // each place is used once
  std::size_t slabs = 0;
  trim<TypeParam>();  // this thread begins without slabs
  os_thread([&slabs] {
    constexpr std::int64_t so_far = (std::int64_t{1} << 32) - 2;
    finalize<TypeParam>([] {});
    TypeParam::list::own()->holes = -so_far;
    TypeParam::list::own()->foreign_holes = so_far;
    std::vector<plain_finalizer<TypeParam>> all;
    for (int i = 0; i != 4; ++i) all.push_back(finalize<TypeParam>([] {}));
    cancel_elsewhere<TypeParam>(all);
    cancel_the_oldest_of_ten<TypeParam>(20'000);
    slabs = slabs_of_this_thread<TypeParam>().size();
  }).join();
  EXPECT_LE(slabs, 4U) << "two of the array, and one or two for the chains";
}

// Only the place itself shows its thread that the other thread is done with it.
TYPED_TEST(array, c113_a_place_is_used_again_after_what_another_thread_did_there) {
  const int rounds = scaled(20'000, 200);
  std::vector<plain_finalizer<TypeParam>> all(static_cast<std::size_t>(rounds));
  std::atomic<int> made{0};
  std::atomic<int> called{0};
  std::int64_t sum = 0;
  os_thread other([&] {
    for (int i = 0; i != rounds; ++i) {
      while (made.load(std::memory_order_acquire) == i) sched_yield();
      EXPECT_TRUE(all[static_cast<std::size_t>(i)]());
      called.store(i + 1, std::memory_order_relaxed);
    }
  });
  this->run([&](auto& me) {
    for (int i = 0; i != first_slab - 1; ++i) me.add();
    for (int i = 0; i != rounds; ++i) {
      all[static_cast<std::size_t>(i)] = finalize<TypeParam>([&sum, i] { sum += i; });
      made.store(i + 1, std::memory_order_release);
      while (called.load(std::memory_order_relaxed) == i) sched_yield();
    }
  });
  other.join();
  EXPECT_EQ(sum, std::int64_t{rounds} * (rounds - 1) / 2);
}

}  // namespace
}  // namespace threadref::conformance
