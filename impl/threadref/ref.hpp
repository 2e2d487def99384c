// SPDX-License-Identifier: MIT
// ref: a weak reference to a thread, with an optional callback at its exit.
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
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

template <backend B = default_backend>
class basic_ref;
// A ref of the default back end.
using ref = basic_ref<>;

namespace detail {

// The heap block of a ref with a callback. Its handles share it by count; the node in the exit list
// holds it weakly. So the exit calls the callback only if a handle still exists: once the last drop
// has returned, the callback does not start, and a drop during the call does not cut it short.
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
  // The callback is destroyed right after the call: one that holds its own ref would otherwise keep
  // itself alive.
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

// The closure in the exit list: one pointer, stored in place.
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

// A weak reference to the thread that made it. It never keeps the thread alive; using it never
// delays the thread's exit and never moves its callbacks to another thread. It expires when the
// thread starts to drain its exit list, before the first finalizer runs.
//
// A value type. Copies are the same ref; they may be made, used and dropped on any thread, also
// after the thread is dead. Copies of a ref with a callback share a count; others cost nothing to
// copy. Like any value, one object needs synchronisation if a thread modifies it.
template <backend B>
class basic_ref {
 public:
  // Refers to the calling thread, which is registered with the back end if it was not. No
  // allocation, and no lock once the thread is registered. O(1).
  //
  // Throws std::system_error: not_enough_memory; resource_unavailable_try_again if no key or block
  // is left; operation_not_permitted if the thread has ended for this back end;
  // operation_not_supported (see finalize()).
  basic_ref() : basic_ref(attached()) {}

  // As above; and callback(const basic_ref&) is called once when the calling thread exits, on that
  // thread, if this ref or a copy of it still exists then. Callbacks and finalizers share one
  // newest-first order, and run in the exit stage alike (see finalizer::atexit()). The argument is
  // this ref, already expired. What the callback throws goes to the unraisable hook.
  //
  // When the last copy is dropped, the callback is destroyed, uncalled, on the dropping thread.
  // That does not wait for a call in progress. One allocation, and a slab now and then.
  //
  // Throws as above; std::invalid_argument for a null callback; std::bad_alloc; and what copying
  // the callback throws. Then nothing has changed.
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
  // A moved-from ref is expired and equals only itself.
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

  // True once the thread has started to drain, or has ended without that. Exact on that thread and
  // on threads that synchronised with it since; another thread may see the change a moment later.
  // Two loads.
  [[nodiscard]] bool expired() const noexcept { return !on_->is_running(serial_); }
  // The thread if it is running, else an empty handle. Takes the thread's lock for a few
  // instructions.
  [[nodiscard]] thread_handle lock() const noexcept {
    if (expired() || !on_->try_pin(serial_)) return {};
    thread_handle h = thread_handle::adopt(*on_);
    return expired() ? thread_handle{} : h;  // it may have started to drain since
  }
  [[nodiscard]] thread_handle operator()() const noexcept { return lock(); }
  // True if the ref has a callback that has not been called yet.
  [[nodiscard]] bool has_callback() const noexcept { return callback_ && callback_->pending(); }

  // While the threads run: whether both are refs to the same thread. Afterwards: whether both are
  // the same ref.
  friend bool operator==(const basic_ref& a, const basic_ref& b) noexcept {
    if (&a == &b) return true;
    if (a.serial_ == nobodys || a.on_ != b.on_ || a.serial_ != b.serial_) return false;
    return a.id_ == b.id_ || !a.expired();
  }
  // The same for all refs to one thread, before and after its death, so equal refs hash alike.
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

  // The serial of no thread. A moved-from ref keeps its block pointer so that expired() stays one
  // load; blocks are never freed.
  static constexpr std::uint64_t nobodys = ~std::uint64_t{0};
  detail::block* on_;
  std::uint64_t serial_;
  std::uint64_t id_;  // unique among the refs of that thread; a copy has the same
  detail::owned_ptr<detail::ref_callback<B>> callback_;
};

}  // namespace threadref::inline THREADREF_ABI

template <threadref::backend B>
struct std::hash<threadref::basic_ref<B>> {
  std::size_t operator()(const threadref::basic_ref<B>& r) const noexcept { return r.hash(); }
};
