// SPDX-License-Identifier: MIT
// What a worker's code calls: the loop of the worker that the calling thread is.
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

// Every wait takes events and calls listeners meanwhile; it throws worker_exit when it comes upon a
// stop, and at once where the worker's queue is closed already (in the drain). `timeout` absent: no
// limit; 0: returns at once without looking at the queue (as the original does: update() looks).
//
// On a thread that is no worker they make one, a *root*, which a finalizer of the thread destroys;
// it stops its children then. A root's waits don't throw worker_exit: they end its children and
// return nothing.
namespace threadref::workers::this_worker {

using timeout_t = std::optional<steady::duration>;

// The innermost worker on this thread. On the main thread and those that waited before: a root.
// Throws std::logic_error on any other thread that is no worker.
worker_ptr current();
// The same, or null. Never makes a root.
worker_ptr try_current() noexcept;
// The same; makes a root where there is none.
worker_ptr current_or_root();
[[nodiscard]] bool is_main() noexcept;

// Throws worker_exit. On a root outside any wait there is nothing to leave: its children are
// stopped and joined, and it returns.
void exit();

// Handles what waits in the queue, and returns; a place where it can be stopped or paused.
void update();
// Until the time is over.
void wait_timeout(steady::duration timeout);
inline void sleep(steady::duration timeout) {
  wait_timeout(timeout);
}
// Until it is stopped. (A root: until then, and then it returns.)
void wait_forever();
// The data of the next event of that name, if given: about that target. Nothing: the time is over.
std::optional<std::any> wait_event(std::string_view name, timeout_t timeout = {},
                                   const worker_ptr& target = nullptr);
// The next event for which `condition` holds, asked after the listeners were called.
std::optional<event> wait_until(absl::FunctionRef<bool(const event&)> condition,
                                timeout_t timeout = {});
// Until that worker's task is over and its queue drained: before it stops its children, and before
// its finalizers. At once if it does not run. Nothing: the time is over.
std::optional<outcome> wait_thread(const worker_ptr& other, timeout_t timeout = {});

// One name for all of them; async.hpp and others add theirs.
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

// Made and started.
template <class F>
worker_ptr create_worker(F&& what, worker_options how = {}) {
  worker_ptr made = worker::make(std::forward<F>(what), std::move(how));
  made->start();
  return made;
}

// The current worker's own. Listeners are not permanent: they go with this thread.
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
