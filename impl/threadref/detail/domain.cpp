// SPDX-License-Identifier: MIT
#include "threadref/detail/domain.hpp"

#include <new>
#include <utility>

namespace threadref::detail {

block* domain::acquire() noexcept {
  block* b = nullptr;
  std::uint64_t serial = 0;
  {
    const std::lock_guard lock(m_);
    b = free_;
    if (b != nullptr) free_ = b->next_free;
    serial = ++last_serial_;
  }
  if (b == nullptr) b = extend();
  if (b == nullptr) return nullptr;
  b->begin_life(serial);
  return b;
}

block* domain::extend() noexcept {
  for (;;) {
    {
      const std::lock_guard lock(m_);
      const std::size_t index = used_.load(std::memory_order_relaxed);
      if (index == max_blocks) return nullptr;
      block*& slot = chunks_[index / blocks_per_chunk];
      if (slot == nullptr) slot = std::exchange(spare_chunk_, nullptr);
      if (slot != nullptr) {
        auto* b = ::new (&at(index)) block(*this);
        used_.store(index + 1, std::memory_order_release);  // publishes it to pin_live() and sum()
        return b;
      }
    }
    // Memory is obtained without the lock; who comes second leaves its chunk for the next need.
    auto* chunk = static_cast<block*>(cut(blocks_per_chunk * sizeof(block)));
    if (chunk == nullptr) return nullptr;
    const std::lock_guard lock(m_);
    if (spare_chunk_ == nullptr) spare_chunk_ = chunk;
  }
}

void domain::recycle(block& b) noexcept {
  THREADREF_POINT(recycle);
  {
    const std::lock_guard lock(b.m);
    b.serial = 0;  // from here on every handle of that life answers "gone" without touching a node
    b.returned = nullptr;
    b.has_returned.store(false, std::memory_order_relaxed);
  }
  // The first slab stays, so that a churned thread's first registration is warm; the rest is
  // shared.
  if (b.slabs != nullptr) {
    for (slab* s = std::exchange(b.slabs->next, nullptr); s != nullptr;) {
      give_slab(*std::exchange(s, s->next));
    }
  }
  const std::lock_guard lock(m_);
  b.next_free = free_;
  free_ = &b;
}

block* domain::pin_live(std::size_t index) noexcept {
  block& b = at(index);
  const std::lock_guard lock(b.m);
  if (b.serial == 0 || b.state.load(std::memory_order_relaxed) == thread_state::ended)
    return nullptr;
  b.pin_described();
  return &b;
}

counters domain::sum() noexcept {
  constexpr auto get = [](const std::atomic<std::uint64_t>& c) {
    return c.load(std::memory_order_relaxed);
  };
  counters all;
  const std::size_t blocks = used();
  for (std::size_t i = 0; i != blocks; ++i) {
    const block& b = at(i);
    all.registered += get(b.registered);
    all.ran_at_exit += get(b.ran_at_exit);
    all.abandoned += get(b.abandoned);
    for (const tally* t : {&b.own, &b.foreign}) {
      all.ran_by_call += get(t->ran_by_call);
      all.detached += get(t->detached);
      all.dropped += get(t->dropped);
    }
  }
  return all;
}

}  // namespace threadref::detail
