// SPDX-License-Identifier: MIT
#include "bench/load/loaded_objects.hpp"

#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

scenario_code among_objects(scenario_code made) {
  made.peers = {"peer_reserved_vector", "peer_cxa_thread_atexit", "peer_cxa_last_object",
                "peer_key_list"};
  made.run = &report_among<loaded_objects>;
  return made;
}

}  // namespace

// Does registering depend on how many shared objects are loaded?
//   bench_threadref --benchmark_filter=sweep/loaded_objects_registration
// glibc searches all objects for the one that registers.
template <>
const scenario_code& scenario_of<id::sweep_loaded_objects_registration>() {
  static const scenario_code it =
      among_objects(sweep_of_registration(id::sweep_loaded_objects_registration));
  return it;
}

// Does the end of a thread depend on how many shared objects are loaded?
//   bench_threadref --benchmark_filter=sweep/loaded_objects_exit
template <>
const scenario_code& scenario_of<id::sweep_loaded_objects_exit>() {
  static const scenario_code it = among_objects(sweep_of_exit(id::sweep_loaded_objects_exit));
  return it;
}

}  // namespace threadref::bench
