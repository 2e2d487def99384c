// SPDX-License-Identifier: MIT
#include "testing/memory_hooks.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace threadref::testing {

namespace {

constinit thread_local memory_watch* watch_here = nullptr;
constinit std::atomic<allocation_hook> hook_of_all{nullptr};

// May this call succeed?
bool admits() noexcept {
  memory_watch* const w = watch_here;
  if (w == nullptr) return true;
  const long number = ++w->asked;
  if (w->fails_at == 0 || number < w->fails_at) return true;
  if (number > w->fails_at && !w->fails_after) return true;
  ++w->failed;
  errno = ENOMEM;
  return false;
}

bool allocation_is_admitted() noexcept {
  if (const allocation_hook hook = hook_of_all.load(std::memory_order_acquire)) hook();
  return admits();
}

}  // namespace

void watch_memory(memory_watch* watch) noexcept {
  watch_here = watch;
}
void set_allocation_hook(allocation_hook hook) noexcept {
  hook_of_all.store(hook, std::memory_order_release);
}

}  // namespace threadref::testing

// The program's definitions override those of the C library, also for calls by the C library. The
// memory still comes from the C library, so its free() works.
extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) noexcept {
  return threadref::testing::allocation_is_admitted() ? __libc_malloc(bytes) : nullptr;
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return threadref::testing::allocation_is_admitted() ? __libc_calloc(count, bytes) : nullptr;
}
void* realloc(void* old, std::size_t bytes) noexcept {
  return threadref::testing::allocation_is_admitted() ? __libc_realloc(old, bytes) : nullptr;
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return threadref::testing::allocation_is_admitted() ? __libc_memalign(alignment, bytes) : nullptr;
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  void* const found = aligned_alloc(alignment, bytes);
  if (found == nullptr) return ENOMEM;
  *memory = found;
  return 0;
}
void* mmap(void* at, std::size_t bytes, int protection, int flags, int file,
           off_t offset) noexcept {
  if (!threadref::testing::admits()) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, protection, flags, file, offset));
}

}  // extern "C"
