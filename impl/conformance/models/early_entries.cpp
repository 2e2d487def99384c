// SPDX-License-Identifier: MIT
// A model of the phase early: a thread registers an early finalizer, and one of the phase
// very_last, which may get the first one's place in memory. Another thread cancels the early one,
// and the thread exits: first the turn of the entry with the C library comes, then the passes.
// Relacy plays the interleavings. The model must hold; with one step left out it must not.
//
// usage: early_entries
// exit status: 0 fine · 2 the model fails, or holds without a step
#include <array>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <relacy/relacy.hpp>

namespace {

enum class mutant {
  none,
  slot_is_reused,
  flag_goes_with_the_node,
  turn_before_the_flip,
  claim_without_asking,
};
constexpr const char* names[] = {
    "the model",
    "a node to which an entry points is used again",
    "a node that is gone does not say any more that an entry points to it",
    "an entry's turn does not refuse the claims of others first",
    "another thread claims although the drain has begun",
};
static_assert(std::size(names) == static_cast<std::size_t>(mutant::claim_without_asking) + 1);
mutant playing = mutant::none;
bool plays(mutant m) {
  return playing == m;
}

// The word of a node: state, flag and generation, as in exit_link.hpp.
enum : unsigned { gone, armed, running, state_bits = 3, has_entry = 4, one_generation = 8 };
enum registration : int { early, very_last, registrations };

struct lock_cell {
  rl::atomic<int> held;
  void lock() {
    int expected = 0;
    while (!held($).compare_exchange_strong(expected, 1, rl::mo_acquire, rl::mo_relaxed)) {
      expected = 0;
      rl::yield(1, $);
    }
  }
  void unlock() { held($).store(0, rl::mo_release); }
};

struct list_node {
  rl::atomic<unsigned> word;
  rl::var<int> closure;    // which registration it holds
  rl::var<bool> in_chain;  // used only by the referent
  rl::var<bool> returned;  // under m: another thread is done with it
};

struct early_against_cancel : rl::test_suite<early_against_cancel, 2> {
  std::array<list_node, 2> nodes;
  std::array<rl::atomic<int>, registrations> ran;
  std::array<rl::atomic<int>, registrations> cancelled;
  lock_cell m;
  rl::var<bool> draining;  // under m
  rl::atomic<bool> has_returned;
  rl::var<bool> in_turn;  // used only by the referent
  rl::atomic<bool> published;

  void before() {
    for (list_node& n : nodes) {
      n.word($).store(gone, rl::mo_relaxed);
      VAR(n.in_chain) = false;
      VAR(n.returned) = false;
    }
    for (auto* counters : {&ran, &cancelled})
      for (rl::atomic<int>& c : *counters) c($).store(0, rl::mo_relaxed);
    m.held($).store(0, rl::mo_relaxed);
    VAR(draining) = false;
    VAR(in_turn) = false;
    has_returned($).store(false, rl::mo_relaxed);
    published($).store(false, rl::mo_relaxed);
  }
  void thread(unsigned which) { which == 0 ? referent() : canceller(); }
  void after() {
    for (int r : {early, very_last})
      RL_ASSERT(ran[r]($).load(rl::mo_relaxed) + cancelled[r]($).load(rl::mo_relaxed) == 1);
    RL_ASSERT(cancelled[very_last]($).load(rl::mo_relaxed) == 0);
  }

  void publish(list_node& n, int what, unsigned generation, unsigned flag) {
    VAR(n.closure) = what;
    VAR(n.in_chain) = true;
    n.word($).store(generation * one_generation + flag + armed, rl::mo_release);
  }
  void retire(list_node& n, unsigned w) {
    const unsigned flag = plays(mutant::flag_goes_with_the_node) ? 0 : w & has_entry;
    n.word($).store(w / one_generation * one_generation + flag + gone, rl::mo_release);
  }
  // block::take_linked() and collect_returned(): the first node if it may be used again.
  list_node& take_linked() {
    if (!has_returned($).load(rl::mo_acquire)) return nodes[1];
    m.lock();
    has_returned($).store(false, rl::mo_relaxed);
    VAR(nodes[0].returned) = false;
    m.unlock();
    VAR(nodes[0].in_chain) = false;
    const bool entry = (nodes[0].word($).load(rl::mo_relaxed) & has_entry) != 0;
    return entry && !plays(mutant::slot_is_reused) ? nodes[1] : nodes[0];
  }
  void begin_drain() {
    m.lock();
    VAR(draining) = true;
    m.unlock();
  }
  // drain::run_one(), with hybrid_claim::at_exit().
  void run_one(list_node& n) {
    VAR(n.in_chain) = false;
    const unsigned w = n.word($).load(rl::mo_relaxed);
    if ((w & armed) == 0) return;
    n.word($).store(w - armed + running, rl::mo_relaxed);
    const int what = VAR(n.closure);
    RL_ASSERT(what == early || !VAR(in_turn));
    ran[what]($).fetch_add(1, rl::mo_relaxed);
    retire(n, w);
  }
  // exit_list::exit_early().
  void turn(list_node& n) {
    if (!VAR(n.in_chain)) return;
    VAR(in_turn) = true;
    if (!plays(mutant::turn_before_the_flip)) begin_drain();
    run_one(n);
    VAR(in_turn) = false;
  }
  void referent() {
    publish(nodes[0], early, 1, has_entry);
    published($).store(true, rl::mo_release);
    list_node& second = take_linked();
    publish(second, very_last, 2, 0);
    // It may cancel the early one itself.
    if (rl::rand(2) == 1 && own_claim(nodes[0], 1)) {
      cancelled[early]($).fetch_add(1, rl::mo_relaxed);
      retire(nodes[0], one_generation + has_entry);
    }
    turn(nodes[0]);
    begin_drain();
    for (list_node& n : nodes)
      if (VAR(n.in_chain)) run_one(n);
  }
  bool own_claim(list_node& n, unsigned generation) {
    unsigned w = n.word($).load(rl::mo_relaxed);
    if (w / one_generation != generation || (w & state_bits) != armed) return false;
    if (!n.word($).compare_exchange_strong(w, w - armed + running, rl::mo_acq_rel, rl::mo_relaxed))
      return false;
    VAR(n.in_chain) = false;
    return true;
  }
  // exit_list::cancel() on another thread.
  void canceller() {
    if (!published($).load(rl::mo_acquire)) return;
    list_node& n = nodes[0];
    m.lock();
    unsigned w = n.word($).load(rl::mo_acquire);
    const bool may = !VAR(draining) || plays(mutant::claim_without_asking);
    const bool won =
        may && w / one_generation == 1 && (w & state_bits) == armed &&
        n.word($).compare_exchange_strong(w, w - armed + running, rl::mo_acq_rel, rl::mo_relaxed);
    m.unlock();
    if (!won) return;
    RL_ASSERT(VAR(n.closure) == early);
    cancelled[early]($).fetch_add(1, rl::mo_relaxed);
    m.lock();
    retire(n, w);
    VAR(n.returned) = true;
    has_returned($).store(true, rl::mo_release);
    m.unlock();
  }
};

bool holds() {
  std::ostream nowhere(nullptr);
  rl::test_params params;
  params.search_type = rl::fair_context_bound_scheduler_type;
  params.context_bound = 4;
  params.progress_stream = &nowhere;
  params.output_stream = playing == mutant::none ? &std::cerr : &nowhere;
  const bool sound = rl::simulate<early_against_cancel>(params);
  std::printf("  %s after %llu interleavings\n", sound ? "holds" : "fails",
              static_cast<unsigned long long>(params.stop_iteration));
  return sound;
}

}  // namespace

int main() {
  int wrong = 0;
  for (std::size_t i = 0; i != std::size(names); ++i) {
    playing = static_cast<mutant>(i);
    std::printf("%s\n", names[i]);
    if (holds() != (playing == mutant::none)) ++wrong;
  }
  std::printf("%d of %zu are not as they must be\n", wrong, std::size(names));
  return wrong == 0 ? 0 : 2;
}
