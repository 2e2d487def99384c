// SPDX-License-Identifier: MIT
// ref: does that thread still run? And, if wanted, a callback when it no longer does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "threadref/backends.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/detail/counted.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/detail/throw_error.hpp"
#include "threadref/finalize.hpp"
#include "threadref/thread_info.hpp"

namespace threadref {

template <backend B = default_backend>
class basic_ref;
// A ref of the default back end.
using ref = basic_ref<>;

namespace detail {

// The one heap block of a ref with callback. Handles share it by count; the node in the exit list
// holds it weakly. That decides who has the callback: the exit locks it only while a handle exists,
// so after the last drop returned it does not start, and a drop during the call does not end it.
template <class B>
class ref_callback : public counted {
 public:
  virtual void call(const basic_ref<B>& self) = 0;
  [[nodiscard]] bool pending() const noexcept { return B::list::state(at) == node::armed; }

  registration at;
  std::uint64_t id = 0;
};

template <class B, class F>
class ref_callback_of final : public ref_callback<B> {
 public:
  template <class G>
  explicit ref_callback_of(G&& callback) : callback_(std::forward<G>(callback)) {}
  // Destroyed right after the call: a callback that holds its own ref would keep itself alive.
  void call(const basic_ref<B>& self) override {
    F callback = std::move(*callback_);
    callback_.reset();
    static_cast<void>(detail::invoke(callback, self));
  }

 private:
  void perish() noexcept override {
    callback_.reset();
    B::list::cancel(this->at, &tally::dropped);
  }

  std::optional<F> callback_;
};

// What stands in the exit list: a pointer, in place.
template <class B>
struct ref_node {
  observed_ptr<ref_callback<B>> callback;
  ref_call operator()() const {
    const owned_ptr<ref_callback<B>> held = callback.lock();
    if (!held) return ref_call::skipped;
    held->call(basic_ref<B>(held));
    return ref_call::ran;
  }
};

}  // namespace detail

// A weak reference to the thread that made it. Never keeps it alive; looking at it never delays its
// exit nor moves its callbacks to another thread. It reads null from the moment the thread starts
// to drain its exit list, before the first finalizer. A value: copies are the same ref; copied,
// used and dropped on any thread. With a callback its copies share a count.
template <backend B>
class basic_ref {
 public:
  // Refers to the calling thread; it becomes known to the back end if it was not. No allocation but
  // a slab, no lock after the first of a thread. Throws std::bad_alloc, std::system_error (no key
  // or block left; operation_not_permitted: the thread has ended). O(1).
  basic_ref() : basic_ref(attached()) {}

  // Has callback(const basic_ref&) called once at thread exit, on this thread, in one LIFO order
  // with finalizers, if this ref or a copy of it still exists then. It gets its own ref, which
  // reads null. One allocation. Throws as above, and std::invalid_argument for a null callback.
  template <class F>
  requires std::invocable < std::decay_t<F>
  &, const basic_ref& > explicit basic_ref(F&& callback) : basic_ref(attached()) {
    if (detail::is_null(callback)) detail::throw_null("threadref: the callback of a ref is null");
    detail::owned_ptr<detail::ref_callback<B>> made(
        new detail::ref_callback_of<B, std::decay_t<F>>(std::forward<F>(callback)));
    made->id = id_;
    const auto [at, error] = B::list::template add<detail::ref_call, detail::ref_node<B>>(
        detail::exit_place::last,
        detail::ref_node<B>{detail::observed_ptr<detail::ref_callback<B>>(made)});
    made->at = at;
    if (error != std::errc{})
      detail::throw_error(error, "threadref: a ref callback can't be registered on this thread");
    callback_ = std::move(made);
  }

  basic_ref(const basic_ref&) = default;
  basic_ref& operator=(const basic_ref&) = default;
  // A moved-from ref is expired, and equal only to itself.
  basic_ref(basic_ref&& other) noexcept
      : on_(other.on_),
        serial_(std::exchange(other.serial_, nobodys)),
        id_(std::exchange(other.id_, 0)),
        callback_(std::move(other.callback_)) {}
  basic_ref& operator=(basic_ref&& other) noexcept {
    if (this != &other) {
      on_ = other.on_;
      serial_ = std::exchange(other.serial_, nobodys);
      id_ = std::exchange(other.id_, 0);
      callback_ = std::move(other.callback_);
    }
    return *this;
  }
  ~basic_ref() = default;

  // Has the thread stopped running? One load. Judged by the draining thread and whoever
  // synchronised with it; another thread may see it a moment later.
  [[nodiscard]] bool expired() const noexcept {
    return on_->live.load(std::memory_order_acquire) != serial_;
  }
  // The thread while it runs, else an empty handle. One lock.
  [[nodiscard]] thread_handle lock() const noexcept {
    if (expired() || !on_->try_pin(serial_)) return {};
    thread_handle h = thread_handle::adopt(*on_);
    return expired() ? thread_handle{} : h;  // it may have begun to drain meanwhile
  }
  [[nodiscard]] thread_handle operator()() const noexcept { return lock(); }
  // Does it have a callback that is still to be called?
  [[nodiscard]] bool has_callback() const noexcept { return callback_ && callback_->pending(); }

  // While both threads run: is it the same thread? After that: is it the same ref?
  friend bool operator==(const basic_ref& a, const basic_ref& b) noexcept {
    if (&a == &b) return true;
    if (a.serial_ == nobodys || a.on_ != b.on_ || a.serial_ != b.serial_) return false;
    return a.id_ == b.id_ || !a.expired();
  }
  // The same for all refs of a thread, before and after its death; so equal refs hash alike.
  [[nodiscard]] std::size_t hash() const noexcept {
    return std::hash<const void*>{}(on_) ^
           (std::hash<std::uint64_t>{}(serial_)*0x9e3779b97f4a7c15U);
  }

 private:
  friend struct detail::ref_node<B>;
  explicit basic_ref(detail::owned_ptr<detail::ref_callback<B>> callback) noexcept
      : on_(callback->at.on),
        serial_(callback->at.serial),
        id_(callback->id),
        callback_(std::move(callback)) {}
  explicit basic_ref(detail::block& on) noexcept
      : on_(&on), serial_(on.serial), id_(++on.refs_made) {}

  static detail::block& attached() {
    const auto [b, error] = B::list::attach();
    if (b == nullptr) detail::throw_error(error, "threadref: this thread can't be registered");
    return *b;
  }

  // No thread has it. What was moved from keeps its block, so that expired() is one load: blocks
  // are never given back.
  static constexpr std::uint64_t nobodys = ~std::uint64_t{0};
  detail::block* on_;
  std::uint64_t serial_;
  std::uint64_t id_;  // which ref of that thread
  detail::owned_ptr<detail::ref_callback<B>> callback_;
};

}  // namespace threadref

template <threadref::backend B>
struct std::hash<threadref::basic_ref<B>> {
  std::size_t operator()(const threadref::basic_ref<B>& r) const noexcept { return r.hash(); }
};
