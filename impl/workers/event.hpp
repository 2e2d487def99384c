// SPDX-License-Identifier: MIT
// The events that workers send each other, and the names of those that they send by themselves.
#pragma once

#include <any>
#include <memory>
#include <string>
#include <string_view>

namespace threadref::workers {

class worker;
using worker_ptr = std::shared_ptr<worker>;

// A value. In a queue it keeps its target alive, but not for long: the queue is empty once its
// worker has ended.
struct event {
  std::string name{};
  std::any data{};
  bool bubble = false;     // also to the parent, its parent and so on
  bool broadcast = false;  // also to the children, theirs and so on
  worker_ptr target{};     // the worker it is about; by default the one that fired it
};

// Events that workers fire and handle by themselves. Any listener may listen to them, too.
namespace events {

// Sent to a parent; the target is the child.
inline constexpr std::string_view child_start = "child_start";
inline constexpr std::string_view child_stop = "child_stop";    // it was stopped, or called exit()
inline constexpr std::string_view child_error = "child_error";  // data: std::exception_ptr
inline constexpr std::string_view child_done = "child_done";    // data: what the task returned
inline constexpr std::string_view child_end = "child_end";      // data: outcome; after the drain

// Sent to the target of an event that was fired at a worker that does not run. data: rejection
inline constexpr std::string_view event_reject = "event_reject";
// Sent to the worker whose listener threw; bubbles. data: std::exception_ptr
inline constexpr std::string_view listener_error = "listener_error";
// Sent to a worker that waits for the target. data: outcome
inline constexpr std::string_view worker_done = "worker_done";

// Put into the queue by stop(), pause(), resume() and invoke().
inline constexpr std::string_view stop = "stop";
inline constexpr std::string_view pause = "pause";
inline constexpr std::string_view resume = "resume";
inline constexpr std::string_view invoke = "invoke";

}  // namespace events

// The data of event_reject.
struct rejection {
  event refused;
  worker_ptr by;
};

}  // namespace threadref::workers
