// SPDX-License-Identifier: MIT
// later: a function that a worker's own loop calls, at its next turn or after a delay.
#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>

#include "workers/worker.hpp"

namespace threadref::workers {

// A handle; its copies are the same call, on any thread. Dropping it cancels nothing.
class pending_call {
 public:
  // Neither begun, nor cancelled, nor dropped because its worker does not run.
  [[nodiscard]] bool pending() const noexcept;
  // True: it will never be called, and its function has been destroyed. It may be cancelled until
  // the moment at which the loop calls it, also after its delay. False: it was not pending.
  bool cancel() const;
  // The daemon whose stop() cancels it too; null if there is no delay.
  [[nodiscard]] const worker_ptr& timer() const noexcept { return timer_; }

 private:
  friend pending_call later(const worker_ptr& by, absl::AnyInvocable<void()> call,
                            steady::duration delay);
  class state;
  explicit pending_call(std::shared_ptr<state> of);
  std::shared_ptr<state> of_;
  worker_ptr timer_;
};

// Has it called in the loop of that worker. What it throws is reported, and ends nothing. With a
// delay there is a thread that waits, a daemon and child of `by`. A worker that does not run when
// its turn has come drops it. Throws std::invalid_argument for a null function, and what starting a
// thread throws.
pending_call later(const worker_ptr& by, absl::AnyInvocable<void()> call,
                   steady::duration delay = {});

namespace this_worker {

// In the loop of the current worker.
pending_call later(absl::AnyInvocable<void()> call, steady::duration delay = {});

}  // namespace this_worker

}  // namespace threadref::workers
