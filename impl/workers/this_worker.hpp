// SPDX-License-Identifier: MIT
// Functions for the code of a worker: they use the worker of the calling thread.
#pragma once

#include <absl/functional/function_ref.h>

#include <any>
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "workers/worker.hpp"

// Every wait takes events and calls their listeners. It throws worker_exit when it takes a stop,
// and at once if the worker's queue is already closed (in the drain). `timeout` absent: no limit;
// 0: returns at once without looking at the queue (as the original does; update() looks).
//
// On a thread without a worker they create one, a *root*. A finalizer of the thread destroys it and
// stops its children. A root's waits don't throw worker_exit: they end its children and return
// nothing.
namespace threadref::workers::this_worker {

using timeout_t = std::optional<steady::duration>;

// The innermost worker on this thread. On the main thread, and on a thread that has waited before,
// it may be a root. Throws std::logic_error on any other thread without a worker.
worker_ptr current();
// The same, or null. Never creates a root.
worker_ptr try_current() noexcept;
// The same; creates a root if there is no worker.
worker_ptr current_or_root();
[[nodiscard]] bool is_main() noexcept;

// Throws worker_exit. On a root outside any wait there is nothing to leave: it stops and joins the
// root's children and returns.
void exit();

// Handles all events in the queue, and returns. The worker can be stopped or paused here.
void update();
// Waits until the time is over.
void wait_timeout(steady::duration timeout);
inline void sleep(steady::duration timeout) {
  wait_timeout(timeout);
}
// Waits until the worker is stopped. (On a root it then returns.)
void wait_forever();
// Waits for the next event of that name, and of that target if given. Returns its data, or nothing
// after the timeout.
std::optional<std::any> wait_event(std::string_view name, timeout_t timeout = {},
                                   const worker_ptr& target = nullptr);
// Waits for the next event for which `condition` holds; it is checked after the listeners were
// called.
std::optional<event> wait_until(absl::FunctionRef<bool(const event&)> condition,
                                timeout_t timeout = {});
// Waits until that worker's task is over and its queue is drained, which is before it stops its
// children and before its finalizers. Returns at once if it does not run, and nothing after the
// timeout.
std::optional<outcome> wait_thread(const worker_ptr& other, timeout_t timeout = {});

// One name for all of them; async.hpp adds an overload.
inline std::optional<std::any> wait(std::string_view name, timeout_t timeout = {}) {
  return wait_event(name, timeout);
}
inline std::optional<outcome> wait(const worker_ptr& other, timeout_t timeout = {}) {
  return wait_thread(other, timeout);
}
template <std::predicate<const event&> F>
std::optional<event> wait(F&& condition, timeout_t timeout = {}) {
  return wait_until(condition, timeout);
}
template <class Rep, class Period>
void wait(std::chrono::duration<Rep, Period> timeout) {
  wait_timeout(std::chrono::duration_cast<steady::duration>(timeout));
}

// Creates a worker and starts it.
template <class F>
worker_ptr create_worker(F&& what, worker_options how = {}) {
  worker_ptr made = worker::make(std::forward<F>(what), std::move(how));
  made->start();
  return made;
}

// For the current worker. Listeners are not permanent: they are removed when this thread exits.
listener_id listen(std::string_view name, listener call, listen_options how = {});
void unlisten(listener_id id);
void fire(event e);
void fire(std::string_view name, std::any data = {});
void bubble(event e);
void bubble(std::string_view name, std::any data = {});
void broadcast(event e);
void broadcast(std::string_view name, std::any data = {});
void parent_fire(event e);
void parent_fire(std::string_view name, std::any data = {});
void children_fire(event e);
void children_fire(std::string_view name, std::any data = {});

}  // namespace threadref::workers::this_worker
