// SPDX-License-Identifier: MIT
// Which thread: an identity that is never used again, and what is known of the thread.
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

namespace threadref {

// A strong reference to what is known of a thread: serial, tid and name stay readable after its
// death. It keeps the record alive, never the thread. Empty: refers to none. A value; copies may be
// used and dropped on any thread, and cost one atomic increment. About 16 bytes.
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
  // A number that no other thread of this back end ever has (a pthread_t is reused at once: 49
  // times in 50). 0 for an empty handle.
  [[nodiscard]] std::uint64_t serial() const noexcept { return on_ != nullptr ? serial_ : 0; }
  // The kernel's thread id. It may belong to another thread once this one has ended.
  [[nodiscard]] pid_t tid() const noexcept;
  // The name as of the first handle, or of the exit if handles existed then. Empty if it had none.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] bool is_main() const noexcept;
  // ended for an empty handle.
  [[nodiscard]] thread_state state() const noexcept;

  friend bool operator==(const thread_handle& a, const thread_handle& b) noexcept {
    return a.on_ == b.on_ && a.serial() == b.serial();
  }

  // For the library: takes over a pin of the block.
  static thread_handle adopt(detail::block& pinned) noexcept;

 private:
  detail::block* on_ = nullptr;
  std::uint64_t serial_ = 0;
};

// The calling thread; becomes known to the back end if it was not. Empty once it has ended for the
// back end (in destructors that run later still). Throws std::system_error when it can't be
// registered: no memory or key left, EAGAIN beyond 2^20 live threads. One lock; O(1).
template <backend B = default_backend>
thread_handle current() {
  const auto [b, error] = B::list::attach();
  if (b == nullptr) {
    if (B::list::ended()) return {};
    detail::throw_error(error, "threadref: this thread can't be registered");
  }
  B::list::pin(*b);
  return thread_handle::adopt(*b);
}

// The same without registering: empty before the first use on this thread, and once it has ended.
template <backend B = default_backend>
thread_handle try_current() noexcept {
  detail::block* b = B::list::own();
  if (b == nullptr) return {};
  B::list::pin(*b);
  return thread_handle::adopt(*b);
}

// Makes the calling thread known to the back end, if it was not; false if it can't be, or has
// ended. On a thread that is known: one thread-local load (or the back end's way to find its
// block).
template <backend B = default_backend>
bool ensure() noexcept {
  return B::list::attach().b != nullptr;
}

// The threads known to the back end that are running or draining, oldest block first. A snapshot:
// each was so at some moment during the call. Any thread. O(blocks ever used at once), a lock and a
// system call each.
// Throws std::bad_alloc.
template <backend B = default_backend>
std::vector<thread_handle> enumerate() {
  detail::domain& all = B::list::all();
  const std::size_t blocks = all.used();
  std::vector<thread_handle> threads;
  threads.reserve(blocks);  // all memory before the first pin
  for (std::size_t i = 0; i != blocks; ++i) {
    if (detail::block* b = all.pin_live(i)) threads.push_back(thread_handle::adopt(*b));
  }
  return threads;
}

}  // namespace threadref
