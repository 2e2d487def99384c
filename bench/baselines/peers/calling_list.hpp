// SPDX-License-Identifier: MIT
// Used by several peers: a list that calls its elements when it is destroyed.
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

// Newest first. A function that is added meanwhile runs next.
template <class List>
void call_all(List& entries) {
  while (!entries.empty()) {
    const auto newest = std::move(entries.back());
    entries.pop_back();
    call_entry(newest);
  }
}

// Peers define their thread_local list inside a function: those at namespace scope are all
// constructed at the first use of any of them in the file, and would be timed together.
template <class List>
struct calling_list {
  List entries;
  calling_list() = default;
  calling_list(const calling_list&) = delete;
  calling_list& operator=(const calling_list&) = delete;
  ~calling_list() { call_all(entries); }
};

}  // namespace threadref::bench
