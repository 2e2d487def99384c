// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// A direct back end: each finalizer is its own entry in the C library's list of thread_local
// destructors, as a C++ thread_local object is.
struct cxa_thread_atexit {
  static constexpr deviation deviations[] = {
      {"c064_a_long_life_of_register_and_cancel", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c064_nor_when_another_thread_cancels", "it takes memory until the thread ends",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"end/long_life", "grows",
       "an entry can't be taken back from the system's list, and keeps its slot"},
      {"c013_a_handle_in_a_thread_local", "a younger thread_local's ref is still there",
       "each finalizer has a place of its own among the thread_locals, not the first one's"},
      {"c080_nor_at_exit_on_a_worker", "the atexit flag is not seen",
       "the C library calls a worker's entries in exit() as it does at the thread's end"},
      {"c123_newest_first_in_one_order", "exit_nodes run after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c123_attached_inside_a_finalizer", "it runs after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c128_early_then_last", "early and last are one order",
       "both are entries of the one list that the system has"},
      {"c128_exit_nodes_have", "exit_nodes run after the finalizers",
       "they have no entry with the system, since their storage may go before it comes"},
      {"c128_inside_early", "early and last are one order",
       "both are entries of the one list that the system has"},
      {"order/uses_thread_local", "conditional",
       "each callback has a place among the thread_locals, but on main the exit stage runs it"},
      {"order/makes_thread_local", "guaranteed",
       "callbacks run while the C library goes through its list of destructors"},
      {"process/static_when_a_worker_exits", "guaranteed",
       "the C library calls a worker's entries in exit() before its handlers"},
      {"c104_memory_fails_at_each_call", "the process ends",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"unload/registers_during_dlopen", "hangs",
       "the C library registers an entry under the lock that dlopen holds"},
      {"unload/registers_during_dlclose", "hangs",
       "the C library registers an entry under the lock that dlclose holds"},
      {"fault/first_use", "conditional",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"fault/each_call", "crashes",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"fault/late_without_memory", "crashes",
       "glibc gives no error when it has no memory for a destructor of its list"},
  };
  static constexpr backend_info info{
      .name = "cxa_thread_atexit",
      .summary = "__cxa_thread_atexit for each finalizer",
      .capabilities = capability::among_thread_locals | capability::interleaved,
      .deviations = deviations};
  using list = detail::exit_list<cxa_thread_atexit, detail::hybrid_claim>;

  THREADREF_READS_TLS static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static std::errc arm_one(detail::node& n) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  THREADREF_TLS static constinit thread_local detail::block* block_;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::cxa_thread_atexit,
                                                   threadref::detail::hybrid_claim>;
