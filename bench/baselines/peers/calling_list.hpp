// SPDX-License-Identifier: MIT
// What several peers share: a list that calls what it holds when it is destroyed.
#pragma once

#include <utility>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

inline void call_entry(const entry& e) {
  e.fn(e.arg);
}
template <class F>
void call_entry(const F& function) {
  function();
}

// Newest first; what is added meanwhile runs next.
template <class List>
void call_all(List& entries) {
  while (!entries.empty()) {
    const auto newest = std::move(entries.back());
    entries.pop_back();
    call_entry(newest);
  }
}

// Peers have theirs inside a function: those outside are made all at once, at the first use of any
// in their file, and each would be timed together with the others.
template <class List>
struct calling_list {
  List entries;
  calling_list() = default;
  calling_list(const calling_list&) = delete;
  calling_list& operator=(const calling_list&) = delete;
  ~calling_list() { call_all(entries); }
};

}  // namespace threadref::bench
