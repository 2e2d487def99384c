// SPDX-License-Identifier: MIT
#include "stress/accounting/growth.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>

// From the sanitizer's runtime, if one is linked.
extern "C" [[gnu::weak]] int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void*, std::size_t), void (*on_free)(const volatile void*));
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_allocated_size(const volatile void* at);
extern "C" [[gnu::weak]] std::size_t __sanitizer_get_current_allocated_bytes();

namespace threadref::stress {

namespace {

// Under a sanitizer, hooks count: its own figure includes the quarantine, which grows to 256 MiB by
// design.
std::atomic<std::uint64_t> counted_bytes{0};
bool is_counted() noexcept {
  return __sanitizer_install_malloc_and_free_hooks != nullptr &&
         __sanitizer_get_allocated_size != nullptr;
}

std::uint64_t asked_bytes() noexcept {
  if (is_counted()) return counted_bytes.load(std::memory_order_relaxed);
  const struct mallinfo2 all = mallinfo2();
  return all.uordblks + all.hblkhd;  // the second: blocks that have their own mapping
}

// mallinfo2() shows nothing under valgrind or with a preloaded allocator.
bool answers() {
  constexpr std::size_t enough = 4096;
  const std::uint64_t before = asked_bytes();
  void* volatile some = std::malloc(enough);  // volatile, or the optimiser removes it
  const std::uint64_t with = asked_bytes();
  std::free(some);
  return with >= before + enough;
}

}  // namespace

void start_counting_bytes() {
  if (!is_counted()) return;
  // This is too high by the allocator's rounding, so later frees never take the count below 0.
  counted_bytes.store(__sanitizer_get_current_allocated_bytes(), std::memory_order_relaxed);
  __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t size) {
        counted_bytes.fetch_add(size, std::memory_order_relaxed);
      },
      [](const volatile void* at) {
        if (at != nullptr)
          counted_bytes.fetch_sub(__sanitizer_get_allocated_size(at), std::memory_order_relaxed);
      });
}

std::optional<std::uint64_t> bytes_in_use() {
  static const bool answered = answers();
  if (!answered) return std::nullopt;
  return asked_bytes();
}

std::uint64_t resident_bytes() {
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void growth::add(sample one) noexcept {
  if (rounds_++ % every_ != 0) return;
  if (size_ == most) {
    for (std::size_t i = 0; i != most / 2; ++i) samples_[i] = samples_[2 * i];
    size_ = most / 2;
    every_ *= 2;
  }
  samples_[size_++] = one;
}

namespace {

using samples = std::span<const growth::sample>;

double least_squares(samples all) noexcept {
  double threads = 0;
  double bytes = 0;
  for (const growth::sample& s : all) {
    threads += static_cast<double>(s.threads) / static_cast<double>(all.size());
    bytes += static_cast<double>(s.bytes) / static_cast<double>(all.size());
  }
  double products = 0;
  double squares = 0;
  for (const growth::sample& s : all) {
    const double from_mean = static_cast<double>(s.threads) - threads;
    products += from_mean * (static_cast<double>(s.bytes) - bytes);
    squares += from_mean * from_mean;
  }
  return products / squares;
}

bool lies_above(samples later, samples earlier) noexcept {
  const auto by_bytes = [](const growth::sample& a, const growth::sample& b) {
    return a.bytes < b.bytes;
  };
  return std::min_element(later.begin(), later.end(), by_bytes)->bytes >
         std::max_element(earlier.begin(), earlier.end(), by_bytes)->bytes;
}

}  // namespace

std::optional<slope> growth::fit() const noexcept {
  constexpr std::size_t least = 3;
  const std::size_t warm_up = (size_ + 3) / 4;
  const samples all = samples(samples_).first(size_).subspan(warm_up);
  if (all.size() < least || all.front().threads == all.back().threads) return std::nullopt;
  const std::size_t third = all.size() / 3;
  const samples first = all.first(third);
  const samples last = all.last(third);
  const samples between = all.subspan(third, all.size() - 2 * third);
  const double bytes_per_thread = least_squares(all);
  return slope{
      .bytes_per_thread = bytes_per_thread,
      .is_clear = lies_above(between, first) && lies_above(last, between),
      .bytes = bytes_per_thread * static_cast<double>(all.back().threads - all.front().threads)};
}

void memory_watch::take_sample(std::uint64_t threads_so_far) {
  if (const std::optional<std::uint64_t> bytes = bytes_in_use())
    in_use.add({threads_so_far, *bytes});
  resident.add({threads_so_far, resident_bytes()});
}

}  // namespace threadref::stress
