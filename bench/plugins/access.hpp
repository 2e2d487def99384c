// SPDX-License-Identifier: MIT
// The timed loops, compiled into a shared library: its code finds thread_local variables as any
// position-independent code does.
#pragma once

#include <string_view>

#include "baselines/floor_bump_store.hpp"
#include "baselines/floor_thread_local_load.hpp"
#include "baselines/peer_cxa_thread_atexit.hpp"
#include "baselines/peer_reserved_vector.hpp"
#include "routines.hpp"
#include "threadref/backends.hpp"
#include "threadref/type_list.hpp"

namespace threadref::bench {

// Peers that do not differ by where they are called from are left out.
using access_floors = type_list<floor_bump_store>;
using access_peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit>;
using ensure_floors = type_list<floor_thread_local_load>;

// Asks n times whether the thread is registered, where it is. A "no" counts as misordered.
template <class S>
[[gnu::noinline]] std::uint64_t count_unknown(int n) {
  std::uint64_t unknown = 0;
  for (int i = 0; i != n; ++i) {
    unknown += S::is_known() ? 0U : 1U;
    forget_registers();
  }
  return unknown;
}
template <class S>
void ensure_routine(probe& at) {
  if constexpr (requires { S::know(&at); }) S::know(&at);
  static_cast<void>(S::is_known());
  at.start = now();
  const std::uint64_t unknown = count_unknown<S>(at.n);
  at.stop = now();
  at.done.misordered += unknown;
}

// What such a library offers: what a probe's thread does, by the subject's name.
struct access_table {
  probe::routine (*registration)(std::string_view subject);
  probe::routine (*ensure)(std::string_view subject);
};

}  // namespace threadref::bench

extern "C" const threadref::bench::access_table* threadref_bench_access();
