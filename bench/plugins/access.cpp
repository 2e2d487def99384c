// SPDX-License-Identifier: MIT
// Built twice: without the library, to use the program's copy, whose variables lie in the TLS block
// that each thread is born with; and with a copy of its own, whose TLS block each thread gets at
// its first access.
#include "plugins/access.hpp"

namespace threadref::bench {
namespace {

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
    if (S::name == subject) found = &ensure_routine<S>;
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
