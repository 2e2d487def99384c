// SPDX-License-Identifier: MIT
// The finalizers that rows register besides `call`, that of the timed loops.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

struct order_trace;

// What happens at a thread's exit in finalize/ordering.
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

// Registered in order to be removed: 16 bytes, like the finalizers that run at exit.
struct counted {
  std::uint64_t* runs;
  std::uint64_t unused = 0;
  void operator()() const noexcept { ++*runs; }
};
static_assert(sizeof(counted) == sizeof(call));

// One of registered_threads: whether it has registered its finalizer, and how often that ran.
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

// A finalizer that waits for something external, as flushing a file or notifying a peer would.
struct waiting_finalizer {
  static constexpr int microseconds = 200;
  void operator()() const noexcept;
};

// `call` as a separate type with separate code.
template <int Kind>
struct call_of_kind {
  call what;
  [[gnu::flatten]] void operator()() const noexcept {
    asm volatile("" ::"i"(Kind));  // otherwise the compiler merges the eight functions
    what();
  }
};
static_assert(sizeof(call_of_kind<0>) == sizeof(call));

// The kind of each registration of finalize/exit_mixed: the same for every subject, floor and run.
class mix {
 public:
  static constexpr int kinds = 8;
  struct slot {
    alignas(call) std::byte raw[sizeof(call)];
  };

  void make_room(int n);
  [[nodiscard]] std::uint8_t kind(std::int64_t id) const {
    return kind_[static_cast<std::size_t>(id)];
  }
  void* at(std::int64_t id) { return &slots_[static_cast<std::size_t>(id)]; }

 private:
  std::vector<std::uint8_t> kind_;
  std::vector<slot> slots_;  // they outlive the thread, for mechanisms that store only a pointer
};

// A finalizer of that size. It calls a `call`, so that every size is counted in the ledger.
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
