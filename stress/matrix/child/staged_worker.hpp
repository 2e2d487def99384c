// SPDX-License-Identifier: MIT
// A worker in an event. It records which of the event's threads it is, when it took which step of
// its end, and when its callbacks ran.
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "stress/matrix/child/event_context.hpp"
#include "workers/worker.hpp"

namespace threadref::stress {

// The stamps of the first and the last callback of a thread; 0 and 0: none ran.
struct callback_span {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};
callback_span callbacks_of(event_context& ctx, std::uint32_t thread);

// What happened at that stamp must come before all callbacks of the thread. Callbacks that never
// ran are graded elsewhere.
void must_precede_callbacks(event_context& ctx, std::uint32_t stamp, std::uint32_t thread);
// All callbacks of `thread` must have run before the first of the other's.
void must_precede(event_context& ctx, std::uint32_t thread, std::uint32_t other);
// What workers guarantee, whatever the mechanism. Records a violation if it does not hold.
void expect(event_context& ctx, bool holds, std::string_view violation);

template <class F>
void wait_until(F holds) {
  while (!holds()) sched_yield();
}

// A callback that marks its thread as ending, for other code that runs on that thread.
void mark_ending(event_context& ctx);
bool is_ending() noexcept;

// A slow callback: code that does not wait for it comes too soon.
void run_slowly(event_context& ctx);

class staged_worker {
 public:
  // Does not start it. Without a body it waits until it is stopped.
  explicit staged_worker(event_context& ctx, std::function<void()> body = nullptr,
                         workers::worker_options how = {});
  // Stops and joins it.
  ~staged_worker();
  staged_worker(const staged_worker&) = delete;
  staged_worker& operator=(const staged_worker&) = delete;

  workers::worker& operator*() const noexcept { return *it_; }
  workers::worker* operator->() const noexcept { return it_.get(); }
  [[nodiscard]] const workers::worker_ptr& it() const noexcept { return it_; }

  // Waits for its end, and records it.
  void join();
  // The number of its last thread, once that runs its body.
  [[nodiscard]] std::uint32_t thread() const noexcept { return thread_.load(); }
  [[nodiscard]] std::uint32_t stamp_of(workers::exit_step step) const noexcept {
    return steps_[static_cast<std::size_t>(step)].load();
  }

 private:
  static constexpr std::size_t steps = static_cast<std::size_t>(workers::exit_step::left) + 1;
  event_context& ctx_;
  std::atomic<std::uint32_t> thread_{0};
  std::array<std::atomic<std::uint32_t>, steps> steps_{};
  workers::worker_ptr it_;
};

}  // namespace threadref::stress
