// SPDX-License-Identifier: MIT
// What a thread's end does, in the order in which it does it.
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

// The events of one thread. Its finalizers are marks, its other objects are made by plant_*().
struct trace {
  std::vector<event> seen;
  std::function<bool()> is_alive;        // what a ref of the thread says; empty: there is none
  std::uint64_t alive_in_finalizer = 0;  // how often it said "alive" too late
  std::promise<void> promised;
  std::future<void> future;

  // Nothing is called when a promise is kept: whatever happens next finds it so.
  void note(event e);
};

// Leaves its event when it is destroyed.
struct marker {
  explicit marker(trace& t, event e) : at(&t), what(e) {}
  marker(const marker&) = delete;
  marker& operator=(const marker&) = delete;
  ~marker() { at->note(what); }
  trace* at;
  event what;
};

// Each makes its object on the calling thread, once a thread. The lower key was created before any
// back end could create one, the higher one in main().
void plant_older_thread_local(trace& t);
void plant_younger_thread_local(trace& t);
void plant_keys(trace& t);
void create_higher_key();
void plant_promise(trace& t);  // set_value_at_thread_exit()

// Boost's at_thread_exit() and thread_specific_ptr, where Boost is in the build: it is decided
// there which of two files has these.
void plant_boost(trace& t);
// A line that says so where it is not; else nothing.
std::string_view left_out_of_traces();

// "stack > younger thread_local > finalizers 2,1 > older thread_local > lower key > ... > join"
std::string to_text(const std::vector<event>& seen);

// What the subject of a trace has said of itself.
struct expected {
  capability claims = capability::none;
  bool is_oldest_first = false;
  bool has_destructors = false;
};
// Does it agree with that? Keys, Boost and the promise are shown, not judged.
verdict judge(const trace& t, const expected& of);

}  // namespace threadref::bench
