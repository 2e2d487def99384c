// SPDX-License-Identifier: MIT
#include "threadref/detail/memory.hpp"

#include <sys/mman.h>

#include <mutex>
#include <new>

#include "threadref/config.hpp"
#include "threadref/detail/block.hpp"

namespace threadref::detail {

namespace {

constexpr std::size_t mapping_bytes = std::size_t{1} << 20U;
constexpr std::size_t smallest_slab = 1024;

// One for the process: slabs wander between threads and back ends. Constant-initialised and
// trivially destroyed, so that it serves before the first constructor and after the last
// destructor.
struct pool {
  std::mutex m;
  std::byte* next = nullptr;
  std::byte* end = nullptr;
  slab* unused[slab_classes] = {};
};
constinit pool shared;

std::byte* cut_from_current(std::size_t bytes) noexcept {
  if (static_cast<std::size_t>(shared.end - shared.next) < bytes) return nullptr;
  std::byte* piece = shared.next;
  shared.next += bytes;
  return piece;
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
    if (std::byte* piece = cut_from_current(bytes)) return piece;
  }
  void* mapping =
      mmap(nullptr, mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  tell_leak_checker(mapping, mapping_bytes);
  const std::lock_guard lock(shared.m);
  // Another thread may have been faster; whichever mapping has more room left is cut further, and
  // what is left of the other is the price (under 64 KiB) of not holding the lock over mmap.
  auto* fresh = static_cast<std::byte*>(mapping);
  if (static_cast<std::size_t>(shared.end - shared.next) < mapping_bytes - bytes) {
    shared.next = fresh + bytes;
    shared.end = fresh + mapping_bytes;
  }
  return fresh;
}

slab* take_slab(std::uint32_t size_class) noexcept {
  {
    const std::lock_guard lock(shared.m);
    if (slab* s = shared.unused[size_class]) {
      shared.unused[size_class] = s->next;
      s->next = nullptr;
      return s;
    }
  }
  const std::size_t bytes = smallest_slab << size_class;
  void* memory = cut(bytes);
  if (memory == nullptr) return nullptr;
  auto* s = ::new (memory) slab;
  s->size_class = size_class;
  s->capacity = static_cast<std::uint32_t>((bytes - sizeof(slab)) / sizeof(node));
  // The nodes are the mapping's zero bytes: generation 0, gone. Constructing them here would touch
  // every page of a slab that may never be filled.
  return s;
}

void give_slab(slab& unused) noexcept {
  const std::lock_guard lock(shared.m);
  unused.next = shared.unused[unused.size_class];
  shared.unused[unused.size_class] = &unused;
}

}  // namespace threadref::detail
