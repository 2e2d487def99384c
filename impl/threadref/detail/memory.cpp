// SPDX-License-Identifier: MIT
#include "threadref/detail/memory.hpp"

#include <sys/mman.h>

#include <new>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"
#include "threadref/detail/sharded.hpp"
#include "threadref/detail/word_lock.hpp"

namespace threadref::inline THREADREF_ABI::detail {

namespace {

constexpr std::size_t mapping_bytes = std::size_t{1} << 20U;
constexpr std::size_t smallest_slab = 1024;

constexpr std::size_t whole_lines(std::size_t bytes) noexcept {
  return (bytes + cache_line - 1) / cache_line * cache_line;
}

// The header of a mapping for slabs. A mapping is aligned to its size, so that it can be found from
// a slab's address.
struct mapping {
  std::atomic<mapping*> next{nullptr};
  std::uint32_t slabs_cut = 0;
  std::uint32_t slabs_unused = 0;  // counted only by trim_memory(), so that no other call writes it
};
mapping& mapping_of(const slab& s) noexcept {
  return *reinterpret_cast<mapping*>(reinterpret_cast<std::uintptr_t>(&s) & ~(mapping_bytes - 1));
}

// Memory that is handed out from its front.
struct piece {
  std::byte* next = nullptr;
  std::byte* end = nullptr;
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end - next); }
  std::byte* cut(std::size_t bytes) noexcept {
    return size() < bytes ? nullptr : std::exchange(next, next + bytes);
  }
};

// One pool for the process: slabs move between threads and back ends. Constant-initialised and
// trivially destructible, so it can be used before the first constructor and after the last
// destructor.
struct pool {
  struct lists {
    std::atomic<slab*> unused[slab_kinds][slab_classes] = {};
  };
  sharded<lists> given;
  word_lock m;  // guards the members below; the last lock in the lock order
  piece for_good;
  piece for_slabs;
  std::atomic<mapping*> mappings{nullptr};
};
constinit pool shared;
template <class Lists>
auto& unused(Lists& l, slab_kind kind, std::uint32_t size_class) noexcept {
  return l.unused[static_cast<std::size_t>(kind)][size_class];
}

std::byte* map(std::size_t bytes) noexcept {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory != MAP_FAILED ? static_cast<std::byte*>(memory) : nullptr;
}

// Maps mapping_bytes, aligned to mapping_bytes.
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

void give_back(mapping* m) noexcept {
  untell_leak_checker(m, mapping_bytes);
  munmap(m, mapping_bytes);
}

// Under the lock. Null if the mapping that slabs are cut from has no room.
slab* cut_current(std::size_t bytes) noexcept {
  std::byte* memory = shared.for_slabs.cut(bytes);
  if (memory == nullptr) return nullptr;
  ++mapping_of(*reinterpret_cast<slab*>(memory)).slabs_cut;
  return ::new (memory) slab;
}

slab* cut_slab(std::size_t bytes) noexcept {
  {
    const lock_guard lock(shared.m);
    if (slab* s = cut_current(bytes)) return s;
  }
  std::byte* memory = map_aligned();
  if (memory == nullptr) return nullptr;
  auto* own = ::new (memory) mapping;
  slab* s = nullptr;
  {
    const lock_guard lock(shared.m);
    s = cut_current(bytes);
    if (s == nullptr) {
      own->next.store(shared.mappings, std::memory_order_relaxed);
      shared.mappings.store(own, std::memory_order_release);
      shared.for_slabs = {memory + cache_line, memory + mapping_bytes};
      s = cut_current(bytes);
      own = nullptr;
    }
  }
  if (own != nullptr) give_back(own);  // another thread was faster
  return s;
}

template <class F>
void for_each_unused(F&& f) noexcept {
  for (auto& shard : shared.given) {
    for (auto& of_kind : shard.lists.unused) {
      for (std::atomic<slab*>& head : of_kind) f(head);
    }
  }
}

// Under all locks: removes the mappings without a slab in use, and returns them as a list.
mapping* take_idle_mappings() noexcept {
  for (mapping* m = shared.mappings; m != nullptr; m = m->next) m->slabs_unused = 0;
  for_each_unused([](const std::atomic<slab*>& head) {
    for (const slab* s = head; s != nullptr; s = s->next) ++mapping_of(*s).slabs_unused;
  });
  const auto is_idle = [](const mapping& m) { return m.slabs_unused == m.slabs_cut; };
  for_each_unused([is_idle](std::atomic<slab*>& head) {
    for (std::atomic<slab*>* at = &head; slab* s = *at;) {
      if (is_idle(mapping_of(*s))) {
        at->store(s->next, std::memory_order_release);
      } else {
        at = &s->next;
      }
    }
  });
  mapping* idle = nullptr;
  for (std::atomic<mapping*>* at = &shared.mappings; mapping* m = *at;) {
    if (is_idle(*m)) {
      at->store(m->next, std::memory_order_release);
      m->next.store(idle, std::memory_order_release);
      idle = m;
      auto* const end = reinterpret_cast<std::byte*>(m) + mapping_bytes;
      if (shared.for_slabs.end == end) shared.for_slabs = {};
    } else {
      at = &m->next;
    }
  }
  return idle;
}

}  // namespace

node* slab::nodes() noexcept {
  return reinterpret_cast<node*>(this + 1);
}
linked_node* slab::linked_nodes() noexcept {
  return reinterpret_cast<linked_node*>(this + 1);
}
node& slab::at(std::size_t index) noexcept {
  if (kind == slab_kind::of_nodes) return nodes()[index];
  return linked_nodes()[index];
}

void* cut(std::size_t bytes) noexcept {
  const lock_guard lock(shared.m);
  return shared.for_good.cut(whole_lines(bytes));
}

bool provide(std::size_t bytes) noexcept {
  std::byte* own = map(mapping_bytes);
  if (own == nullptr) return false;
  {
    const lock_guard lock(shared.m);
    if (shared.for_good.size() < whole_lines(bytes)) {
      shared.for_good = {own, own + mapping_bytes};
      own = nullptr;
    }
  }
  if (own != nullptr) munmap(own, mapping_bytes);  // another thread was faster
  return true;
}

slab* take_slab(slab_kind kind, std::uint32_t size_class) noexcept {
  const auto has = [kind, size_class](const pool::lists& l) {
    return unused(l, kind, size_class).load(std::memory_order_relaxed) != nullptr;
  };
  const auto pop = [kind, size_class](pool::lists& l, std::size_t /*shard*/) {
    std::atomic<slab*>& head = unused(l, kind, size_class);
    slab* s = head.load(std::memory_order_relaxed);
    if (s != nullptr)
      head.store(s->next.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return s;
  };
  if (slab* s = shared.given.take(has, pop)) {
    s->next.store(nullptr, std::memory_order_release);
    return s;
  }
  const std::size_t bytes = smallest_slab << size_class;
  slab* s = cut_slab(bytes);
  if (s == nullptr) return nullptr;
  s->size_class = size_class;
  s->kind = kind;
  const std::size_t node_bytes = kind == slab_kind::of_nodes ? sizeof(node) : sizeof(linked_node);
  s->capacity = static_cast<std::uint32_t>((bytes - sizeof(slab)) / node_bytes);
  // The mapping's zero bytes serve as nodes: generation 0, gone. Constructing them here would touch
  // every page of a slab that may never be filled.
  return s;
}

void give_slabs(slab* first) noexcept {
  if (first == nullptr) return;
  auto& shard = shared.given.here();
  const lock_guard lock(shard.m);
  while (slab* s = first) {
    std::atomic<slab*>& head = unused(shard.lists, s->kind, s->size_class);
    first = s->next.load(std::memory_order_relaxed);
    s->next.store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    head.store(s, std::memory_order_release);
  }
}

void trim_memory() noexcept {
  mapping* idle = nullptr;
  {
    const lock_guard lock_given(shared.given);
    const lock_guard lock(shared.m);
    idle = take_idle_mappings();
  }
  while (mapping* m = idle) {
    idle = m->next;
    give_back(m);
  }
}

// A list of slabs or mappings is usable at any moment: a link is stored before what points to it.
// A piece has two ends.
void settle_memory() noexcept {
  if (shared.m.was_left_held()) shared.for_good = shared.for_slabs = {};
}

}  // namespace threadref::inline THREADREF_ABI::detail
