// SPDX-License-Identifier: MIT
#include "threadref/detail/domain.hpp"

#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "threadref/detail/process.hpp"
#include "threadref/unraisable.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// The block whose thread ended last on a CPU keeps its slabs of up to 16 KiB, 31 KiB in all, since
// the next thread there gets that block. Otherwise each of many short-lived threads would ask the
// pool for the same slabs. All other dead blocks keep their first slab only. While a thread has
// such warm slabs on loan, whether or not it uses them, no others are kept on that CPU. Otherwise
// each of many long-lived threads would be lent as much.
constexpr std::uint32_t warm_slab_classes = 5;

block* domain::acquire() noexcept {
  std::uint64_t serial = 0;
  const auto new_serial = [](lists& l, std::size_t shard) { return ++l.lives * shards + shard; };
  block* b =
      dead_.take([](const lists& l) { return l.free.load(std::memory_order_relaxed) != nullptr; },
                 [&serial, new_serial](lists& l, std::size_t shard) {
                   block* head = l.free.load(std::memory_order_relaxed);
                   if (head != nullptr) {
                     head->in_use.store(true, std::memory_order_relaxed);
                     l.free.store(head->next_free, std::memory_order_release);
                     serial = new_serial(l, shard);
                     head->lent_by = head->is_warm() ? shard : block::no_shard;
                     if (head->is_warm()) l.lends.store(true, std::memory_order_relaxed);
                   }
                   return head;
                 });
  if (b == nullptr) {
    b = extend();
    if (b == nullptr) return nullptr;
    auto& shard = *dead_.begin();
    const lock_guard lock(shard.m);
    serial = new_serial(shard.lists, 0);
  }
  b->begin_life(serial);
  return b;
}

block* domain::extend() noexcept {
  do {
    const lock_guard lock(m_);
    const std::size_t index = used_.load(std::memory_order_relaxed);
    if (index == max_blocks) return nullptr;
    chunk*& slot = chunks_[index / blocks_per_chunk];
    if (slot == nullptr) {
      if (void* const memory = cut(sizeof(chunk))) slot = ::new (memory) chunk;
    }
    if (slot != nullptr) {
      auto* b = ::new (&at(index)) block(*this, in_use(index));
      b->in_use.store(true, std::memory_order_relaxed);
      used_.store(index + 1, std::memory_order_release);  // publishes b to pin_live() and sum()
      return b;
    }
  } while (provide(sizeof(chunk)));  // without the lock
  return nullptr;
}

void domain::recycle(block& b) noexcept {
  THREADREF_POINT(recycle);
  if (b.lent_by != block::no_shard)
    dead_[b.lent_by].lists.lends.store(false, std::memory_order_relaxed);
  slab* linked = b.spare_linked_slabs();
  slab* spare = b.spare_slabs(warm_slab_classes);
  slab* cold = nullptr;
  slab* unlent = nullptr;
  auto& shard = dead_.here();
  {
    const lock_guard lock(shard.m);
    block* const before = shard.lists.free.load(std::memory_order_relaxed);
    if (before != nullptr) cold = before->spare_slabs(1);
    // Slabs are lent by acquire(), under this lock, so a shard never has two loans at once.
    if (shard.lists.lends.load(std::memory_order_relaxed)) unlent = b.spare_slabs(1);
    b.next_free = before;
    shard.lists.free.store(&b, std::memory_order_release);
    b.in_use.store(false, std::memory_order_release);
  }
  for (slab* s : {linked, spare, cold, unlent}) give_slabs(s);
}

block* domain::pin_live(std::size_t index) noexcept {
  if (!in_use(index).load(std::memory_order_acquire)) return nullptr;
  block& b = at(index);
  if (end_if_missed(b)) return nullptr;
  const lock_guard lock(b.m);
  if (b.serial == 0 || b.state.load(std::memory_order_relaxed) == thread_state::ended)
    return nullptr;
  b.pin();
  return &b;
}

// A thread can go without its exit hook having run: if it ends without the C library (by the system
// call, or killed by a sandbox), or if its first registration comes in a late round of its key
// destructors. Once the rounds are over, POSIX has no mechanism left for it, whether or not it had
// a pass before.
bool domain::end_if_missed(block& b) noexcept {
  bool left_any = false;
  {
    const lock_guard lock(b.m);
    if (!b.is_lost()) return false;
    b.draining = true;
    b.state.store(thread_state::ended, std::memory_order_relaxed);  // a second finder stops above
    left_any = b.abandon_pending() != 0;
  }
  if (left_any) report(b, nullptr, incident::missed);
  b.bury();
  return true;
}

block* domain::pin_lost_main() noexcept {
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) {
    if (!in_use(i).load(std::memory_order_acquire)) continue;
    block& b = at(i);
    const lock_guard lock(b.m);
    if (b.serial == 0 || !b.is_main()) continue;
    if (b.state.load(std::memory_order_relaxed) != thread_state::running) continue;
    if (!b.life.owner_died()) continue;
    b.pin();
    return &b;
  }
  return nullptr;
}

bool domain::has_others() noexcept {
  bool any = false;
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) {
    block* b = pin_live(i);
    if (b == nullptr) continue;
    any = any || b != list_.own();
    b->unpin();
  }
  return any;
}

void domain::on_load() noexcept {
  if (getpid() == gettid()) return arm_main();
  main_is_unarmed_.store(true, std::memory_order_relaxed);
}

bool domain::arms_main_here() const noexcept {
  return main_is_unarmed_.load(std::memory_order_relaxed) && getpid() == gettid();
}

// Handlers run newest first, so it is armed as late as possible: when main's thread_locals are
// being destroyed, by one of them. (A back end that no thread has used needs no stage before the
// statics.) The C library may need memory for it then. Where this is not done or fails, the stage
// that was armed when the library was loaded does: in the child of a fork by another thread than
// main, in a copy that may be unloaded, and if another thread calls exit().
void domain::arm_main() noexcept {
  constexpr auto at_exit = [](void* of) {
    auto& d = *static_cast<domain*>(of);
    if (d.used() != 0) static_cast<void>(d.arm_stage());
  };
  main_is_unarmed_.store(false, std::memory_order_relaxed);
  static_cast<void>(add_thread_local_destructor(at_exit, this));
}

// What std::atexit() does. ThreadSanitizer's own atexit (gcc 12) does not pass on which object the
// function belongs to, so it would call the function even after dlclose().
bool domain::arm_stage() noexcept {
  constexpr auto run = [](void* list) { static_cast<const list_functions*>(list)->process_exit(); };
  if (abi::__cxa_atexit(run, const_cast<list_functions*>(&list_), this_object()) != 0) return false;
  stage_is_over_.store(false, std::memory_order_relaxed);
  return true;
}

counters domain::sum() noexcept {
  if (word_lock::is_fork_pending()) settle_if_forked();
  counters all;
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) at(i).add_counts(all);
  return all;
}

void domain::trim() noexcept {
  for (auto& shard : dead_) {
    const lock_guard lock(shard.m);
    for (block* b = shard.lists.free; b != nullptr; b = b->next_free) {
      // Without the block's lock: a thread that holds it sees serial 0 and looks at no slot.
      give_slabs(b->array_slabs.exchange(nullptr));
      give_slabs(b->linked_slabs.exchange(nullptr));
    }
  }
}

void domain::become_only_thread() noexcept {
  is_enrolled.store(true, std::memory_order_relaxed);
  list_.renew_hook();
  for (auto& shard : dead_) {
    if (shard.lists.lends.load(std::memory_order_relaxed))
      shard.lists.lends.store(false, std::memory_order_relaxed);
  }
  block* const survivor = list_.own();
  if (survivor != nullptr && survivor->lent_by != block::no_shard)
    dead_[survivor->lent_by].lists.lends.store(true, std::memory_order_relaxed);
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) {
    if (!in_use(i).load(std::memory_order_relaxed)) continue;
    block& b = at(i);
    if (&b == survivor) {
      b.survive_fork();
    } else if (is_next_free(b)) {
      b.in_use.store(false, std::memory_order_relaxed);
    } else {
      b.vanish();
    }
  }
}

// Whether a block that is marked as in use is in a free list all the same: one that vanished as it
// took the block, or gave it back, stood between the two stores.
bool domain::is_next_free(const block& b) noexcept {
  return b.serial == 0 && std::any_of(dead_.begin(), dead_.end(), [&b](const auto& shard) {
           return shard.lists.free.load(std::memory_order_relaxed) == &b;
         });
}

void domain::bury_vanished() noexcept {
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) {
    block& b = at(i);
    if (!in_use(i).load(std::memory_order_relaxed) || !b.has_vanished) continue;
    b.has_vanished = false;
    const bool ended = b.state.load(std::memory_order_relaxed) == thread_state::ended;
    // The finalizers of a thread that was draining stay unavailable to other threads.
    if (settings().on_fork == fork_policy::run_siblings && !b.draining) list_.run_vanished(b);
    b.forget_pending();
    if (b.serial == 0) {
      // Its thread vanished as it began that life, or after it had ended.
      b.state.store(thread_state::ended, std::memory_order_relaxed);
      recycle(b);
    } else if (!ended) {
      b.bury();
    }
  }
}

}  // namespace threadref::inline THREADREF_ABI::detail
