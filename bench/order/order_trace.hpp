// SPDX-License-Identifier: MIT
// The order in which things happen when a thread ends.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "bench/subjects/finalizers.hpp"
#include "bench/timing/probe.hpp"
#include "threadref/backend.hpp"

namespace threadref::bench {

// The events of one thread. Its finalizers are marks; add_*() makes its other objects.
struct order_trace {
  std::vector<event> seen;
  std::function<bool()> is_alive;        // asks a ref of the thread; empty: there is no ref
  std::uint64_t alive_in_finalizer = 0;  // how often the ref said "alive" too late
  std::promise<void> promised;
  std::future<void> future;

  // A promise that becomes ready calls nothing, so the next event records it.
  void note(event e);
};

// Records its event when it is destroyed.
struct marker {
  explicit marker(order_trace& t, event e) : at(&t), what(e) {}
  marker(const marker&) = delete;
  marker& operator=(const marker&) = delete;
  ~marker() { at->note(what); }
  order_trace* at;
  event what;
};

// Each makes its object on the calling thread, once per thread. The lower key was created before
// any back end could create one, the higher one in main().
void add_older_thread_local(order_trace& t);
void add_younger_thread_local(order_trace& t);
void add_keys(order_trace& t);
void create_higher_key();
void add_promise(order_trace& t);  // set_value_at_thread_exit()

// Boost's at_thread_exit() and thread_specific_ptr. CMake chooses one of two files that define
// these two functions, depending on whether Boost is installed.
void add_boost(order_trace& t);
// A line that says that Boost's events are missing, or nothing.
std::string_view missing_events_note();

// "stack > younger thread_local > finalizers 2,1 > older thread_local > lower key > ... > join"
std::string to_text(const std::vector<event>& seen);

// What the subject of a trace claims.
struct expected {
  capability claims = capability::none;
  bool is_oldest_first = false;
  bool has_destructors = false;
};
// Checks the trace against the claims. Keys, Boost and the promise are shown, not judged.
verdict judge(const order_trace& t, const expected& of);

}  // namespace threadref::bench
