// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "probe.hpp"

namespace threadref::bench {

// What most people write first: a thread_local vector whose destructor calls what it holds. Its
// user knows how many there will be and reserves room for them.
struct peer_reserved_vector {
  static constexpr std::string_view name = "peer_reserved_vector";

  static void arm(entry* /*storage*/, int n) { list_.entries.reserve(static_cast<std::size_t>(n)); }
  template <class C>
  [[gnu::always_inline]] static void add(C /*c*/, C* kept) {
    list_.entries.push_back({&run_state<C>, kept});
  }

 private:
  struct list {
    std::vector<entry> entries;
    list() = default;
    list(const list&) = delete;
    list& operator=(const list&) = delete;
    ~list() {
      while (!entries.empty()) {  // one that is added meanwhile runs next
        const entry newest = entries.back();
        entries.pop_back();
        newest.fn(newest.arg);
      }
    }
  };
  static inline thread_local list list_;
};

}  // namespace threadref::bench
