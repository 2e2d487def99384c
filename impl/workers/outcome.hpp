// SPDX-License-Identifier: MIT
// The states of a worker, its outcome, and the steps of its end.
#pragma once

#include <any>
#include <cstdint>
#include <exception>
#include <string_view>

namespace threadref::workers {

// The outcome of a task: an error or a result, or neither if it was stopped or still runs.
struct outcome {
  std::exception_ptr error;
  std::any result;
};

// The last two come from the thread_handle of its thread.
enum class worker_state : std::uint8_t {
  idle,       // not started yet
  running,    // takes events
  finishing,  // the task is over and the queue closed; queued events and children are handled
  draining,   // the thread runs its finalizers
  ended,
};

// The exit sequence, in this order; see worker_options::on_step.
enum class exit_step : std::uint8_t {
  task_ended,
  parent_told,      // by child_stop, child_error or child_done
  queue_closed,     // is_running() is false from here on
  queue_drained,    // events behind the stop have been handled
  parent_told_end,  // child_end; no longer among the parent's children
  waiters_woken,    // the workers in wait_thread()
  children_joined,  // children are stopped, and joined unless they are daemons
  left,             // no longer current(); finalizers come next
};

constexpr std::string_view name_of(exit_step step) {
  switch (step) {
    case exit_step::task_ended:
      return "task_ended";
    case exit_step::parent_told:
      return "parent_told";
    case exit_step::queue_closed:
      return "queue_closed";
    case exit_step::queue_drained:
      return "queue_drained";
    case exit_step::parent_told_end:
      return "parent_told_end";
    case exit_step::waiters_woken:
      return "waiters_woken";
    case exit_step::children_joined:
      return "children_joined";
    case exit_step::left:
      return "left";
  }
  return {};
}

// How a worker ends its children. Daemons are stopped, but not waited for.
enum class teardown : std::uint8_t {
  serial,     // stop one, join it, then the next
  broadcast,  // stop all descendants, then join the children: they end in parallel
};

}  // namespace threadref::workers
