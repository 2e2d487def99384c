// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "bench/scenarios/sweeps/sweep.hpp"

namespace threadref::bench {

namespace {

// An array of `count` sized_call<bytes>: a pointer to the call, and padding.
std::vector<std::byte> sized_calls(const account& at, int count, std::size_t bytes) {
  std::vector<std::byte> all(static_cast<std::size_t>(count) * bytes);
  for (int id = 0; id != count; ++id) {
    const call* const which = at.done.calls + id;
    std::memcpy(all.data() + static_cast<std::size_t>(id) * bytes, &which, sizeof(void*));
  }
  return all;
}

template <class Routines>
sample take_sized(const subject_code& s, const Routines& routines, int registered, probe& at,
                  int bytes, verdict& v) {
  const auto wanted = static_cast<std::size_t>(bytes);
  const auto found = std::find(callable_sizes.begin(), callable_sizes.end(), wanted);
  std::vector<std::byte> calls = sized_calls(at, registered, wanted);
  at.n = swept_count;
  at.shared = calls.data();
  return s.run(at, routines[static_cast<std::size_t>(found - callable_sizes.begin())], registered,
               v);
}

}  // namespace

// What does registering a larger function object cost?
//   bench_threadref --benchmark_filter=sweep/callable_registration
// Up to 16 bytes are stored in place, larger ones are allocated. Floors and peers store only a
// pointer, whatever the size.
template <>
const scenario_code& scenario_of<id::sweep_callable_registration>() {
  static const scenario_code it = [] {
    scenario_code made = sweep_of_registration(id::sweep_callable_registration);
    made.take = [](const subject_code& s, probe& at, int bytes, verdict& v) {
      return take_sized(s, s.sized_registration, swept_count + 1, at, bytes, v);
    };
    return made;
  }();
  return it;
}

// What does running and destroying a larger function object cost?
//   bench_threadref --benchmark_filter=sweep/callable_exit
template <>
const scenario_code& scenario_of<id::sweep_callable_exit>() {
  static const scenario_code it = [] {
    scenario_code made = sweep_of_exit(id::sweep_callable_exit);
    made.take = [](const subject_code& s, probe& at, int bytes, verdict& v) {
      return take_sized(s, s.sized_exit, swept_count, at, bytes, v);
    };
    return made;
  }();
  return it;
}

}  // namespace threadref::bench
