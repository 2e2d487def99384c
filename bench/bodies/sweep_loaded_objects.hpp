// SPDX-License-Identifier: MIT
#pragma once

#include "baselines/peer_cxa_last_object.hpp"
#include "bodies/sweep.hpp"
#include "loaded_objects.hpp"

namespace threadref::bench {

template <id K, id Timed>
struct sweep_of_objects : sweep_body<Timed> {
  using peers =
      type_list<peer_reserved_vector, peer_cxa_thread_atexit, peer_cxa_last_object, peer_key_list>;

  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    report_among<K, loaded_objects, S>(state, all, of);
  }
};

// Does registering depend on how many shared objects are loaded?
//   bench_threadref --benchmark_filter=sweep/loaded_objects_registration
// glibc looks for the object that registers, one after the other.
template <>
struct body<id::sweep_loaded_objects_registration>
    : sweep_of_objects<id::sweep_loaded_objects_registration, id::registration> {};

// Does the end of a thread depend on how many shared objects are loaded?
//   bench_threadref --benchmark_filter=sweep/loaded_objects_exit
template <>
struct body<id::sweep_loaded_objects_exit>
    : sweep_of_objects<id::sweep_loaded_objects_exit, id::exit_solo> {};

}  // namespace threadref::bench
