// SPDX-License-Identifier: MIT
// defer: a value that will be provided later, and that workers wait for in their loops.
#pragma once

#include <atomic>
#include <concepts>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "threadref/ref.hpp"
#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

namespace threadref::workers {

// Thrown by get() if the thread that was to settle the defer has ended without doing so.
class broken_defer : public std::runtime_error {
 public:
  broken_defer() : std::runtime_error("the thread that owned this defer has ended") {}
};

// The state of a defer, without its value.
class defer_state_base : public std::enable_shared_from_this<defer_state_base> {
 public:
  defer_state_base() = default;
  defer_state_base(const defer_state_base&) = delete;
  defer_state_base& operator=(const defer_state_base&) = delete;
  virtual ~defer_state_base() = default;

  [[nodiscard]] bool settled() const noexcept { return settled_.load(std::memory_order_acquire); }
  bool reject(std::exception_ptr error);
  void own();
  [[nodiscard]] bool wait(this_worker::timeout_t timeout);
  // Null unless it was rejected. Only valid once it is settled.
  [[nodiscard]] const std::exception_ptr& error() const noexcept { return error_; }

 protected:
  // Calls write() if it is not settled yet. If write() throws, nothing changes.
  template <class F>
  bool settle(F&& write) {
    leftovers left;
    {
      const std::lock_guard lock(m_);
      if (settled()) return false;
      std::forward<F>(write)();
      left = finish();
    }
    left.wake();
    return true;
  }

 private:
  // What remains to be done after the lock is released: waking the waiters, and destroying the ref
  // of the owner together with its callback.
  struct leftovers {
    void wake() const;
    std::vector<worker_ptr> waiters;
    std::optional<ref> owner;
  };
  leftovers finish();
  void owner_ended(const ref& thread);
  void leave(const worker_ptr& waiter) noexcept;

  mutable std::mutex m_;
  std::atomic<bool> settled_{false};
  std::exception_ptr error_;
  std::optional<ref> owner_;
  std::vector<worker_ptr> waiters_;
};

template <class T>
class defer_state final : public defer_state_base {
 public:
  template <class U>
  bool resolve(U&& value) {
    return settle([&] { value_.emplace(std::forward<U>(value)); });
  }
  [[nodiscard]] const T& value() const { return *value_; }

 private:
  std::optional<T> value_;
};

// A handle. Its copies refer to the same defer, on any thread. The first resolve() or reject()
// counts.
template <std::copyable T>
class defer {
 public:
  // False: it was settled before, and nothing has changed.
  template <std::convertible_to<T> U>
  bool resolve(U&& value) const {
    return at_->resolve(std::forward<U>(value));
  }
  bool reject(std::exception_ptr error) const { return at_->reject(std::move(error)); }
  // Makes the calling thread the owner, replacing any other: if the owner ends before the defer is
  // settled, its exit rejects the defer with a broken_defer. Throws what making a ref throws.
  void own() const { at_->own(); }

  [[nodiscard]] bool settled() const noexcept { return at_->settled(); }
  // Runs the loop of the current worker until it is settled. Any number of workers may call it, any
  // number of times. Throws what it was rejected with. Throws std::system_error
  // (operation_canceled) on a root that is stopped meanwhile, where other workers throw
  // worker_exit.
  T get() const {
    if (std::optional<T> value = value_if(at_->wait({}))) return *std::move(value);
    throw std::system_error(std::make_error_code(std::errc::operation_canceled),
                            "a root was stopped while it waited for a defer");
  }
  // The same with a timeout, after which it returns nothing.
  std::optional<T> get_for(steady::duration at_most) const { return value_if(at_->wait(at_most)); }

 private:
  std::optional<T> value_if(bool settled) const {
    if (!settled) return std::nullopt;
    if (at_->error() != nullptr) std::rethrow_exception(at_->error());
    return at_->value();
  }

  std::shared_ptr<defer_state<T>> at_ = std::make_shared<defer_state<T>>();
};

}  // namespace threadref::workers
