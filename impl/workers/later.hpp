// SPDX-License-Identifier: MIT
// later: a worker's own loop calls a function, in its next iteration or after a delay.
#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>

#include "workers/worker.hpp"

namespace threadref::workers {

// A handle. Its copies refer to the same call, on any thread. Dropping it cancels nothing.
class pending_call {
 public:
  // The call has not begun, and was neither cancelled nor dropped because its worker does not run.
  [[nodiscard]] bool pending() const noexcept;
  // True: the function will never be called, and has been destroyed. This is possible until the
  // loop calls it, even after the delay. False: it was not pending.
  bool cancel() const;
  // The daemon that waits for the delay; its stop() cancels the call, too. Null without a delay.
  [[nodiscard]] const worker_ptr& timer() const noexcept { return timer_; }

 private:
  friend pending_call later(const worker_ptr& by, absl::AnyInvocable<void()> call,
                            steady::duration delay);
  class state;
  explicit pending_call(std::shared_ptr<state> of);
  std::shared_ptr<state> of_;
  worker_ptr timer_;
};

// The loop of the worker `by` calls the function. What it throws is reported and ends nothing. A
// delay needs a thread that waits: a daemon and child of `by`. If the worker does not run when the
// call is due, it is dropped. Throws std::invalid_argument for a null function, and what starting a
// thread throws.
pending_call later(const worker_ptr& by, absl::AnyInvocable<void()> call,
                   steady::duration delay = {});

namespace this_worker {

// In the loop of the current worker.
pending_call later(absl::AnyInvocable<void()> call, steady::duration delay = {});

}  // namespace this_worker

}  // namespace threadref::workers
