// SPDX-License-Identifier: MIT
// Does the memory of a cell grow with the threads that have come and gone? Measured between rounds,
// when none of them is alive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace threadref::stress {

// Bytes that are allocated and not freed, without what the allocator caches or maps. Empty: this
// process's allocator can't tell.
std::optional<std::uint64_t> bytes_in_use();
std::uint64_t resident_bytes();
// To be called once, before the first thread starts: bytes_in_use() counts from then on.
void start_counting_bytes();

struct slope {
  double bytes_per_thread = 0;
  bool is_clear = false;  // all rounds of a third lie above all of the third before it
  double bytes = 0;       // growth over all rounds, by that slope
  // In 340 cells without a leak the noise was at most 5.9 bytes a thread (with 288 threads) and
  // 4.6 KB in total (2 CPUs of an AMD EPYC, Release, 2026-11-20).
  [[nodiscard]] bool grows() const noexcept {
    return is_clear && bytes_per_thread >= 4 && bytes >= 16 * 1024;
  }
};

class growth {
 public:
  struct sample {
    std::uint64_t threads = 0;  // that have come and gone so far
    std::uint64_t bytes = 0;
  };
  void add(sample one) noexcept;
  // By least squares, without the first quarter of the rounds, in which caches fill. Empty: fewer
  // than three rounds are left.
  [[nodiscard]] std::optional<slope> fit() const noexcept;

 private:
  // A fixed number of samples, so that this class does not grow itself: when the array is full,
  // every second sample is dropped, and from then on half as many rounds are sampled.
  static constexpr std::size_t most = 256;
  std::array<sample, most> samples_{};
  std::size_t size_ = 0;
  std::uint64_t every_ = 1;
  std::uint64_t rounds_ = 0;
};

// Both measures of a cell.
struct memory_watch {
  growth in_use;    // judged
  growth resident;  // only shown: it includes memory of the kernel and of tools
  void take_sample(std::uint64_t threads_so_far);
};

}  // namespace threadref::stress
