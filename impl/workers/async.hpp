// SPDX-License-Identifier: MIT
// async: runs a function on a new worker and gives its result to any thread that asks.
#pragma once

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

namespace threadref::workers {

// Starts a worker without a parent, as a daemon whose errors are not reported.
worker_ptr start_async(task what, std::string name);

// The outcome of the runner, or nothing on a timeout. During the wait the runner is a child of the
// current worker, or of the last one if several wait. If that worker is stopped while it waits, or
// the wait throws, the runner is stopped and has no result. Throws std::system_error
// (resource_deadlock_would_occur) on the runner itself.
std::optional<outcome> wait_async(const worker_ptr& runner, this_worker::timeout_t timeout);

// A handle. Its copies refer to the same call, on any thread. Dropping it stops nothing.
template <class R>
class async_call {
 public:
  // What get() returns: an optional, or for void whether the function has returned.
  using result = std::conditional_t<std::is_void_v<R>, bool, std::optional<R>>;

  explicit async_call(worker_ptr runner) : runner_(std::move(runner)) {}

  // Runs the loop of the current worker until the function has ended. That is before the finalizers
  // of its thread; to wait for those as well, join the runner first. Can be called repeatedly and
  // on any number of threads. Throws what the function threw, each time. Empty: it was stopped.
  result get() const { return got(wait_async(runner_, {})); }
  // The same with a timeout, after which the result is empty, too.
  result get_for(steady::duration at_most) const { return got(wait_async(runner_, at_most)); }

  [[nodiscard]] bool is_running() const { return runner_->is_running(); }
  void stop() const { runner_->stop(); }
  [[nodiscard]] const worker_ptr& runner() const noexcept { return runner_; }

 private:
  static result got(const std::optional<outcome>& what) {
    if (what && what->error != nullptr) std::rethrow_exception(what->error);
    if (!what || !what->result.has_value()) return result{};
    if constexpr (std::is_void_v<R>) {
      return true;
    } else {
      return std::any_cast<const R&>(what->result);
    }
  }

  worker_ptr runner_;
};

// Calls function(arguments...) on a new worker. Both are decay-copied, and each get() copies the
// result. Throws what starting a thread throws.
template <class F, class... A>
auto async(F&& function, A&&... arguments) {
  using returned = std::invoke_result_t<std::decay_t<F>&, std::decay_t<A>&...>;
  static_assert(std::is_void_v<returned> || std::is_object_v<returned>,
                "a reference could outlive its thread");
  // Wrapped in another std::any, so that a result differs from none even if it is a std::any
  // itself.
  task call = [function = std::decay_t<F>(std::forward<F>(function)),
               bound = std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...)](
                  const std::any& /*unused*/) mutable -> std::any {
    if constexpr (std::is_void_v<returned>) {
      std::apply(function, bound);
      return true;
    } else {
      return std::any(std::in_place_type<returned>, std::apply(function, bound));
    }
  };
  return async_call<returned>(start_async(std::move(call), "async"));
}

// async(...).get(): for a function that takes long or blocks, while this worker keeps handling
// events.
template <class F, class... A>
auto await(F&& function, A&&... arguments) {
  return async(std::forward<F>(function), std::forward<A>(arguments)...).get();
}

namespace this_worker {

template <class R>
auto wait(const async_call<R>& call) {
  return call.get();
}

}  // namespace this_worker
}  // namespace threadref::workers
