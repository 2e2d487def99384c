// SPDX-License-Identifier: MIT
// What workers tell each other, and the names of what they tell without being asked.
#pragma once

#include <any>
#include <memory>
#include <string>
#include <string_view>

namespace threadref::workers {

class worker;
using worker_ptr = std::shared_ptr<worker>;

// A value. While it waits in a queue it keeps its target alive; a queue is empty once its worker
// has ended, so that is never for long.
struct event {
  std::string name{};
  std::any data{};
  bool bubble = false;     // also to the parent, its parent and so on
  bool broadcast = false;  // also to the children, theirs and so on
  worker_ptr target{};     // whom it is about: who fired it, unless said otherwise
};

// Events that workers fire and handle themselves. Anybody may listen to them, too.
namespace events {

// To a parent, about its child, which is the target.
inline constexpr std::string_view child_start = "child_start";
inline constexpr std::string_view child_stop = "child_stop";    // it was stopped, or called exit()
inline constexpr std::string_view child_error = "child_error";  // data: std::exception_ptr
inline constexpr std::string_view child_done = "child_done";    // data: what the task returned
inline constexpr std::string_view child_end = "child_end";      // data: outcome; after the drain

// To the target of an event that was fired at a worker that does not run. data: rejection
inline constexpr std::string_view event_reject = "event_reject";
// To the worker whose listener threw, bubbling. data: std::exception_ptr
inline constexpr std::string_view listener_error = "listener_error";
// To who waits for a worker, which is the target. data: outcome
inline constexpr std::string_view worker_done = "worker_done";

// What stop(), pause(), resume() and invoke() put into the queue.
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
