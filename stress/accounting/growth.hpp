// SPDX-License-Identifier: MIT
// Does the memory of a cell grow with the threads that came and went? Asked between rounds, when
// none of them is alive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace threadref::stress {

// What is allocated and not freed; what an allocator keeps for the next allocation, or maps, is no
// part of it. Nothing: the allocator of this process can't be asked.
std::optional<std::uint64_t> bytes_in_use();
std::uint64_t resident_bytes();
// To be called before the first thread starts, once: from here on bytes_in_use() counts.
void start_counting_bytes();

struct slope {
  double bytes_per_thread = 0;
  bool is_clear = false;  // all rounds of each third lie above all of the third before it
  double bytes = 0;       // what the slope makes of all rounds
  // In 340 cells in which nothing leaks the noise came to 5.9 bytes a thread at most, of 288
  // threads, and to 4.6 KB in all (2 CPUs of an AMD EPYC, Release, 2026-11-20).
  [[nodiscard]] bool grows() const noexcept {
    return is_clear && bytes_per_thread >= 4 && bytes >= 16 * 1024;
  }
};

class growth {
 public:
  struct sample {
    std::uint64_t threads = 0;  // that came and went so far
    std::uint64_t bytes = 0;
  };
  void add(sample one) noexcept;
  // By least squares, without the first quarter of the rounds, in which caches are filled. Nothing:
  // fewer than three rounds are left.
  [[nodiscard]] std::optional<slope> fit() const noexcept;

 private:
  // As many as these are kept, however many rounds there are: when it is full, every second one
  // goes, and from then on one in twice as many rounds is taken. So it takes no memory itself.
  static constexpr std::size_t most = 256;
  std::array<sample, most> kept_{};
  std::size_t size_ = 0;
  std::uint64_t every_ = 1;
  std::uint64_t rounds_ = 0;
};

// Both figures of a cell.
struct memory_watch {
  growth in_use;    // judged
  growth resident;  // shown only: the kernel's and the tools' own business is part of it
  void look(std::uint64_t threads_so_far);
};

}  // namespace threadref::stress
