// SPDX-License-Identifier: MIT
// What a thread's end does, in the order in which it does it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "probe.hpp"
#include "threadref/backend.hpp"

namespace threadref::bench {

enum class event : std::uint8_t {
  stack,
  older,
  younger,
  lower_key,
  higher_key,
  finalizer_1,
  finalizer_2,
  joined
};

// The events of one thread. Its finalizers are marks, its other objects are made by plant_*().
struct trace {
  std::vector<event> seen;
  std::function<bool()> is_alive;        // what a ref of the thread says; empty: there is none
  std::uint64_t alive_in_finalizer = 0;  // how often it said "alive" too late

  void note(event e) { seen.push_back(e); }
};

// A finalizer that leaves its event.
struct mark {
  trace* at;
  event what;
  void operator()() const {
    if (at->is_alive && at->is_alive()) ++at->alive_in_finalizer;
    at->note(what);
  }
};
static_assert(sizeof(mark) == 16);

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

// "stack > younger thread_local > finalizers 2,1 > older thread_local > lower key > ... > join"
std::string to_text(const std::vector<event>& seen);

// Does it agree with newest first, and with what the back end claims? Keys are shown, not judged.
verdict judge(const trace& t, capability claims);

}  // namespace threadref::bench
