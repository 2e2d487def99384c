// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "baselines/floor_call_loop.hpp"
#include "baselines/peers.hpp"
#include "bodies/body.hpp"

namespace threadref::bench {

// The same call as a type of its own, with code of its own.
template <int Kind>
struct call_of_kind {
  call what;
  [[gnu::flatten]] void operator()() const noexcept {
    asm volatile("" ::"i"(Kind));  // else the compiler makes one function of the eight
    what();
  }
};
static_assert(sizeof(call_of_kind<0>) == sizeof(call));

// Which registration is of which kind: the same for every subject, floor and run.
class mix {
 public:
  static constexpr int kinds = 8;
  struct place {
    alignas(call) std::byte raw[sizeof(call)];
  };

  void make_room(int n) {
    while (kind_.size() < static_cast<std::size_t>(n)) {
      kind_.push_back(static_cast<std::uint8_t>(draw_() % kinds));
    }
    places_.resize(kind_.size());
  }
  [[nodiscard]] std::uint8_t kind(std::int64_t id) const {
    return kind_[static_cast<std::size_t>(id)];
  }
  void* at(std::int64_t id) { return &places_[static_cast<std::size_t>(id)]; }

 private:
  std::mt19937 draw_{8};
  std::vector<std::uint8_t> kind_;
  std::vector<place> places_;  // outlive the thread, for who keeps a pointer only
};

// How long does the exit take when the finalizers are of eight kinds, in random order?
//   bench_threadref --benchmark_filter=finalize/exit_mixed
// A loop over one callee is the best case of every branch predictor; programs have several.
// 2026-11-20, amd-epyc-2c: the order is learnt at n:256, where the floor takes 1.7 ns as with one
// callee, but not at 4096: floor 8.4, back ends 11 to 29, the vectors 7.5.
template <>
struct body<id::exit_mixed> {
  using floors = type_list<floor_call_loop>;
  using peers = bench::peers;
  static constexpr bool at_exit = true;
  static constexpr figures wanted = figures::exit_latency;
  static constexpr int pairs(int n) { return pairs_for(n); }
  static constexpr int most(int n) { return n; }
  static constexpr double operations(int n) { return n; }

  template <subject S, int Kind>
  static void add_one(ledger& of, std::int64_t id, void* place) {
    const call_of_kind<Kind> c{{&of, id}};
    S::add(c, new (place) call_of_kind<Kind>(c));
  }
  template <subject S>
  static constexpr auto adders = []<int... Kind>(std::integer_sequence<int, Kind...> /*kinds*/) {
    return std::array{&add_one<S, Kind>...};
  }
  (std::make_integer_sequence<int, mix::kinds>{});

  template <subject S>
  static void routine(probe& at) {
    mix& with = *static_cast<mix*>(at.shared);
    S::arm(at.storage(), at.n);
    for (std::int64_t i = 0; i != at.n; ++i) {
      const std::int64_t id = id_of<S>(at.done, i);
      adders<S>[with.kind(i)](at.done, id, with.at(id));
    }
    at.start = now();
    leave<S>();
  }

  template <subject S>
  static sample take(probe& at, int n, verdict& v) {
    static mix with;
    with.make_room(n);
    at.shared = &with;
    at.n = n;
    return at.run(&routine<S>, n, v);
  }
};

}  // namespace threadref::bench
