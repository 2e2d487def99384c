// SPDX-License-Identifier: MIT
// channel: sends events to all workers that have subscribed and still exist.
#pragma once

#include <any>
#include <cstddef>
#include <memory>
#include <string>

#include "workers/worker.hpp"

namespace threadref::workers {

// A handle. Its copies refer to the same channel, on any thread. It keeps no worker alive, and no
// worker keeps it alive: when its last handle goes, all subscriptions end.
class channel {
 public:
  // Published data arrives as an event of that name.
  explicit channel(std::string name);

  [[nodiscard]] const std::string& name() const noexcept;

  // Subscribes the current worker, at most once. A finalizer of the calling thread ends the
  // subscription: a worker that is restarted must subscribe again. Throws what finalize() throws.
  void subscribe() const;
  // Ends the subscription of the current worker, or of that one: nothing more is put into its
  // queue. Throws std::out_of_range if it has not subscribed.
  void unsubscribe() const;
  void unsubscribe(const worker_ptr& subscriber) const;

  // Puts an event into the queue of each subscriber that runs. Its target is the current worker, if
  // there is one. Returns the number of these subscribers.
  std::size_t publish(const std::any& data = {}) const;

  // The number of subscribers, without those that are known to have ended.
  [[nodiscard]] std::size_t subscribers() const;

 private:
  class state;
  std::shared_ptr<state> at_;
};

}  // namespace threadref::workers
