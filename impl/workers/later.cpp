// SPDX-License-Identifier: MIT
#include "workers/later.hpp"

#include <absl/cleanup/cleanup.h>

#include <atomic>
#include <stdexcept>
#include <utility>

#include "workers/this_worker.hpp"

namespace threadref::workers {

// Whoever clears `waiting_` owns the function: the loop in order to call it, or cancel().
class pending_call::state {
 public:
  explicit state(absl::AnyInvocable<void()> call) : call_(std::move(call)) {}

  [[nodiscard]] bool waiting() const noexcept { return waiting_.load(std::memory_order_acquire); }
  bool drop() {
    if (!waiting_.exchange(false, std::memory_order_acq_rel)) return false;
    call_ = nullptr;
    return true;
  }
  void run() {
    if (!waiting_.exchange(false, std::memory_order_acq_rel)) return;
    auto call = std::exchange(call_, nullptr);  // destroyed right after the call
    call();
  }

 private:
  std::atomic<bool> waiting_{true};
  absl::AnyInvocable<void()> call_;
};

pending_call::pending_call(std::shared_ptr<state> of) : of_(std::move(of)) {}

bool pending_call::pending() const noexcept {
  return of_->waiting();
}

bool pending_call::cancel() const {
  if (!of_->drop()) return false;
  if (timer_ != nullptr) timer_->stop();
  return true;
}

pending_call later(const worker_ptr& by, absl::AnyInvocable<void()> call, steady::duration delay) {
  if (call == nullptr) throw std::invalid_argument("threadref: can't call a null function");
  const auto of = std::make_shared<pending_call::state>(std::move(call));
  pending_call made(of);
  if (delay <= steady::duration::zero()) {
    if (!by->invoke([of] { of->run(); })) of->drop();
    return made;
  }
  made.timer_ = worker::make(
      // Weak: a pending call must not keep its worker alive.
      [of, weak = std::weak_ptr<worker>(by), delay] {
        bool handed_over = false;
        const absl::Cleanup drop = [&] {
          if (!handed_over) of->drop();
        };
        this_worker::wait_timeout(delay);
        const worker_ptr to = weak.lock();
        handed_over = to != nullptr && to->invoke([of] { of->run(); });
      },
      {.name = by->name() + "/later", .daemon = true, .parent = by});
  made.timer_->start();
  return made;
}

namespace this_worker {

pending_call later(absl::AnyInvocable<void()> call, steady::duration delay) {
  return workers::later(current_or_root(), std::move(call), delay);
}

}  // namespace this_worker
}  // namespace threadref::workers
