// SPDX-License-Identifier: MIT
// The event loop: takes an event, calls its listeners, and checks whether a wait is over.
// Everything runs on the worker's own thread.
#pragma once

#include <absl/functional/function_ref.h>

#include <memory>
#include <optional>

#include "workers/worker.hpp"

namespace threadref::workers {

struct loop {
  using condition = absl::FunctionRef<bool(const event&)>;

  static std::optional<event> wait(worker& of, condition until,
                                   std::optional<steady::duration> timeout);
  static void update(worker& of);
  static void exit(worker& of);
  static std::shared_ptr<incarnation> last_life(const worker& of) { return of.last(); }
  // To be called once the queue is closed. Events left in it can't stop or pause the worker any
  // more.
  static void drain(worker& of);

 private:
  static std::optional<event> take(worker& of, condition until,
                                   std::optional<steady::time_point> deadline);
  template <class F>
  static void unless_root(worker& of, F&& run);
  static void handle(worker& of, const event& e);
  static void dispatch(worker& of, const event& e);
  static void stay_paused(worker& of);
};

}  // namespace threadref::workers
