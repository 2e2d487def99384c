// SPDX-License-Identifier: MIT
// All blocks of one back end: their table, the free list, serials, counters.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "threadref/detail/block.hpp"

namespace threadref {

// What happened to registrations since the program started, over all threads of one back end.
// When no thread is inside the library: registered == the sum of the others + what is pending.
struct counters {
  std::uint64_t registered = 0;
  std::uint64_t ran_at_exit = 0;
  std::uint64_t ran_by_call = 0;
  std::uint64_t detached = 0;   // by detach() or cancel()
  std::uint64_t dropped = 0;    // ref callbacks whose last handle went first
  std::uint64_t abandoned = 0;  // cut off by the limit on late registrations
};

namespace detail {

// Constant-initialised and trivially destroyed: it is used before the first constructor and after
// the last destructor. Lock order: a domain's lock is never taken under a block's, nor the reverse.
class domain {
 public:
  constexpr domain() noexcept = default;
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;

  // A block for the calling thread, with a new serial and the thread's own pin; null: no memory,
  // or max_blocks threads are alive. One lock; O(1).
  block* acquire() noexcept;
  // The last pin is gone: the block waits for its next thread. Any thread.
  void recycle(block& b) noexcept;

  // Blocks ever used at once, and the block of that index, pinned; null if its thread has ended.
  std::size_t used() const noexcept { return used_.load(std::memory_order_acquire); }
  block* pin_live(std::size_t index) noexcept;
  counters sum() noexcept;

  static constexpr std::size_t blocks_per_chunk = 128;
  static constexpr std::size_t max_blocks = std::size_t{1} << 20U;

 private:
  block* extend() noexcept;
  block& at(std::size_t index) noexcept {
    return chunks_[index / blocks_per_chunk][index % blocks_per_chunk];
  }

  std::mutex m_;
  block* free_ = nullptr;
  block* spare_chunk_ = nullptr;
  std::uint64_t last_serial_ = 0;
  std::atomic<std::size_t> used_{0};
  block* chunks_[max_blocks / blocks_per_chunk] = {};
};

}  // namespace detail
}  // namespace threadref
