// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "bodies/sweep.hpp"

namespace threadref::bench {

// A finalizer of that size. It calls the usual one, so that every size is accounted for.
template <std::size_t Bytes>
struct sized_call {
  const call* which;
  std::array<std::byte, Bytes - sizeof(void*)> rest{};
  void operator()() const { (*which)(); }
};
template <>
struct sized_call<sizeof(void*)> {
  const call* which;
  void operator()() const { (*which)(); }
};

template <std::size_t Bytes, subject S>
[[gnu::noinline]] void register_sized(sized_call<Bytes>* calls, std::int64_t from,
                                      std::int64_t to) {
  for (std::int64_t id = from; id != to; ++id) {
    S::add(calls[id], calls + id);
    forget_registers();
  }
}

template <id Timed>
struct sweep_of_callable : sweep_body<Timed> {
  using base = sweep_body<Timed>;
  static constexpr bool is_exit = Timed == id::exit_solo;

  template <std::size_t Bytes, subject S>
  static void routine(probe& at) {
    static_assert(sizeof(sized_call<Bytes>) == Bytes);
    auto* const calls = static_cast<sized_call<Bytes>*>(at.shared);
    const int most = base::most(0);
    S::arm(at.storage(), most);
    register_sized<Bytes, S>(calls, 0, most - base::count);
    at.start = now();
    register_sized<Bytes, S>(calls, most - base::count, most);
    if (is_exit) {
      at.start = now();
    } else {
      at.stop = now();
    }
    leave<S>();
  }

  template <std::size_t Bytes, subject S>
  static sample take_sized(probe& at, verdict& v) {
    std::vector<sized_call<Bytes>> calls;
    for (int id = 0; id != base::most(0); ++id) calls.push_back({at.done.calls + id});
    at.shared = calls.data();
    return at.run(&routine<Bytes, S>, base::most(0), v);
  }

  template <subject S>
  static sample take(probe& at, int bytes, verdict& v) {
    switch (bytes) {
      case 8:
        return take_sized<8, S>(at, v);
      case 16:
        return take_sized<16, S>(at, v);
      case 24:
        return take_sized<24, S>(at, v);
      case 64:
        return take_sized<64, S>(at, v);
      default:
        return take_sized<256, S>(at, v);
    }
  }
};

// What does registering a larger function object cost?
//   bench_threadref --benchmark_filter=sweep/callable_registration
// 16 bytes are stored in place, what is larger is allocated. Floors and peers store a pointer to
// what lives elsewhere, whatever its size.
template <>
struct body<id::sweep_callable_registration> : sweep_of_callable<id::registration> {};

// What does running and destroying a larger function object cost?
//   bench_threadref --benchmark_filter=sweep/callable_exit
template <>
struct body<id::sweep_callable_exit> : sweep_of_callable<id::exit_solo> {};

}  // namespace threadref::bench
