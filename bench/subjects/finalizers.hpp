// SPDX-License-Identifier: MIT
// What rows register besides `call`, the finalizer of the timed loops.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

struct order_trace;

// What a thread's exit does in finalize/ordering.
enum class event : std::uint8_t {
  stack,
  older,
  younger,
  lower_key,
  higher_key,
  boost_at_exit,
  boost_pointer,
  promise,
  finalizer_1,
  finalizer_2,
  destructor_1,
  destructor_2,
  joined
};

// A finalizer that records its event.
struct mark {
  order_trace* at;
  event what;
  void operator()() const;
};
static_assert(sizeof(mark) == 16);

// What is registered to be removed again: 16 bytes, as those that run at exit.
struct counted {
  std::uint64_t* runs;
  std::uint64_t unused = 0;
  void operator()() const noexcept { ++*runs; }
};
static_assert(sizeof(counted) == sizeof(call));

// A thread that stays for a while, with one finalizer: has it registered, and how often did that
// run?
struct registered_thread {
  struct finalizer {
    registered_thread* at = nullptr;
    void* unused = nullptr;
    void operator()() const noexcept { ++at->runs; }
  };
  std::uint64_t runs = 0;
  bool registered = false;
  finalizer stored{};
  entry storage{};
};

// A finalizer that waits for something outside: a file that is flushed, a peer that is told.
struct waiting_finalizer {
  static constexpr int microseconds = 200;
  void operator()() const noexcept;
};

// `call` as a type of its own, with code of its own.
template <int Kind>
struct call_of_kind {
  call what;
  [[gnu::flatten]] void operator()() const noexcept {
    asm volatile("" ::"i"(Kind));  // else the compiler makes one function of the eight
    what();
  }
};
static_assert(sizeof(call_of_kind<0>) == sizeof(call));

// Which registration of finalize/exit_mixed is of which kind: the same for every subject, floor and
// run.
class mix {
 public:
  static constexpr int kinds = 8;
  struct place {
    alignas(call) std::byte raw[sizeof(call)];
  };

  void make_room(int n);
  [[nodiscard]] std::uint8_t kind(std::int64_t id) const {
    return kind_[static_cast<std::size_t>(id)];
  }
  void* at(std::int64_t id) { return &places_[static_cast<std::size_t>(id)]; }

 private:
  std::vector<std::uint8_t> kind_;
  std::vector<place> places_;  // outlive the thread, for who keeps a pointer only
};

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

}  // namespace threadref::bench
