// SPDX-License-Identifier: MIT
#include "bench/memory/hooks.hpp"

#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <string_view>

#include "testing/check.hpp"

namespace threadref::bench {

namespace {

constinit std::atomic<std::int64_t> calls{0};
constinit std::atomic<std::int64_t> bytes{0};

void add_bytes(std::size_t count) noexcept {
  bytes.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed);
}
void subtract_bytes(std::size_t count) noexcept {
  bytes.fetch_sub(static_cast<std::int64_t>(count), std::memory_order_relaxed);
}
void* counted_call(void* got) noexcept {
  calls.fetch_add(1, std::memory_order_relaxed);
  add_bytes(malloc_usable_size(got));
  return got;
}

}  // namespace

memory_seen memory_now() noexcept {
  return {calls.load(std::memory_order_relaxed), bytes.load(std::memory_order_relaxed)};
}

// Not from statm: the kernel may fill that from counters that lag behind.
std::int64_t resident_now() {
  const int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  THREADREF_CHECK_ERRNO(file >= 0, "/proc/self/smaps_rollup");
  char buffer[512];
  const ssize_t got = read(file, buffer, sizeof buffer);
  THREADREF_CHECK_ERRNO(got > 0, "/proc/self/smaps_rollup");
  close(file);
  const std::string_view text(buffer, static_cast<std::size_t>(got));
  const std::size_t key = text.find("Rss:");
  const std::size_t digits = text.find_first_of("0123456789", key);
  std::int64_t kib = 0;
  const bool is_read =
      key != text.npos && digits != text.npos &&
      std::from_chars(&text[digits], text.data() + text.size(), kib).ec == std::errc{};
  THREADREF_CHECK(is_read, "/proc/self/smaps_rollup has no Rss line");
  return kib * 1024;
}

}  // namespace threadref::bench

// The program's definitions take precedence over the C library's, even for calls by the C library.
// They still use the C library's allocator.
extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);

void* malloc(std::size_t bytes) noexcept {
  return threadref::bench::counted_call(__libc_malloc(bytes));
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return threadref::bench::counted_call(__libc_calloc(count, bytes));
}
void* realloc(void* old, std::size_t bytes) noexcept {
  const std::size_t before = malloc_usable_size(old);
  void* const got = __libc_realloc(old, bytes);
  if (got != nullptr || bytes == 0) threadref::bench::subtract_bytes(before);
  return threadref::bench::counted_call(got);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return threadref::bench::counted_call(__libc_memalign(alignment, bytes));
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return aligned_alloc(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  void* const got = aligned_alloc(alignment, bytes);
  if (got == nullptr) return ENOMEM;
  *memory = got;
  return 0;
}
void free(void* memory) noexcept {
  const int saved = errno;
  threadref::bench::subtract_bytes(malloc_usable_size(memory));
  __libc_free(memory);
  errno = saved;
}

void* mmap(void* at, std::size_t bytes, int protection, int flags, int file,
           off_t offset) noexcept {
  const long got = syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
  if (got == -1) return MAP_FAILED;
  threadref::bench::calls.fetch_add(1, std::memory_order_relaxed);
  threadref::bench::add_bytes(bytes);
  return reinterpret_cast<void*>(got);
}
int munmap(void* at, std::size_t bytes) noexcept {
  if (syscall(SYS_munmap, at, bytes) != 0) return -1;
  threadref::bench::subtract_bytes(bytes);
  return 0;
}

}  // extern "C"
