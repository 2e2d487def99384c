// SPDX-License-Identifier: MIT
// One round of one cell: its sizes, its seed, where to count; and the threads that it makes.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stress/accounting/ledger.hpp"
#include "stress/accounting/tally.hpp"
#include "testing/gate.hpp"

namespace threadref::stress {

// What the rounds of a cell add up to.
struct cell_figures {
  tally seen;
  std::uint64_t rounds = 0;
  std::uint64_t threads_churned = 0;
  std::uint64_t threads_alive_max = 0;
  std::uint64_t finalizers_run = 0;
  bool killed_from_outside = false;  // a child of ours: then nothing is known
  std::vector<std::string> notes;
  void note(const std::string& sentence);
};

struct round {
  std::string cell;                // its name
  std::vector<std::string> child;  // the command line that makes a child play this cell
  std::uint64_t seed = 0;          // of this round
  int threads = 0;                 // alive at once
  int finalizers = 0;              // per thread, at most
  double end_seconds = 0;  // of steady_clock: from then on no thread needs to come; 0: all do
  cell_figures& figures;

  // Is the cell's time over?
  [[nodiscard]] bool is_late() const noexcept;
  // Has somebody asked the program to end? Then a round may stop short of its threads.
  static bool stopping() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(threads); }
  void thread_began() noexcept;
  void thread_ended() noexcept;
  // The machine gives no more threads: the round goes on with fewer, and the report says so.
  void short_of_threads(std::size_t have);

  std::uint64_t alive = 0;
};

// Starts a thread with a small stack. 0, or EAGAIN: the machine gives no more just now. Any other
// error ends the program.
using thread_body = void* (*)(void*);
int start_thread(pthread_t& made, thread_body run, void* with, bool detached = false);
std::size_t stack_bytes() noexcept;
// std::thread and its like get such stacks too.
void use_small_stacks();

// The threads of a round, each with a place of its own: started one by one, they register what the
// body of the scenario wants, say so, wait for their turn and end.
class squad {
 public:
  struct place {
    squad* in = nullptr;
    record* r = nullptr;
    void* shared = nullptr;  // the body's own
    std::size_t index = 0;
    pthread_t id{};
    testing::gate turn;
    // On the thread: its choices and its number.
    void enter() const noexcept;
    // Everything is registered; now wait for the turn.
    void ready_and_wait() const noexcept;
    void ready() const noexcept {
      in->ready_.fetch_add(1, std::memory_order_release);
      in->ready_.notify_one();
    }
  };

  // `book` must have room for `size` threads; thread i gets record i.
  squad(round& of, ledger& book, std::size_t size, thread_body run, void* shared);
  squad(const squad&) = delete;
  squad& operator=(const squad&) = delete;

  place& at(std::size_t i) noexcept { return places_[i]; }
  // The next one; false: the machine gives no more.
  bool start_next(bool detached = false);
  // The same for a thread that `make` starts by other means than ours.
  bool start_as(const std::function<void(place&)>& make);
  // All of them, or as many as there can be.
  void start_all();
  [[nodiscard]] std::size_t started() const noexcept { return started_; }
  // Until all that were started are ready.
  void wait_until_ready() const noexcept;
  void release_all() noexcept;
  void join(std::size_t i);
  // For who joined it by other means.
  void count_joined(std::size_t i);
  void join_all();
  // A window of at most `alive` threads moves over all of them.
  void churn(std::size_t alive);

 private:
  round& round_;
  ledger& book_;
  thread_body run_;
  std::vector<place> places_;
  std::size_t started_ = 0;
  std::size_t joined_ = 0;
  std::atomic<int> ready_{0};  // what a futex is
};

}  // namespace threadref::stress
