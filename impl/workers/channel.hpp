// SPDX-License-Identifier: MIT
// channel: events to all workers that have subscribed and still live.
#pragma once

#include <any>
#include <cstddef>
#include <memory>
#include <string>

#include "workers/worker.hpp"

namespace threadref::workers {

// A handle; its copies are the same channel, on any thread. It keeps no worker alive, and no worker
// keeps it: with its last handle all subscriptions are gone.
class channel {
 public:
  // What is published comes as an event of that name.
  explicit channel(std::string name);

  [[nodiscard]] const std::string& name() const noexcept;

  // The current worker, from now on, once. A finalizer of the calling thread ends the subscription:
  // a worker that is started again has to subscribe again. Throws what finalize() throws.
  void subscribe() const;
  // Throws std::out_of_range if the current worker (or that one) is no subscriber. After it has
  // returned nothing more is put into the worker's queue.
  void unsubscribe() const;
  void unsubscribe(const worker_ptr& who) const;

  // Puts it into the queue of each subscriber that runs; about the current worker, if there is one.
  // How many that were.
  std::size_t publish(const std::any& data = {}) const;

  // How many have subscribed and are not known to be gone.
  [[nodiscard]] std::size_t subscribers() const;

 private:
  class state;
  std::shared_ptr<state> at_;
};

}  // namespace threadref::workers
