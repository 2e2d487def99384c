// SPDX-License-Identifier: MIT
#pragma once

#include "bodies/sweep.hpp"
#include "plugins/access.hpp"
#include "shared_object.hpp"

namespace threadref::bench {

// It stays loaded: threads have variables in it.
inline const access_table& loaded_access(const char* file) {
  return *reinterpret_cast<decltype(&threadref_bench_access)>(
      symbol_in(open_object(beside_program(file)), "threadref_bench_access"))();
}

// Where the timed code lies: in the program,
struct inline_access {
  static void load() {}
  template <class S>
  static probe::routine registration() {
    return &registration_routine<S>;
  }
  template <class S>
  static probe::routine ensure() {
    return &ensure_routine<S>;
  }
};
// in a shared object that uses the program's copy of the library,
struct shared_object {
  static constexpr const char* file = "bench_access_shared.so";
};
// or in one with a copy of its own, which comes when the program has long been running.
struct plugin_object {
  static constexpr const char* file = "bench_access_dlopened.so";
};
template <class Object>
struct access_through {
  static void load() { static_cast<void>(table()); }
  template <class S>
  static probe::routine registration() {
    return table().registration(S::name);
  }
  template <class S>
  static probe::routine ensure() {
    return table().ensure(S::name);
  }

 private:
  static const access_table& table() {
    static const access_table& loaded = loaded_access(Object::file);
    return loaded;
  }
};
using shared_access = access_through<shared_object>;
using dlopened_access = access_through<plugin_object>;

// What does registering one more cost there?
template <id K, class Access>
struct sweep_of_registration_access : sweep_body<id::registration> {
  using floors = access_floors;
  using peers = access_peers;

  template <subject S>
  static sample take(probe& at, int n, verdict& v) {
    at.n = n;
    return at.run(Access::template registration<S>(), n + 1, v);
  }
  template <subject S>
  static void run(benchmark::State& state, session& all, const row& of) {
    or_say_why(state, all, [&] {
      Access::load();
      measure_and_report<K, S>(state, all, of);
    });
  }
};

// What does it cost to ask whether the thread is registered, if it is?
template <id K, class Access>
struct sweep_of_ensure_access {
  using floors = ensure_floors;
  using peers = type_list<>;
  static constexpr figures wanted = figures::per_operation;
  static constexpr int pairs(int /*n*/) { return sweep_pairs(256); }
  static constexpr int most(int /*n*/) { return 1; }
  static constexpr double operations(int n) { return n; }

  template <class S>
  static sample take(probe& at, int n, verdict& v) {
    at.n = n;
    return at.run(Access::template ensure<S>(), 0, v);
  }
  template <class S>
  static void run(benchmark::State& state, session& all, const row& of) {
    or_say_why(state, all, [&] {
      Access::load();
      measure_and_report<K, S>(state, all, of);
    });
  }
};

// What do the two cost the program itself, and code in a shared object?
//   bench_threadref --benchmark_filter=sweep/access
// Floors and peers lie in the same object as what they are compared with.
template <>
struct body<id::sweep_access_inline_ensure>
    : sweep_of_ensure_access<id::sweep_access_inline_ensure, inline_access> {};
template <>
struct body<id::sweep_access_inline_registration>
    : sweep_of_registration_access<id::sweep_access_inline_registration, inline_access> {};
template <>
struct body<id::sweep_access_shared_ensure>
    : sweep_of_ensure_access<id::sweep_access_shared_ensure, shared_access> {};
template <>
struct body<id::sweep_access_shared_registration>
    : sweep_of_registration_access<id::sweep_access_shared_registration, shared_access> {};
template <>
struct body<id::sweep_access_dlopened_ensure>
    : sweep_of_ensure_access<id::sweep_access_dlopened_ensure, dlopened_access> {};
template <>
struct body<id::sweep_access_dlopened_registration>
    : sweep_of_registration_access<id::sweep_access_dlopened_registration, dlopened_access> {};

}  // namespace threadref::bench
