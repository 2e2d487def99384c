// SPDX-License-Identifier: MIT
// A model of fork(). Relacy plays interleavings of the parent's threads. Between any two steps of
// these, the memory is copied, and the copy is settled as the library does it in the child. The
// model must hold; with one step left out or misplaced it must not.
//
// usage: fork_settling
#include <array>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <relacy/relacy.hpp>
#include <utility>

namespace {

enum class mutant {
  none,
  counts_without_saying_so,
  says_the_node_last,
  claims_without_asking,
  returns_before_it_is_gone,
  in_use_after_the_pop,
  push_without_a_link,
  not_in_use_before_the_push,
  does_not_ask_the_list,
  keeps_running,
  keeps_inspected,
  keeps_the_lock,
};
constexpr const char* names[] = {
    "the model",
    "a claim is counted, but not announced",
    "a node is announced after its counter",
    "a claim that can't succeed is announced",
    "a node is on the return list before it is gone",
    "a block is marked as in use after it is off the free list",
    "a block is on the free list before its link is set",
    "a block is marked as free before it is on the free list",
    "a block that is on the free list already is put there again",
    "what a vanished thread ran stays running",
    "what a vanished thread looked at stays inspected",
    "a lock that a vanished thread held stays held",
};
static_assert(std::size(names) == static_cast<std::size_t>(mutant::keeps_the_lock) + 1);
mutant playing = mutant::none;
bool plays(mutant m) {
  return playing == m;
}

// A variable, and what a copy of the memory has of it. Relacy changes threads before a store, never
// after it, so both change in one step.
class cell {
 public:
  void init(int v) {
    now_($).store(v, rl::mo_relaxed);
    copied_ = v;
  }
  int load() { return now_($).load(rl::mo_acquire); }
  void store(int v) {
    now_($).store(v, rl::mo_release);
    copied_ = v;
  }
  bool swap(int from, int to) {
    const bool done = now_($).compare_exchange_strong(from, to, rl::mo_acq_rel, rl::mo_relaxed);
    if (done) copied_ = to;
    return done;
  }
  [[nodiscard]] int in_copy() const { return copied_; }

 private:
  rl::atomic<int> now_;
  int copied_ = 0;
};
template <std::size_t N>
std::array<int, N> copy_of(const std::array<cell, N>& all) {
  std::array<int, N> copies{};
  for (std::size_t i = 0; i != N; ++i) copies[i] = all[i].in_copy();
  return copies;
}
template <std::size_t N>
void init_all(std::array<cell, N>& all, int v) {
  for (cell& c : all) c.init(v);
}

constexpr std::size_t none = 9;  // no node, no block

struct lock_cell {
  cell word;
  void lock() {
    while (!word.swap(0, 1)) rl::yield(1, $);
  }
  void unlock() { word.store(0); }
  [[nodiscard]] bool was_left_held() const { return word.in_copy() != 0; }
  [[nodiscard]] bool can_be_taken_in_copy() const {
    return !was_left_held() || !plays(mutant::keeps_the_lock);
  }
};

// --- Other threads claim what the survivor has registered: block.hpp, exit_list.hpp.

constexpr std::size_t nodes = 2;
constexpr std::size_t counters = 2;
enum counter : std::size_t { called, detached };
enum state { gone, armed, running, elsewhere, inspected };

struct block_in_copy {
  std::array<int, nodes> word;
  std::array<int, nodes> next;
  std::array<int, nodes> ran;
  std::array<int, counters> foreign;
  std::size_t returned;
  std::size_t claimed;
  std::size_t claims;
  int claims_then;

  void settle(bool was_left_held) {
    if (was_left_held && claimed != none && word[claimed] == elsewhere)
      foreign[claims] = claims_then;
    for (std::size_t n = 0; n != nodes; ++n) {
      if (word[n] == inspected && !plays(mutant::keeps_inspected)) word[n] = armed;
      if (word[n] == elsewhere && !plays(mutant::keeps_running)) {
        word[n] = gone;
        next[n] = static_cast<int>(std::exchange(returned, n));
      }
    }
  }
  // `own`: how many the survivor has claimed itself.
  void must_be_sound(int own) const {
    int pending = 0;
    for (std::size_t n = 0; n != nodes; ++n) {
      RL_ASSERT(word[n] == armed || word[n] == gone);
      if (word[n] == armed) ++pending;
      RL_ASSERT(ran[n] + (word[n] == armed ? 1 : 0) <= 1);  // the survivor runs what is armed
    }
    RL_ASSERT(static_cast<int>(nodes) == own + foreign[called] + foreign[detached] + pending);
    std::size_t length = 0;
    for (std::size_t n = returned; n != none; n = static_cast<std::size_t>(next[n])) {
      RL_ASSERT(word[n] == gone);
      RL_ASSERT(++length <= nodes);
    }
  }
};

struct others_claim : rl::test_suite<others_claim, 3> {
  lock_cell m;
  std::array<cell, nodes> word, next, ran;
  std::array<cell, counters> foreign;
  cell returned, claimed, claims, claims_then;
  int own = 0;
  bool may_fork = false;  // the survivor is not in the middle of anything

  void before() {
    m.word.init(0);
    init_all(word, armed);
    init_all(next, none);
    init_all(ran, 0);
    init_all(foreign, 0);
    for (cell* c : {&returned, &claimed}) c->init(none);
    for (cell* c : {&claims, &claims_then}) c->init(0);
    may_fork = true;
  }
  void thread(unsigned index) {
    if (index == 1) {
      call(0);
      detach(1);
    } else if (index == 2) {
      call(1);
      call(0);
    } else {
      may_fork = false;
      if (word[0].swap(armed, running)) {
        own = 1;
        word[0].store(gone);
      }
      may_fork = true;
    }
  }
  void invariant() {
    if (!may_fork) return;
    RL_ASSERT(m.can_be_taken_in_copy());
    block_in_copy child{copy_of(word),
                        copy_of(next),
                        copy_of(ran),
                        copy_of(foreign),
                        static_cast<std::size_t>(returned.in_copy()),
                        static_cast<std::size_t>(claimed.in_copy()),
                        static_cast<std::size_t>(claims.in_copy()),
                        claims_then.in_copy()};
    child.settle(m.was_left_held());
    child.must_be_sound(own);
  }

  void call(std::size_t n) {
    m.lock();
    if (word[n].load() != armed && !plays(mutant::claims_without_asking)) return m.unlock();
    announce(n, called);
    if (!word[n].swap(armed, elsewhere)) return m.unlock();
    count(called);
    m.unlock();
    ran[n].store(ran[n].load() + 1);
    m.lock();
    give_back(n);
    m.unlock();
  }
  // As detach_all() does it.
  void detach(std::size_t n) {
    m.lock();
    if (word[n].swap(armed, inspected)) {
      announce(n, detached);
      word[n].store(elsewhere);
      count(detached);
      give_back(n);
    }
    m.unlock();
  }
  void announce(std::size_t n, counter c) {
    if (plays(mutant::counts_without_saying_so)) return;
    const bool too_late = plays(mutant::says_the_node_last);
    if (!too_late) claimed.store(static_cast<int>(n));
    claims.store(static_cast<int>(c));
    claims_then.store(foreign[c].load() + 1);
    if (too_late) claimed.store(static_cast<int>(n));
  }
  void count(counter c) { foreign[c].store(foreign[c].load() + 1); }
  void give_back(std::size_t n) {
    const bool too_early = plays(mutant::returns_before_it_is_gone);
    if (!too_early) word[n].store(gone);
    next[n].store(returned.load());
    returned.store(static_cast<int>(n));
    if (too_early) word[n].store(gone);
  }
};

// --- Other threads' lives begin and end: domain.cpp.

constexpr std::size_t blocks = 2;

struct others_begin_and_end : rl::test_suite<others_begin_and_end, 2> {
  lock_cell m;  // of the free list
  cell free;
  std::array<cell, blocks> next, in_use, serial;

  void before() {
    m.word.init(0);
    free.init(0);
    next[0].init(1);
    next[1].init(none);
    init_all(in_use, 0);
    init_all(serial, 0);
  }
  void thread(unsigned index) {
    const std::size_t b = acquire();
    serial[b].store(static_cast<int>(index) + 1);
    serial[b].store(0);
    recycle(b);
  }
  std::size_t acquire() {
    m.lock();
    const auto b = static_cast<std::size_t>(free.load());
    const bool too_late = plays(mutant::in_use_after_the_pop);
    if (!too_late) in_use[b].store(1);
    free.store(next[b].load());
    if (too_late) in_use[b].store(1);
    m.unlock();
    return b;
  }
  void recycle(std::size_t b) {
    m.lock();
    const int before = free.load();
    const bool too_early = plays(mutant::push_without_a_link);
    if (plays(mutant::not_in_use_before_the_push)) in_use[b].store(0);
    if (too_early) free.store(static_cast<int>(b));
    next[b].store(before);
    if (!too_early) free.store(static_cast<int>(b));
    in_use[b].store(0);
    m.unlock();
  }
  // Each block is free then, once.
  void invariant() {
    RL_ASSERT(m.can_be_taken_in_copy());
    std::array<int, blocks> links = copy_of(next);
    const auto was_head = static_cast<std::size_t>(free.in_copy());
    std::size_t head = was_head;
    for (std::size_t b = 0; b != blocks; ++b) {
      const bool is_next_free =
          serial[b].in_copy() == 0 && b == was_head && !plays(mutant::does_not_ask_the_list);
      if (in_use[b].in_copy() != 0 && !is_next_free)
        links[b] = static_cast<int>(std::exchange(head, b));
    }
    std::array<int, blocks> found{};
    std::size_t length = 0;
    for (; head != none; head = static_cast<std::size_t>(links[head])) {
      RL_ASSERT(++length <= blocks);
      ++found[head];
    }
    for (std::size_t b = 0; b != blocks; ++b) RL_ASSERT(found[b] == 1);
  }
};

template <class Test>
bool holds() {
  // A string stream would mix its library's `delete` with Relacy's.
  std::ostream nowhere(nullptr);
  std::ostream& report = playing == mutant::none ? std::cout : nowhere;
  rl::test_params params;
  params.search_type = rl::fair_context_bound_scheduler_type;
  params.context_bound = 3;
  params.output_stream = &report;
  params.progress_stream = &nowhere;
  const bool sound = rl::simulate<Test>(params);
  std::printf("  %-45s %s after %llu interleavings\n", params.test_name.c_str(),
              sound ? "holds" : "fails", static_cast<unsigned long long>(params.stop_iteration));
  return sound;
}

}  // namespace

int main() {
  int wrong = 0;
  for (std::size_t i = 0; i != std::size(names); ++i) {
    playing = static_cast<mutant>(i);
    std::printf("%s\n", names[i]);
    const bool sound = holds<others_claim>() & holds<others_begin_and_end>();
    if (sound != (playing == mutant::none)) ++wrong;
  }
  std::printf("%d of %zu are not as they must be\n", wrong, std::size(names));
  return wrong == 0 ? 0 : 2;
}
