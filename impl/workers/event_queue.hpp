// SPDX-License-Identifier: MIT
// Events on their way to one worker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "workers/event.hpp"

namespace threadref::workers {

using steady = std::chrono::steady_clock;

// Any thread posts, one takes. What was accepted before close() can still be taken; what comes
// later is refused, so each event is either taken or refused, once. One lock an operation: the
// decision between accepted and refused has to be one with the closing.
class event_queue {
 public:
  // Closed and empty to begin with.
  void open();
  void close();
  [[nodiscard]] bool is_open() const;

  // Moves from the event. False: it is closed, and the event is as it was.
  [[nodiscard]] bool post(event& e);

  // The oldest. Waits until there is one, until `deadline` (none: for ever), or until it is closed
  // and nothing is left.
  [[nodiscard]] std::optional<event> take(std::optional<steady::time_point> deadline);
  // The oldest, if there is one now.
  [[nodiscard]] std::optional<event> take_now();

 private:
  std::optional<event> front();

  mutable std::mutex m_;
  std::condition_variable changed_;
  std::deque<event> waiting_;
  bool open_ = false;
};

}  // namespace threadref::workers
