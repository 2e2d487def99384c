// SPDX-License-Identifier: MIT
#include "workers/channel.hpp"

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "threadref/finalize.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {

class channel::state : public std::enable_shared_from_this<channel::state> {
 public:
  explicit state(std::string name) : name_(std::move(name)) {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    for (auto& [key, each] : all_) each.at_exit.cancel();
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  void subscribe(const worker_ptr& subscriber) {
    const std::uint64_t number = next();
    // Registered before the lock is taken, because its finalizer takes that lock, too.
    subscription made{subscriber, number,
                      finalize([weak = weak_from_this(), key = subscriber.get(), number] {
                        if (const std::shared_ptr<state> at = weak.lock()) at->ended(key, number);
                      })};
    {
      const std::lock_guard lock(m_);
      std::swap(all_[subscriber.get()], made);
    }
    made.at_exit.cancel();  // of an earlier subscription, if there was one
  }

  void unsubscribe(const worker_ptr& subscriber) {
    subscription taken;
    {
      const std::lock_guard lock(m_);
      const auto at = all_.find(subscriber.get());
      if (at == all_.end()) {
        throw std::out_of_range("worker " + subscriber->name() + " has not subscribed to " + name_);
      }
      taken = std::move(at->second);
      all_.erase(at);
    }
    taken.at_exit.cancel();
  }

  std::size_t publish(const std::any& data) {
    std::size_t reached = 0;
    const event message{.name = name_, .data = data, .target = this_worker::try_current()};
    // Released after the lock: the last pointer to a worker destroys it and all that it captured.
    std::vector<worker_ptr> held;
    std::vector<subscription> gone;
    {
      // Held while posting, so that a worker that has unsubscribed gets nothing more.
      const std::lock_guard lock(m_);
      held.reserve(all_.size());
      for (auto at = all_.begin(); at != all_.end();) {
        const auto each = at++;
        worker_ptr to = each->second.subscriber.lock();
        if (to == nullptr) {  // for example an overlay whose thread goes on
          gone.push_back(std::move(each->second));
          all_.erase(each);
          continue;
        }
        event copy = message;
        if (to->post(std::move(copy))) ++reached;
        held.push_back(std::move(to));
      }
    }
    for (const subscription& each : gone) each.at_exit.cancel();
    return reached;
  }

  std::size_t subscribers() const {
    const std::lock_guard lock(m_);
    return all_.size();
  }

 private:
  struct subscription {
    std::weak_ptr<worker> subscriber;
    std::uint64_t number = 0;  // a new worker may get the same address
    finalizer<void> at_exit;
  };

  std::uint64_t next() {
    const std::lock_guard lock(m_);
    return ++last_;
  }
  void ended(const worker* key, std::uint64_t number) {
    const std::lock_guard lock(m_);
    const auto at = all_.find(key);
    if (at != all_.end() && at->second.number == number) all_.erase(at);
  }

  const std::string name_;
  mutable std::mutex m_;
  std::uint64_t last_ = 0;
  absl::flat_hash_map<const worker*, subscription> all_;
};

channel::channel(std::string name) : at_(std::make_shared<state>(std::move(name))) {}

const std::string& channel::name() const noexcept {
  return at_->name();
}

void channel::subscribe() const {
  at_->subscribe(this_worker::current_or_root());
}

void channel::unsubscribe() const {
  at_->unsubscribe(this_worker::current());
}

void channel::unsubscribe(const worker_ptr& subscriber) const {
  at_->unsubscribe(subscriber);
}

std::size_t channel::publish(const std::any& data) const {
  return at_->publish(data);
}

std::size_t channel::subscribers() const {
  return at_->subscribers();
}

}  // namespace threadref::workers
