// SPDX-License-Identifier: MIT
#include "threadref/detail/memory.hpp"

#include <sys/mman.h>

#include <mutex>
#include <new>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"

namespace threadref::detail {

namespace {

constexpr std::size_t mapping_bytes = std::size_t{1} << 20U;
constexpr std::size_t smallest_slab = 1024;

// What a mapping for slabs begins with; aligned to its size, so that a slab finds it by its
// address.
struct mapping {
  mapping* next = nullptr;
  std::uint32_t slabs_in_use = 0;
};
mapping& mapping_of(const slab& s) noexcept {
  return *reinterpret_cast<mapping*>(reinterpret_cast<std::uintptr_t>(&s) & ~(mapping_bytes - 1));
}

// A piece of memory that is handed out from its front.
struct piece {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end - next); }
  std::byte* cut(std::size_t bytes) noexcept {
    return size() < bytes ? nullptr : std::exchange(next, next + bytes);
  }
};

// One for the process: slabs wander between threads and back ends. Constant-initialised and
// trivially destroyed, so that it serves before the first constructor and after the last
// destructor.
struct pool {
  std::mutex m;
  piece for_good;
  piece for_slabs;
  mapping* mappings = nullptr;
  slab* unused[slab_classes] = {};
};
constinit pool shared;

std::byte* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED ? static_cast<std::byte*>(memory) : nullptr;
}

// mapping_bytes, aligned to as many.
std::byte* map_aligned() noexcept {
  std::byte* whole = map(2 * mapping_bytes);
  if (whole == nullptr) return nullptr;
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(whole) & (mapping_bytes - 1);
  std::byte* aligned = whole + before;
  if (before != 0) munmap(whole, before);
  munmap(aligned + mapping_bytes, mapping_bytes - before);
  tell_leak_checker(aligned, mapping_bytes);
  return aligned;
}

// Under the lock. Another thread may have been faster; whichever piece has more room left is cut
// further, and what is left of the other is the price of not holding the lock over mmap.
void keep_larger(piece& current, piece fresh) noexcept {
  if (current.size() < fresh.size()) current = fresh;
}

slab* cut_slab(std::size_t bytes) noexcept {
  {
    const std::lock_guard lock(shared.m);
    if (std::byte* memory = shared.for_slabs.cut(bytes)) {
      ++mapping_of(*reinterpret_cast<slab*>(memory)).slabs_in_use;
      return ::new (memory) slab;
    }
  }
  std::byte* memory = map_aligned();
  if (memory == nullptr) return nullptr;
  auto* m = ::new (memory) mapping{.slabs_in_use = 1};
  piece rest{memory + cache_line, memory + mapping_bytes};
  std::byte* first = rest.cut(bytes);
  const std::lock_guard lock(shared.m);
  m->next = shared.mappings;
  shared.mappings = m;
  keep_larger(shared.for_slabs, rest);
  return ::new (first) slab;
}

// Under the lock: the mappings without a slab in use leave the list, as a list.
mapping* take_idle_mappings() noexcept {
  // The one that is being cut stays: its rest would be lost.
  const mapping* current =
      shared.for_slabs.next == nullptr
          ? nullptr
          : &mapping_of(*reinterpret_cast<slab*>(shared.for_slabs.end - cache_line));
  const auto is_idle = [current](const mapping& m) { return m.slabs_in_use == 0 && &m != current; };
  for (slab*& head : shared.unused) {
    slab* kept = nullptr;
    while (slab* s = head) {
      head = s->next.load(std::memory_order_relaxed);
      if (is_idle(mapping_of(*s))) continue;
      s->next.store(kept, std::memory_order_relaxed);
      kept = s;
    }
    head = kept;
  }
  mapping* idle = nullptr;
  for (mapping** at = &shared.mappings; *at != nullptr;) {
    mapping* m = *at;
    if (is_idle(*m)) {
      *at = m->next;
      m->next = idle;
      idle = m;
    } else {
      at = &m->next;
    }
  }
  return idle;
}

}  // namespace

node* slab::begin() noexcept {
  return reinterpret_cast<node*>(this + 1);
}
node* slab::end() noexcept {
  return begin() + capacity;
}

void* cut(std::size_t bytes) noexcept {
  bytes = (bytes + cache_line - 1) / cache_line * cache_line;
  {
    const std::lock_guard lock(shared.m);
    if (std::byte* memory = shared.for_good.cut(bytes)) return memory;
  }
  std::byte* memory = map(mapping_bytes);
  if (memory == nullptr) return nullptr;
  piece rest{memory, memory + mapping_bytes};
  std::byte* first = rest.cut(bytes);
  const std::lock_guard lock(shared.m);
  keep_larger(shared.for_good, rest);
  return first;
}

slab* take_slab(std::uint32_t size_class) noexcept {
  {
    const std::lock_guard lock(shared.m);
    if (slab* s = shared.unused[size_class]) {
      shared.unused[size_class] = s->next.load(std::memory_order_relaxed);
      s->next.store(nullptr, std::memory_order_relaxed);
      ++mapping_of(*s).slabs_in_use;
      return s;
    }
  }
  const std::size_t bytes = smallest_slab << size_class;
  slab* s = cut_slab(bytes);
  if (s == nullptr) return nullptr;
  s->size_class = size_class;
  s->capacity = static_cast<std::uint32_t>((bytes - sizeof(slab)) / sizeof(node));
  // The nodes are the mapping's zero bytes: generation 0, gone. Constructing them here would touch
  // every page of a slab that may never be filled.
  return s;
}

void give_slabs(slab* first) noexcept {
  if (first == nullptr) return;
  const std::lock_guard lock(shared.m);
  while (slab* s = first) {
    first = s->next.load(std::memory_order_relaxed);
    s->next.store(shared.unused[s->size_class], std::memory_order_relaxed);
    shared.unused[s->size_class] = s;
    --mapping_of(*s).slabs_in_use;
  }
}

void trim_memory() noexcept {
  mapping* idle = nullptr;
  {
    const std::lock_guard lock(shared.m);
    idle = take_idle_mappings();
  }
  while (mapping* m = idle) {
    idle = m->next;
    untell_leak_checker(m, mapping_bytes);
    munmap(m, mapping_bytes);
  }
}

void lock_memory() noexcept {
  shared.m.lock();
}
void unlock_memory() noexcept {
  shared.m.unlock();
}

}  // namespace threadref::detail
