// SPDX-License-Identifier: MIT
// The identity of a thread, which is never reused, and what is known of the thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "threadref/backends.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/detail/throw_error.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// A strong reference to the record of a thread: serial, tid and name stay readable after its death.
// It keeps the record alive, never the thread. An empty handle refers to no thread.
//
// A value type of 16 bytes. A copy costs one atomic increment. Copies may be used and dropped on
// any thread.
class thread_handle {
 public:
  thread_handle() = default;
  thread_handle(const thread_handle& other) noexcept;
  thread_handle(thread_handle&& other) noexcept
      : on_(std::exchange(other.on_, nullptr)), serial_(other.serial_) {}
  thread_handle& operator=(thread_handle other) noexcept {
    std::swap(on_, other.on_);
    std::swap(serial_, other.serial_);
    return *this;
  }
  ~thread_handle();

  explicit operator bool() const noexcept { return on_ != nullptr; }
  // A number that no other thread of this back end ever gets. (A pthread_t is reused at once, 49
  // times in 50.) 0 for an empty handle. No lock.
  [[nodiscard]] std::uint64_t serial() const noexcept { return on_ != nullptr ? serial_ : 0; }
  // The kernel's thread id; once this thread has ended, the kernel may give it to another. 0 for an
  // empty handle. One lock.
  [[nodiscard]] pid_t tid() const noexcept;
  // The name of the thread now, read from the system: a system call on the thread itself, three on
  // another one. Nothing else in this library reads names, so of a thread that has ended this is
  // the last name that was asked for while it lived; empty if nobody asked. Not a cancellation
  // point.
  [[nodiscard]] std::string name() const;
  // Whether it is the main thread of the process. In the child of a fork, that is the thread that
  // forked. One lock.
  [[nodiscard]] bool is_main() const noexcept;
  // thread_state::ended for an empty handle. No lock; another thread may see a change a moment
  // later, but not after a join.
  [[nodiscard]] thread_state state() const noexcept;

  friend bool operator==(const thread_handle& a, const thread_handle& b) noexcept {
    return a.on_ == b.on_ && a.serial() == b.serial();
  }

  // For the library: takes over a pin of the block from the caller.
  static thread_handle adopt(detail::block& pinned) noexcept;
  // For the library: what name() returned last, to anybody; else empty. One lock, no system call.
  [[nodiscard]] std::string known_name() const;

 private:
  detail::block* on_ = nullptr;
  std::uint64_t serial_ = 0;
};

// Returns the calling thread, registering it with the back end if it was not. Empty once the thread
// has ended for the back end (in destructors that run even later). Throws std::system_error if the
// thread can't be registered: not_enough_memory, or resource_unavailable_try_again if no key is
// left or 2^20 threads are alive. O(1); takes the thread's lock.
template <backend B = default_backend>
thread_handle current() {
  const auto [b, error] = B::list::attach();
  if (b == nullptr) {
    if (B::list::ended()) return {};
    detail::throw_error(error, "threadref: this thread can't be registered");
  }
  b->pin();
  return thread_handle::adopt(*b);
}

// As current(), but does not register the thread: empty before the back end is first used on it,
// and once it has ended.
template <backend B = default_backend>
thread_handle try_current() noexcept {
  detail::block* b = B::list::own();
  if (b == nullptr) return {};
  b->pin();
  return thread_handle::adopt(*b);
}

// Registers the calling thread with the back end if it was not. False if it can't be registered or
// has ended. On a registered thread this is one thread-local load, or whatever the back end needs
// to find the thread's block.
template <backend B = default_backend>
bool ensure() noexcept {
  return B::list::attach().b != nullptr;
}

// Returns the threads that are registered with the back end and running or draining, in the order
// in which their records were first created. A snapshot: each was alive at some moment during the
// call. A thread found to have gone without its exit hook having run is ended here, and what it
// left is reported (incident::missed). Any thread. Throws std::bad_alloc. O(peak number of live
// threads), with a lock for each.
template <backend B = default_backend>
std::vector<thread_handle> enumerate() {
  detail::domain& all = B::list::all();
  const std::size_t blocks = all.used();
  std::vector<thread_handle> threads;
  threads.reserve(blocks);  // allocate everything before the first pin
  for (std::size_t i = 0; i != blocks; ++i) {
    if (detail::block* b = all.pin_live(i)) threads.push_back(thread_handle::adopt(*b));
  }
  return threads;
}

}  // namespace threadref::inline THREADREF_ABI
