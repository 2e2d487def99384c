// SPDX-License-Identifier: MIT
// How much of its memory the library keeps, where several CPUs or threads use it.
//
// It defines mmap and munmap, so it can't be built with a sanitizer.
//
// exit status: 0 fine · 3 wrong
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <set>
#include <thread>

#include "conformance/harness/affinity.hpp"
#include "testing/check.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;
using conformance::affinity;
using conformance::stay_on;

constexpr int threads = 16;
constexpr int barriers = 2;  // for the table of blocks, and for slabs
constexpr std::size_t mapping_bytes = std::size_t{1} << 20U;

constinit thread_local int passed = 0;
constinit std::atomic<int> arrived[barriers]{};
constinit std::atomic<bool> watching{false};
constinit std::atomic<std::size_t> mapped{0};

void wait_for_all() noexcept {
  if (!watching || passed == barriers) return;
  std::atomic<int>& here = arrived[passed++];
  ++here;
  while (here != threads) sched_yield();  // if a lock stops the others: until the CPU limit
}

}  // namespace

extern "C" {

void* mmap(void* at, std::size_t bytes, int protection, int flags, int file,
           off_t offset) noexcept {
  wait_for_all();
  const long got = syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
  if (got == -1) return MAP_FAILED;
  mapped += bytes;
  return reinterpret_cast<void*>(got);
}
int munmap(void* at, std::size_t bytes) noexcept {
  mapped -= bytes;
  return static_cast<int>(syscall(SYS_munmap, at, bytes));
}

}  // extern "C"

namespace {

// All threads are in mmap() when the first call returns. Each mapping is large enough for all
// threads, so one of each kind must remain. No lock may be held meanwhile: then they would not all
// get there.
void keeps_one_mapping_of_many() {
  std::atomic<int> ran{0};
  const std::size_t before = mapped;
  watching = true;
  {
    std::deque<std::thread> all;
    for (int i = 0; i != threads; ++i) all.emplace_back([&ran] { finalize([&ran] { ++ran; }); });
    for (std::thread& t : all) t.join();
  }
  watching = false;
  for (const std::atomic<int>& a : arrived)
    THREADREF_CHECK(a == threads, "not all threads mapped memory, so nothing was tested");
  THREADREF_CHECK(ran == threads, "a finalizer did not run exactly once");
  THREADREF_CHECK(mapped - before == barriers * mapping_bytes,
                  "not exactly one mapping for blocks and one for slabs remained");
  trim();
  THREADREF_CHECK(mapped - before == mapping_bytes, "trim() left more than the mapping for blocks");
}

// One block and one slab are in use at a time, each time on another CPU; twice, so that every CPU
// reuses what another one left.
void uses_what_another_cpu_left() {
  static constexpr detail::list_functions no_functions{
      [] {}, []() noexcept -> detail::block* { return nullptr; }, [](detail::block&) {},
      []() noexcept {}};
  static constinit detail::domain table(no_functions);
  const cpu_set_t allowed = affinity();
  const detail::slab* first = nullptr;
  std::set<std::uint64_t> serials;
  for (std::size_t turn = 0; turn != std::size_t{2} * CPU_SETSIZE; ++turn) {
    const std::size_t cpu = turn % CPU_SETSIZE;
    if (!CPU_ISSET(cpu, &allowed)) continue;
    stay_on(cpu);
    detail::block* b = table.acquire();
    THREADREF_CHECK(b != nullptr, "a block is unavailable");
    THREADREF_CHECK(serials.insert(b->serial).second, "a serial was used again");
    b->end_life();
    detail::slab* s = detail::take_slab(detail::slab_kind::of_nodes, detail::slab_classes - 1);
    THREADREF_CHECK(s != nullptr, "a slab is unavailable");
    if (first == nullptr) first = s;
    THREADREF_CHECK(s == first, "a CPU got a new slab while there was one");
    detail::give_slabs(s);
  }
  THREADREF_CHECK(table.used() == 1, "a CPU got a new block while there was one");
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

// A mapping stays while one of its slabs is in use. After that trim() unmaps it, and no later slab
// is carved from it.
void trims_unused_mappings() {
  const std::size_t before = mapped;
  detail::slab* s = detail::take_slab(detail::slab_kind::of_nodes, detail::slab_classes - 1);
  THREADREF_CHECK(s != nullptr, "a slab is unavailable");
  trim();
  s->nodes()->retire();
  detail::give_slabs(s);
  trim();
  THREADREF_CHECK(mapped <= before, "trim() left an unused mapping");
}

// On one CPU, so that the third thread gets the block of the second: it can reuse all but the first
// slab of the first thread.
void shares_what_the_dead_left() {
  constexpr int many = 20'000;
  const cpu_set_t allowed = affinity();
  stay_on(static_cast<std::size_t>(sched_getcpu()));
  const auto register_many = [] {
    for (int i = 0; i != many; ++i) finalize([] {});
  };
  std::atomic<bool> first_ended{false};
  std::thread second;
  std::thread([&] {
    register_many();
    std::atomic<bool> ready{false};
    second = std::thread([&] {
      finalize([] {});
      ready = true;
      while (!first_ended) sched_yield();
    });
    while (!ready) sched_yield();
  }).join();
  first_ended = true;
  second.join();
  const std::size_t before = mapped;
  std::thread(register_many).join();
  THREADREF_CHECK(mapped == before, "new memory was mapped while some was free");
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

// Bytes of a block's slabs.
std::size_t slab_bytes_of(const detail::block& b) {
  std::size_t bytes = 0;
  for (const auto* first : {&b.array_slabs, &b.linked_slabs}) {
    for (const detail::slab* s = first->load(); s != nullptr; s = s->next.load())
      bytes += std::size_t{1024} << s->size_class;
  }
  return bytes;
}

// On one CPU: of threads that lived at once, the last one to end leaves slabs of 1, 2, 4, 8 and 16
// KiB for the next thread of its block, and each other one leaves 1 KiB.
void keeps_the_slabs_of_the_last() {
  constexpr int many = 5'000;
  constexpr std::size_t of_last = std::size_t{31} * 1024;
  const cpu_set_t allowed = affinity();
  stay_on(static_cast<std::size_t>(sched_getcpu()));
  std::array<const detail::block*, threads> blocks{};
  {
    std::atomic<int> ready{0};
    std::deque<std::thread> all;
    for (const detail::block*& own : blocks) {
      all.emplace_back([&ready, &own] {
        for (int n = 0; n != many; ++n) finalize([] {});
        own = default_backend::list::own();
        ++ready;
        while (ready != threads) sched_yield();
      });
    }
    for (std::thread& t : all) t.join();
  }
  std::size_t largest = 0;
  std::size_t bytes = 0;
  for (const detail::block* b : blocks) {
    bytes += slab_bytes_of(*b);
    largest = std::max(largest, slab_bytes_of(*b));
  }
  THREADREF_CHECK(largest == of_last, "the last thread to end did not leave 31 KiB");
  THREADREF_CHECK(bytes == of_last + (threads - 1) * std::size_t{1024},
                  "the other threads did not leave 1 KiB each");
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

// On one CPU: threads start, each after one with many finalizers has ended, and live on. Only one
// of them has what those left, until it ends.
void lends_them_to_one() {
  constexpr int many = 5'000;
  const cpu_set_t allowed = affinity();
  stay_on(static_cast<std::size_t>(sched_getcpu()));
  const auto live_on = [](std::atomic<std::size_t>& bytes, const std::atomic<bool>& over) {
    finalize([] {});
    bytes = slab_bytes_of(*default_backend::list::own());
    while (!over) sched_yield();
  };
  for (int turn = 0; turn != 2; ++turn) {
    std::array<std::atomic<std::size_t>, threads> bytes{};
    std::atomic<bool> over{false};
    std::deque<std::thread> all;
    std::size_t in_all = 0;
    for (auto& mine : bytes) {
      std::thread([] {
        for (int n = 0; n != many; ++n) finalize([] {});
      }).join();
      all.emplace_back(live_on, std::ref(mine), std::cref(over));
      while (mine == 0) sched_yield();
      in_all += mine;
    }
    over = true;
    for (std::thread& t : all) t.join();
    THREADREF_CHECK(in_all == std::size_t{1024} * (31 + threads - 1),
                    "not exactly one of the living threads has 31 KiB, and each other 1 KiB");
  }
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "sched_setaffinity");
}

}  // namespace

int main() {
  // Its threads spin while they wait, so a CPU limit ends a hang.
  constexpr rlimit enough{.rlim_cur = 60, .rlim_max = 60};
  THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_CPU, &enough) == 0, "setrlimit");
  try {
    keeps_one_mapping_of_many();
    uses_what_another_cpu_left();
    trims_unused_mappings();
    shares_what_the_dead_left();
    keeps_the_slabs_of_the_last();
    lends_them_to_one();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "memory_bounds: %s\n", e.what());
    return testing::status_crashed;
  }
  if (std::thread::hardware_concurrency() < 2) std::printf("one CPU: nothing to share\n");
  return testing::status_fine;
}
