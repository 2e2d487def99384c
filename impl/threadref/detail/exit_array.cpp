// SPDX-License-Identifier: MIT
// The array of a block: registrations ordered by their addresses. block.hpp has a picture.
//
// Slots are handed out from array_end() upwards, slab after slab. So the newest registration is the
// last slot, and a registration writes its 32 bytes and nothing else. A removed registration leaves
// a hole. The array shrinks only at its end: array_end() moves back over holes there, as a stack
// pointer does. So no slot is ever on a free list, and the order needs no links.
//
// What does not fit that order goes to a chain, which has links: other phases, exit_nodes,
// destructors, and registrations while the array can't be used. The drain merges the array and the
// chain `last` by generation. The array can't be used
//   - while half of it or more is holes. It does not grow then, so that a thread that for ever
//     removes its oldest registrations keeps at most twice the slots it had pending at once;
//   - once it is closed, for one because the drain had to pass over a slot in use (see
//     newest_in_array());
//   - on back ends and with options whose order is not by thread.
#include <algorithm>

#include "threadref/detail/block.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// While the array's end moves, next_slot and word_base do not match. The next word does not change
// during a move, so word_meanwhile holds it. (No reader waits for the end of the move: in the child
// of a fork, the moving thread may be gone half way through it.) Acquire: a reader that sees the
// new slot also sees the mark is_moving or a changed base; one that sees the mark sees
// word_meanwhile.
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

// Moves the array's end back over holes at the end of the current slab. Acquire: another thread may
// have emptied a slot, and what it did with the closure must happen before the slot's next use.
void block::trim_tail() noexcept {
  node* const end = array_end();
  node* top = end;
  while (top != array_begin &&
         node::state_of(top[-1].word_now.load(std::memory_order_acquire)) == node::gone) {
    --holes;
    --top;
  }
  if (top != end) pop_newest(*top);
}

bool block::pop_slab() noexcept {
  if (array_end() != array_begin || array == nullptr || array->older == nullptr) return false;
  array_room -= array->capacity;
  array = array->older;
  array_begin = array->nodes();
  array_limit = array_begin + array->capacity;
  move_array_end(array_limit);
  return true;
}

void block::resume_array() noexcept {
  array_paused = false;
  array_limit = array_closed || array == nullptr ? array_end() : array_begin + array->capacity;
}

bool block::extend_array() noexcept {
  if (array_closed) return false;
  do trim_tail();
  while (pop_slab());
  if (array_end() != array_limit) return true;
  const std::int64_t gone = holes + foreign_holes.load(std::memory_order_relaxed);
  if (array != nullptr && 2 * gone >= std::int64_t{array_room}) return false;
  slab* s = array != nullptr ? array->next.load(std::memory_order_relaxed)
                             : array_slabs.load(std::memory_order_relaxed);
  if (s == nullptr) {
    const std::uint32_t size_class =
        array != nullptr ? std::min(array->size_class + 1, slab_classes - 1) : 0;
    s = take_slab(slab_kind::of_nodes, size_class);
    if (s == nullptr) return false;
    s->older = array;  // before the slab can be found, also by the survivor of a fork
    // Release: other threads look through the slabs of a live thread, see visit().
    (array != nullptr ? array->next : array_slabs).store(s, std::memory_order_release);
  }
  array = s;
  array_room += s->capacity;
  array_begin = s->nodes();
  array_limit = array_begin + s->capacity;
  move_array_end(array_begin);
  return true;
}

node* block::newest_in_array() noexcept {
  for (;;) {
    do trim_tail();
    while (pop_slab());
    node* const end = array_end();
    if (end == array_begin) return nullptr;
    node& n = end[-1];
    const std::uint64_t w = n.word_now.load(std::memory_order_acquire);
    if (node::state_of(w) == node::armed && !(staging && (w & node::not_at_process_exit) != 0))
      return &n;
    // It runs on another thread, or the exit stage defers it. Its slot stays in use although the
    // array's end moves below it, so nothing may be registered from there on.
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
  array_limit = array_begin + array->capacity;
  move_array_end(array_limit);
}

}  // namespace threadref::inline THREADREF_ABI::detail
