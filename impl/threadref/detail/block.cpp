// SPDX-License-Identifier: MIT
#include "threadref/detail/block.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include "threadref/detail/domain.hpp"

namespace threadref::detail {

namespace {

// The kernel's id of another thread, without a system call: the id of a thread's CPU clock encodes
// it (Linux, include/linux/posix-timers_types.h: (~tid << 3) | flags). The thread must not have
// ended.
pid_t tid_of(pthread_t thread) noexcept {
  clockid_t clock = 0;
  if (pthread_getcpuclockid(thread, &clock) != 0) return 0;
  return ~(clock >> 3);
}

}  // namespace

node* block::refill() noexcept {
  if (refusing) return nullptr;
  if (has_returned.load(std::memory_order_acquire)) {
    collect_returned();
    if (free != nullptr) return take_slot();
  }
  slab* s = current != nullptr ? current->next : slabs;
  if (s == nullptr) {
    const std::uint32_t size_class =
        current != nullptr ? std::min(current->size_class + 1, slab_classes - 1) : 0;
    s = take_slab(size_class);
    if (s == nullptr) return nullptr;
    (current != nullptr ? current->next : slabs) = s;
  }
  current = s;
  fresh = s->begin();
  fresh_end = s->end();
  return fresh++;
}

void block::collect_returned() noexcept {
  node* list = nullptr;
  {
    const std::lock_guard lock(m);
    list = std::exchange(returned, nullptr);
    has_returned.store(false, std::memory_order_relaxed);
  }
  while (list != nullptr) {
    node& n = *std::exchange(list, list->returned_next);
    unlink(n);
    give_slot(n);
  }
}

void block::retire_foreign(node& n) noexcept {
  n.retire();
  n.returned_next = returned;
  returned = &n;
  has_returned.store(true, std::memory_order_release);
  if (waiters.load(std::memory_order_relaxed) != 0) done.notify_all();
}

void block::begin_life(std::uint64_t new_serial) noexcept {
  newest = nullptr;
  free = nullptr;
  current = nullptr;
  fresh = fresh_end = nullptr;
  rounds = 0;
  draining_here = false;
  refusing = false;
  pins.store(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(m);
    serial = new_serial;
    draining = false;
    described = false;
    thread = pthread_self();
    state.store(thread_state::running, std::memory_order_relaxed);
  }
  live.store(new_serial, std::memory_order_release);
}

void block::begin_drain() noexcept {
  if (draining_here) return;
  THREADREF_POINT(begin_drain);
  draining_here = true;
  registered_in_time = registered.load(std::memory_order_relaxed);
  const std::lock_guard lock(m);
  draining = true;
  live.store(0, std::memory_order_release);
  state.store(thread_state::draining, std::memory_order_release);
  // Somebody keeps this thread's identity: its name may have changed since it was read.
  if (described && pins.load(std::memory_order_relaxed) > 1) {
    pthread_getname_np(thread, name, sizeof name);
  }
}

void block::end_life() noexcept {
  THREADREF_POINT(end);
  {
    const std::lock_guard lock(m);
    live.store(0, std::memory_order_release);
    state.store(thread_state::ended, std::memory_order_release);
  }
  done.notify_all();  // whatever a waiter missed, the end of the thread tells it
  unpin();
}

void block::wake() noexcept {
  const std::lock_guard lock(m);
  done.notify_all();
}

void block::pin_described() noexcept {
  pins.fetch_add(1, std::memory_order_relaxed);
  if (described) return;
  tid = tid_of(thread);
  if (pthread_getname_np(thread, name, sizeof name) != 0) name[0] = '\0';
  described = true;
}

bool block::try_pin(std::uint64_t of) noexcept {
  const std::lock_guard lock(m);
  if (serial != of || state.load(std::memory_order_relaxed) == thread_state::ended) return false;
  pin_described();
  return true;
}

void block::unpin() noexcept {
  if (pins.fetch_sub(1, std::memory_order_acq_rel) == 1) home->recycle(*this);
}

}  // namespace threadref::detail
