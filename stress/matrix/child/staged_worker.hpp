// SPDX-License-Identifier: MIT
// A worker that plays in a scene: which of the scene's threads it is, when it took which step of
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

// Between which stamps the callbacks of a thread ran; 0 and 0: none did.
struct ran_between {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};
ran_between callbacks_of(event_context& ctx, std::uint32_t thread);

// What happened at that stamp must lie before all callbacks of the thread. What never ran is judged
// elsewhere.
void must_precede_callbacks(event_context& ctx, std::uint32_t stamp, std::uint32_t thread);
// All callbacks of the one thread must have run before the first of the other's.
void must_precede(event_context& ctx, std::uint32_t thread, std::uint32_t other);
// What workers promise, whatever the mechanism.
void expect(event_context& ctx, bool kept, std::string_view otherwise);

template <class F>
void wait_until(F holds) {
  while (!holds()) sched_yield();
}

// What a callback does so that whoever else runs on its thread can tell that it ends already.
void say_it_ends(event_context& ctx);
bool this_thread_ends() noexcept;

// What a callback does so that whoever does not wait for it comes too soon.
void take_its_time(event_context& ctx);

class staged_worker {
 public:
  // Not started. Without a body it waits until it is stopped.
  explicit staged_worker(event_context& ctx, std::function<void()> body = nullptr,
                         workers::worker_options how = {});
  // Stops and joins it.
  ~staged_worker();
  staged_worker(const staged_worker&) = delete;
  staged_worker& operator=(const staged_worker&) = delete;

  workers::worker& operator*() const noexcept { return *it_; }
  workers::worker* operator->() const noexcept { return it_.get(); }
  [[nodiscard]] const workers::worker_ptr& it() const noexcept { return it_; }

  // Waits for its end, and notes it.
  void join();
  // Of its last thread, once that runs its body.
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
