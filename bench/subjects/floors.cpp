// SPDX-License-Identifier: MIT
// The timed code of all floors, and of the peers that only a few rows have.
#include "bench/subjects/floors.hpp"

#include "bench/baselines/floors/floor_acquire_load.hpp"
#include "bench/baselines/floors/floor_bump_store.hpp"
#include "bench/baselines/floors/floor_call_loop.hpp"
#include "bench/baselines/floors/floor_counter_pair.hpp"
#include "bench/baselines/floors/floor_empty_thread.hpp"
#include "bench/baselines/floors/floor_id_copy.hpp"
#include "bench/baselines/floors/floor_mutex_pair.hpp"
#include "bench/baselines/floors/floor_thread_local_load.hpp"
#include "bench/baselines/peers/peer_cxa_last_object.hpp"
#include "bench/baselines/peers/peer_weak_ptr.hpp"
#include "bench/subjects/make_code.hpp"

namespace threadref::bench {

namespace {

sample lock_rounds(probe& /*at*/, verdict& /*v*/) {
  const instant before = now();
  const instant start = now();
  floor_mutex_pair::rounds(removed_by_another);
  return {now() - start, start - before, 0, 0};
}

template <class S>
subject_code floor_code() {
  subject_code code = make_code<S, scope::rows_and_sweeps>(row_kind::floor);
  if constexpr (std::is_same_v<S, floor_mutex_pair>)
    code.foreign = {&lock_rounds, &lock_rounds, &lock_rounds};
  if constexpr (std::is_same_v<S, floor_acquire_load>) code.ref_check = &ask_floor<S>;
  if constexpr (std::is_same_v<S, floor_counter_pair>) code.ref_lock = &ask_floor<S>;
  return code;
}

template <class... Floor>
void add_floors(std::vector<subject_code>& all) {
  (all.push_back(floor_code<Floor>()), ...);
}

}  // namespace

const std::vector<subject_code>& floors_and_single_peers() {
  static const std::vector<subject_code> all = [] {
    std::vector<subject_code> made;
    add_floors<floor_acquire_load, floor_bump_store, floor_call_loop, floor_counter_pair,
               floor_empty_thread, floor_id_copy, floor_mutex_pair, floor_thread_local_load>(made);
    made.push_back(make_code<peer_weak_ptr, scope::rows>(row_kind::peer));
    made.push_back(make_code<peer_cxa_last_object, scope::rows>(row_kind::peer));
    return made;
  }();
  return all;
}

}  // namespace threadref::bench
