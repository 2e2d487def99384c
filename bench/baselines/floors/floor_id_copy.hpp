// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

namespace threadref::bench {

// The least that a list of all threads can cost: a copy of as many numbers under an uncontended
// mutex.
class floor_id_copy {
 public:
  static constexpr std::string_view name = "floor_id_copy";

  explicit floor_id_copy(int alive) : ids_(static_cast<std::size_t>(alive), 1) {}
  [[nodiscard, gnu::noinline]] std::vector<std::uint64_t> everyone() {
    const std::lock_guard lock(m_);
    return ids_;
  }

 private:
  std::mutex m_;
  std::vector<std::uint64_t> ids_;
};

}  // namespace threadref::bench
