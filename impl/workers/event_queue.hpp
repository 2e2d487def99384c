// SPDX-License-Identifier: MIT
// The queue of events of one worker.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "workers/event.hpp"

namespace threadref::workers {

using steady = std::chrono::steady_clock;

// Any thread posts, one thread takes. Events accepted before close() can still be taken; later ones
// are refused. So each event is taken or refused exactly once. Each operation holds one lock,
// because accepting an event and closing the queue must exclude each other.
class event_queue {
 public:
  // The queue is closed and empty at first.
  void open();
  void close();
  [[nodiscard]] bool is_open() const;

  // Moves from the event. False: the queue is closed, and the event is unchanged.
  [[nodiscard]] bool post(event& e);

  // Takes the oldest event. Waits until there is one, until `deadline` (none: for ever), or until
  // the queue is closed and empty.
  [[nodiscard]] std::optional<event> take(std::optional<steady::time_point> deadline);
  // Takes the oldest event, if there is one now.
  [[nodiscard]] std::optional<event> take_now();

 private:
  std::optional<event> front();

  mutable std::mutex m_;
  std::condition_variable changed_;
  std::deque<event> waiting_;
  bool open_ = false;
};

}  // namespace threadref::workers
