// SPDX-License-Identifier: MIT
#include "bench/load/shared_object.hpp"
#include "bench/plugins/access_table.hpp"
#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

// The object stays loaded: threads have variables in it.
const access_table& loaded_access(const char* file) {
  return *reinterpret_cast<decltype(&threadref_bench_access)>(
      symbol_in(open_object(beside_program(file)), "threadref_bench_access"))();
}

// The timed code is in the program,
struct inline_access {
  static void load() {}
  static probe::routine registration(const subject_code& s) { return s.registration; }
  static probe::routine ensure(const subject_code& s) { return s.ensure_many; }
};
// in a shared object that uses the program's copy of the library,
struct shared_object {
  static constexpr const char* file = "bench_access_shared.so";
};
// or in one with its own copy of the library, which is loaded while the program runs.
struct plugin_object {
  static constexpr const char* file = "bench_access_dlopened.so";
};
template <class Object>
struct access_through {
  static void load() { static_cast<void>(table()); }
  static probe::routine registration(const subject_code& s) { return table().registration(s.name); }
  static probe::routine ensure(const subject_code& s) { return table().ensure(s.name); }

 private:
  static const access_table& table() {
    static const access_table& loaded = loaded_access(Object::file);
    return loaded;
  }
};
using shared_access = access_through<shared_object>;
using dlopened_access = access_through<plugin_object>;

template <class Access>
void run(benchmark::State& state, session& session, const row& row, const subject_code& s) {
  fail_with_reason(state, session, [&] {
    Access::load();
    measure_and_report(state, session, row, s);
  });
}

// What does it cost to register one more finalizer there?
template <class Access>
scenario_code registration_through(id key) {
  scenario_code made = sweep_of_registration(key);
  made.peers = {"peer_reserved_vector", "peer_cxa_thread_atexit"};
  made.take = [](const subject_code& s, probe& at, int n, verdict& v) {
    at.n = n;
    return s.run(at, Access::registration(s), n + 1, v);
  };
  made.run = &run<Access>;
  return made;
}

// What does it cost to ask whether the thread is registered, which it is?
template <class Access>
scenario_code ensure_through(id key) {
  return {
      .key = key,
      .floors = {"floor_thread_local_load"},
      .pairs = [](int /*n*/) { return sweep_pairs(256); },
      .most = [](int /*n*/) { return 1; },
      .take =
          [](const subject_code& s, probe& at, int n, verdict& v) {
            at.n = n;
            return s.run(at, Access::ensure(s), 0, v);
          },
      .run = &run<Access>,
  };
}

}  // namespace

// What do ensure() and a registration cost in the program itself and in a shared object?
//   bench_threadref --benchmark_filter=sweep/access
// Floors and peers are in the same object as the back end that they are compared with.
template <>
const scenario_code& scenario_of<id::sweep_access_inline_ensure>() {
  static const scenario_code it = ensure_through<inline_access>(id::sweep_access_inline_ensure);
  return it;
}
template <>
const scenario_code& scenario_of<id::sweep_access_inline_registration>() {
  static const scenario_code it =
      registration_through<inline_access>(id::sweep_access_inline_registration);
  return it;
}
template <>
const scenario_code& scenario_of<id::sweep_access_shared_ensure>() {
  static const scenario_code it = ensure_through<shared_access>(id::sweep_access_shared_ensure);
  return it;
}
template <>
const scenario_code& scenario_of<id::sweep_access_shared_registration>() {
  static const scenario_code it =
      registration_through<shared_access>(id::sweep_access_shared_registration);
  return it;
}
template <>
const scenario_code& scenario_of<id::sweep_access_dlopened_ensure>() {
  static const scenario_code it = ensure_through<dlopened_access>(id::sweep_access_dlopened_ensure);
  return it;
}
template <>
const scenario_code& scenario_of<id::sweep_access_dlopened_registration>() {
  static const scenario_code it =
      registration_through<dlopened_access>(id::sweep_access_dlopened_registration);
  return it;
}

}  // namespace threadref::bench
