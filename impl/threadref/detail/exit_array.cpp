// SPDX-License-Identifier: MIT
// The array of a block: registrations in the order of their addresses.
//
// Slots are handed out from fresh() upwards, slab after slab, so that the newest registration is
// the last slot, and a registration writes its 32 bytes and nothing else. What is taken out is a
// hole; the array gives way only at its end: fresh() goes back over what is gone there, as a stack
// pointer does. So no slot is ever on a free list, and the order is right without any link.
//
// What does not fit that order goes to a chain, which has links: other phases, exit_nodes,
// destructors, and registrations while the array can't be used. The drain merges the array and the
// chain `last` by generation. The array can't be used
//   - when half of it and more are holes: it grows no further then, so that a thread that takes out
//     its oldest registrations for ever keeps no more than twice what it had pending at once;
//   - once it is closed: the drain had to pass over a slot in use (see newest_in_array());
//   - on back ends and with options whose order is not by thread.
#include <algorithm>

#include "threadref/detail/block.hpp"

namespace threadref::detail {

// While the array's end moves, its slot and the word base do not belong together; the word that
// comes next stays the same then, and is told. (Nobody waits for the end of the move: in the child
// of a fork the thread may be gone, half way.) Acquire: who sees the new slot sees the mark, or
// that the base has changed; who sees the mark sees that word.
std::uint64_t block::newest_generation() const noexcept {
  for (;;) {
    const std::uint64_t base = word_base.load(std::memory_order_acquire);
    if ((base & is_moving) != 0)
      return node::generation_of(word_meanwhile.load(std::memory_order_relaxed)) - 1;
    const node* const slot = next_slot.load(std::memory_order_acquire);
    if (word_base.load(std::memory_order_relaxed) == base)
      return node::generation_of(base + number_of(slot)) - 1;
  }
}

// Back over what is gone at the end of the current slab. Acquire: whoever took such a slot may have
// been another thread, and what it did with the closure comes before the slot's next use.
void block::recede() noexcept {
  node* const end = fresh();
  node* top = end;
  while (top != array_begin &&
         node::state_of(top[-1].word_now.load(std::memory_order_acquire)) == node::gone) {
    --holes;
    --top;
  }
  if (top != end) pop_newest(*top);
}

bool block::leave_slab() noexcept {
  if (fresh() != array_begin || array == nullptr || array->older == nullptr) return false;
  array_room -= array->capacity;
  array = array->older;
  array_begin = array->nodes();
  fresh_end = array_begin + array->capacity;
  move_fresh(fresh_end);
  return true;
}

void block::resume_array() noexcept {
  array_paused = false;
  fresh_end = array_closed || array == nullptr ? fresh() : array_begin + array->capacity;
}

bool block::extend_array() noexcept {
  if (array_closed) return false;
  do recede();
  while (leave_slab());
  if (fresh() != fresh_end) return true;
  const std::int64_t gone = holes + foreign_holes.load(std::memory_order_relaxed);
  if (array != nullptr && 2 * gone >= std::int64_t{array_room}) return false;
  slab* s = array != nullptr ? array->next.load(std::memory_order_relaxed)
                             : array_slabs.load(std::memory_order_relaxed);
  if (s == nullptr) {
    const std::uint32_t size_class =
        array != nullptr ? std::min(array->size_class + 1, slab_classes - 1) : 0;
    s = take_slab(slab_kind::of_nodes, size_class);
    if (s == nullptr) return false;
    s->older = array;  // before it is found, also by the survivor of a fork
    // Others look through the slabs of a live thread: see visit().
    (array != nullptr ? array->next : array_slabs).store(s, std::memory_order_release);
  }
  array = s;
  array_room += s->capacity;
  array_begin = s->nodes();
  fresh_end = array_begin + s->capacity;
  move_fresh(array_begin);
  return true;
}

node* block::newest_in_array() noexcept {
  for (;;) {
    do recede();
    while (leave_slab());
    node* const end = fresh();
    if (end == array_begin) return nullptr;
    node& n = end[-1];
    const std::uint64_t w = n.word_now.load(std::memory_order_acquire);
    if (node::state_of(w) == node::armed && !(staging && (w & node::not_at_process_exit) != 0))
      return &n;
    // Its slot stays in use below fresh(), so nothing may be registered from there on.
    if (node::state_of(w) != node::gone) {
      array_closed = true;
      pop_newest(n);
    }
  }
}

void block::rewind_array() noexcept {
  if (!array_closed) return;
  while (array != nullptr && array->next.load(std::memory_order_relaxed) != nullptr)
    array = array->next.load(std::memory_order_relaxed);
  if (array == nullptr) return;
  array_begin = array->nodes();
  fresh_end = array_begin + array->capacity;
  move_fresh(fresh_end);
}

}  // namespace threadref::detail
