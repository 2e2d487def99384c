// SPDX-License-Identifier: MIT
// All blocks of one back end: their table, the free list, serials, counters.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "threadref/detail/block.hpp"
#include "threadref/detail/sharded.hpp"
#include "threadref/detail/word_lock.hpp"

namespace threadref {

// What happened to registrations since the program started, over all threads of one back end.
// When no thread is inside the library: registered == the sum of the others + what is pending.
struct counters {
  std::uint64_t registered = 0;
  std::uint64_t ran_at_exit = 0;
  std::uint64_t ran_by_call = 0;
  std::uint64_t detached = 0;  // by detach() or cancel()
  std::uint64_t dropped = 0;   // ref callbacks whose last handle went first; destructors of a
                               // null that were to be skipped
  std::uint64_t ran_at_process_exit = 0;  // by the exit stage
  std::uint64_t forgotten = 0;            // in the child of a fork: those of the other threads
  std::uint64_t abandoned = 0;            // cut off by a limit, or their thread went unheard
};

namespace detail {

// What a domain must be able to ask of the exit list that it belongs to.
struct list_functions {
  void (*process_exit)();
  block* (*own)() noexcept;
  void (*run_vanished)(block& b);  // fork_policy::run_siblings
  void (*renew_hook)() noexcept;   // in the child of a fork
};

// Constant-initialised and trivially destroyed: it is used before the first constructor and after
// the last destructor. Lock order: those of a domain, its blocks' by index, those of the memory;
// only fork() takes them all.
class domain {
 public:
  constexpr explicit domain(const list_functions& list) noexcept : list_(list) {}
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;

  // A block for the calling thread, with a new serial and the thread's own pin; null: no memory,
  // or max_blocks threads are alive. Only its CPU's lock, if a block waits there; O(1).
  block* acquire() noexcept;
  // The last pin is gone: the block waits for its next thread. Any thread.
  void recycle(block& b) noexcept;

  // Blocks ever used at once, and the block of that index, pinned; null if its thread has ended.
  std::size_t used() const noexcept { return used_.load(std::memory_order_acquire); }
  block* pin_live(std::size_t index) noexcept;
  // The block of the process's main thread, pinned, if that has gone while its exit list has not
  // run: nobody told it. Null otherwise.
  block* pin_lost_main() noexcept;
  // Does a thread but the calling one still have a block? O(blocks ever used at once).
  bool has_others() noexcept;
  counters sum() noexcept;
  // Gives the slabs of dead threads to the pool.
  void trim() noexcept;

  // Has the exit stage run when the process ends. False: no memory.
  bool arm_stage() noexcept;
  // The stage has run: who registers for the first time from now on arms it again.
  void end_stage() noexcept { stage_is_over_.store(true, std::memory_order_relaxed); }
  bool arm_stage_if_over() noexcept {
    return !stage_is_over_.load(std::memory_order_relaxed) || arm_stage();
  }

  // --- Around fork(), by the forking thread.
  void lock_all() noexcept;
  void unlock_all() noexcept;
  // In the child: the other threads are gone, and this one is the main thread.
  void become_only_thread() noexcept;

  static constexpr std::size_t blocks_per_chunk = 128;
  static constexpr std::size_t max_blocks = std::size_t{1} << 20U;

  // For enrol(), under its lock.
  std::atomic<bool> is_enrolled{false};
  domain* next_enrolled = nullptr;

 private:
  block* extend() noexcept;
  bool has_ended_unheard(block& b) noexcept;
  block& at(std::size_t index) noexcept {
    return chunks_[index / blocks_per_chunk][index % blocks_per_chunk];
  }

  const list_functions& list_;
  struct lists {
    std::atomic<block*> free{nullptr};
    std::uint64_t lives = 0;         // that began here: serials differ from shard to shard
    std::atomic<bool> lends{false};  // a thread has the slabs that were warm here
  };
  sharded<lists> dead_;
  word_lock m_;  // for chunks_ and used_
  std::atomic<std::size_t> used_{0};
  std::atomic<bool> stage_is_over_{false};
  block* chunks_[max_blocks / blocks_per_chunk] = {};
};

}  // namespace detail
}  // namespace threadref
