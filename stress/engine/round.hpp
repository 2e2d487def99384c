// SPDX-License-Identifier: MIT
// One round of one cell: its sizes, its seed and its counters; and the threads that it starts.
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

// The sums over the rounds of a cell.
struct cell_figures {
  tally seen;
  std::uint64_t rounds = 0;
  std::uint64_t threads_churned = 0;
  std::uint64_t threads_alive_max = 0;
  std::uint64_t finalizers_run = 0;
  bool killed_from_outside = false;  // somebody killed a child of ours: the outcome is unknown
  std::vector<std::string> notes;
  void note(const std::string& message);
};

struct round {
  std::string cell;                // the name of the cell
  std::vector<std::string> child;  // the command line that makes a child play this cell
  std::uint64_t seed = 0;          // of this round
  int threads = 0;                 // alive at once
  int finalizers = 0;              // per thread, at most
  double end_seconds = 0;  // of steady_clock: later no more threads need to start; 0: no limit
  cell_figures& figures;

  // Is the cell's time over?
  [[nodiscard]] bool is_late() const noexcept;
  // Was the program asked to stop? Then a round may start fewer threads.
  static bool stopping() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(threads); }
  void thread_began() noexcept;
  void thread_ended() noexcept;
  // The machine allows no more threads. The round goes on with fewer, and the report says so.
  void short_of_threads(std::size_t have);

  std::uint64_t alive = 0;
};

enum class joining { joinable, detached };

// Starts a thread with a small stack. Returns 0, or EAGAIN if the machine allows no more threads
// just now. Any other error ends the program.
using thread_body = void* (*)(void*);
int start_thread(pthread_t& made, thread_body run, void* with, joining = joining::joinable);
std::size_t stack_bytes() noexcept;
// std::thread and the like get such stacks too.
void use_small_stacks();

// The threads of a round. They are started one by one, register what the scenario's body asks for,
// report that they are ready, wait for their turn and end.
class thread_group {
 public:
  struct member {
    thread_group* in = nullptr;
    record* r = nullptr;
    void* shared = nullptr;  // the body's own
    std::size_t index = 0;
    pthread_t id{};
    testing::gate turn;
    // On the thread: takes its random choices and its number.
    void enter() const noexcept;
    // Everything is registered; waits for the turn.
    void ready_and_wait() const noexcept;
    void ready() const noexcept {
      in->ready_.fetch_add(1, std::memory_order_release);
      in->ready_.notify_one();
    }
  };

  // `ledger` must have room for `size` threads; thread i gets record i.
  thread_group(round& r, finalizer_ledger& ledger, std::size_t size, thread_body run, void* shared);
  thread_group(const thread_group&) = delete;
  thread_group& operator=(const thread_group&) = delete;

  member& at(std::size_t i) noexcept { return members_[i]; }
  // The next one. False: the machine allows no more threads.
  bool start_next(joining = joining::joinable);
  // The same for a thread that `make` starts in its own way.
  bool start_as(const std::function<void(member&)>& make);
  // All of them, or as many as there can be.
  void start_all();
  [[nodiscard]] std::size_t started() const noexcept { return started_; }
  // Until all threads that were started are ready.
  void wait_until_ready() const noexcept;
  void release_all() noexcept;
  void join(std::size_t i);
  // For a caller that joined it in another way.
  void count_joined(std::size_t i);
  void join_all();
  // All of them, at most `alive` at a time: the oldest end as new ones start.
  void churn(std::size_t alive);

 private:
  round& round_;
  finalizer_ledger& ledger_;
  thread_body run_;
  std::vector<member> members_;
  std::size_t started_ = 0;
  std::size_t joined_ = 0;
  std::atomic<int> ready_{0};  // an int, so that waiting is one futex call
};

}  // namespace threadref::stress
