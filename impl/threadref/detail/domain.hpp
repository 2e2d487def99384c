// SPDX-License-Identifier: MIT
// All blocks of one back end: their table, free lists, serials and counters.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "threadref/detail/block.hpp"
#include "threadref/detail/sharded.hpp"
#include "threadref/detail/word_lock.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// What has happened to registrations since the program started, over all threads of one back end.
// While no thread is inside the library: registered == the sum of the others + what is pending.
struct counters {
  std::uint64_t registered = 0;
  std::uint64_t ran_at_exit = 0;
  std::uint64_t ran_by_call = 0;
  std::uint64_t detached = 0;  // by detach(), cancel(), detach_all(); nodes and destructors removed
  std::uint64_t dropped = 0;   // ref callbacks whose last handle was dropped first, and skipped
                               // destructors of a null
  std::uint64_t ran_at_process_exit = 0;  // by the exit stage, and main's of the phase early before
  std::uint64_t forgotten = 0;            // in the child of a fork: those of the other threads
  std::uint64_t abandoned = 0;  // cut off by a limit, missed with the exit, nodes destroyed by it
};

namespace detail {

// The functions that a domain needs from the exit list it belongs to.
struct list_functions {
  void (*process_exit)();
  block* (*own)() noexcept;
  void (*run_vanished)(block& b);  // fork_policy::run_siblings
  void (*renew_hook)() noexcept;   // in the child of a fork
};

// Constant-initialised and trivially destructible: it is used before the first constructor and
// after the last destructor. Lock order: the locks of a domain, then those of the memory; or one
// block's.
class domain {
 public:
  constexpr explicit domain(const list_functions& list) noexcept : list_(list) {}
  domain(const domain&) = delete;
  domain& operator=(const domain&) = delete;

  // Returns a block for the calling thread, with a new serial and the thread's own pin. Null
  // without memory, or if max_blocks threads are alive. Takes only its CPU's lock if a free block
  // is there. O(1).
  block* acquire() noexcept;
  // The last pin is gone: keeps the block for a later thread. Any thread.
  void recycle(block& b) noexcept;

  // The number of blocks ever in use at once.
  std::size_t used() const noexcept { return used_.load(std::memory_order_acquire); }
  // Pins and returns the block with that index; null if its thread has ended, in which case its
  // life is ended.
  block* pin_live(std::size_t index) noexcept;
  // If the block's thread ended without its exit hook having run, ends its life, reports what is
  // abandoned with it, and returns true. Of several callers one does so. Any thread, without a
  // lock.
  bool end_if_missed(block& b) noexcept;
  // Pins and returns the block of the process's main thread if that thread is gone but its exit
  // hook has not run. Null otherwise.
  block* pin_lost_main() noexcept;
  // Whether any thread but the calling one still has a block. O(blocks ever in use at once).
  bool has_others() noexcept;
  counters sum() noexcept;
  // Gives the slabs of dead threads to the pool.
  void trim() noexcept;

  // Called once, before main() or by dlopen(). On main, does what arm_main() does; on another
  // thread main's first registration does that.
  void on_load() noexcept;
  // Whether the calling thread is main, and its first registration is still to do that.
  [[nodiscard]] bool arms_main_here() const noexcept;
  // On main: makes the exit stage the next thing that runs after main's thread_locals are destroyed
  // when the process ends, before all other exit handlers and the destructors of statics.
  void arm_main() noexcept;
  // Arranges for the exit stage to run when the process ends, before all handlers that are armed by
  // now. False without memory.
  bool arm_stage() noexcept;
  // The stage has run: a thread that registers for the first time from now on arms it again.
  void end_stage() noexcept { stage_is_over_.store(true, std::memory_order_relaxed); }
  bool arm_stage_if_over() noexcept {
    return !stage_is_over_.load(std::memory_order_relaxed) || arm_stage();
  }

  // --- In the child of a fork, one after the other: this thread is the only one, and main.
  // Nothing of a vanished thread is alive, held, running or waited for any more.
  void become_only_thread() noexcept;
  // Forgets what the vanished threads have pending, or runs it, as the options say, and ends their
  // lives. O(threads alive at the fork and what they had), however many have ended before.
  void bury_vanished() noexcept;

  static constexpr std::size_t blocks_per_chunk = 128;
  static constexpr std::size_t max_blocks = std::size_t{1} << 20U;

  // For enrol(). Written under its lock.
  std::atomic<bool> is_enrolled{false};
  domain* next_enrolled = nullptr;

 private:
  block* extend() noexcept;
  // Blocks, and apart from them which of these are in use, so that the others are passed over
  // without being touched.
  struct chunk {
    std::atomic<bool> in_use[blocks_per_chunk] = {};
    alignas(block) std::byte memory[blocks_per_chunk * sizeof(block)];
  };
  block& at(std::size_t index) noexcept {
    std::byte* const blocks = chunks_[index / blocks_per_chunk]->memory;
    return *std::launder(
        reinterpret_cast<block*>(blocks + index % blocks_per_chunk * sizeof(block)));
  }
  std::atomic<bool>& in_use(std::size_t index) noexcept {
    return chunks_[index / blocks_per_chunk]->in_use[index % blocks_per_chunk];
  }
  bool is_next_free(const block& b) noexcept;

  const list_functions& list_;
  struct lists {
    std::atomic<block*> free{nullptr};
    std::uint64_t lives = 0;         // lives begun here; serials differ from shard to shard
    std::atomic<bool> lends{false};  // a thread has the warm slabs of this shard on loan
  };
  sharded<lists> dead_;
  word_lock m_;  // for chunks_ and used_
  std::atomic<std::size_t> used_{0};
  std::atomic<bool> stage_is_over_{false};
  std::atomic<bool> main_is_unarmed_{false};
  chunk* chunks_[max_blocks / blocks_per_chunk] = {};
};

}  // namespace detail
}  // namespace threadref::inline THREADREF_ABI
