// SPDX-License-Identifier: MIT
// Built twice. Without threadref it uses the program's copy, whose variables are in the TLS block
// that each thread starts with. With a copy of its own, each thread allocates that copy's TLS block
// at its first access.
#include <string_view>

#include "bench/baselines/floors/floor_bump_store.hpp"
#include "bench/baselines/floors/floor_thread_local_load.hpp"
#include "bench/baselines/peers/peer_cxa_thread_atexit.hpp"
#include "bench/baselines/peers/peer_reserved_vector.hpp"
#include "bench/plugins/access_table.hpp"
#include "bench/subjects/library.hpp"
#include "bench/subjects/routines.hpp"
#include "threadref/backends.hpp"
#include "threadref/type_list.hpp"

namespace threadref::bench {
namespace {

// Without the peers for which it makes no difference where they are called from.
using access_floors = type_list<floor_bump_store>;
using access_peers = type_list<peer_reserved_vector, peer_cxa_thread_atexit>;
using ensure_floors = type_list<floor_thread_local_load>;

// Calls f.template operator()<S>() for each subject.
template <class F>
void for_each_backend(F f) {
  for_each_type(backends{}, [&f]<backend B>() { f.template operator()<library<B>>(); });
}

probe::routine registration_of(std::string_view subject) {
  probe::routine found = nullptr;
  const auto look = [&]<class S>() {
    if (S::name == subject) found = &registration_routine<S>;
  };
  for_each_backend(look);
  for_each_type(access_floors{}, look);
  for_each_type(access_peers{}, look);
  return found;
}

probe::routine ensure_of(std::string_view subject) {
  probe::routine found = nullptr;
  const auto look = [&]<class S>() {
    if (S::name == subject) found = &ensure_many_routine<S>;
  };
  for_each_backend(look);
  for_each_type(ensure_floors{}, look);
  return found;
}

}  // namespace
}  // namespace threadref::bench

extern "C" const threadref::bench::access_table* threadref_bench_access() {
  using namespace threadref::bench;
  static constexpr access_table table{&registration_of, &ensure_of};
  return &table;
}
