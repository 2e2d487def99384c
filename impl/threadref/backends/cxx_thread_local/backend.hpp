// SPDX-License-Identifier: MIT
#pragma once

#include <system_error>

#include "threadref/backend.hpp"
#include "threadref/detail/exit_list.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// The destructor of a C++ thread_local runs the list, among the thread's other thread_locals: those
// constructed later are destroyed before it, those constructed earlier after it.
struct cxx_thread_local {
  static constexpr deviation deviations[] = {
      {"c080_nor_at_exit_on_a_worker", "the atexit flag is not seen",
       "the C library destroys a worker's thread_locals in exit() as it does at a thread's end"},
      {"order/uses_thread_local", "conditional",
       "the place among the thread_locals is that of the thread's first registration"},
      {"order/makes_thread_local", "guaranteed",
       "callbacks run while the C library goes through its list of destructors"},
      {"process/static_when_a_worker_exits", "guaranteed",
       "the C library destroys a worker's thread_locals in exit() before its handlers"},
      {"c103_no_memory_for_a_late_key", "the process ends",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"c104_memory_fails_at_each_call", "the process ends",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"limits/late_key_without_memory", "crashes",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"unload/registers_during_dlopen", "hangs",
       "the C library registers a destructor under the lock that dlopen holds"},
      {"unload/registers_during_dlclose", "hangs",
       "the C library registers a destructor under the lock that dlclose holds"},
      {"fault/first_use", "conditional",
       "glibc gives no error when it has no memory for a destructor of its list"},
      {"fault/each_call", "crashes",
       "glibc gives no error when it has no memory for a destructor of its list"},
  };
  static constexpr backend_info info{.name = "cxx_thread_local",
                                     .summary = "the destructor of a C++ thread_local",
                                     .capabilities = capability::among_thread_locals,
                                     .deviations = deviations,
                                     .needs_key = false};
  using list = detail::exit_list<cxx_thread_local, detail::hybrid_claim>;

  THREADREF_READS_TLS static detail::block* find() noexcept { return block_; }
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept { block_ = nullptr; }

 private:
  // Separate from the guard: reading it must not construct a guard, and it outlives the guard.
  THREADREF_TLS static constinit thread_local detail::block* block_;
};

}  // namespace threadref::inline THREADREF_ABI

extern template class threadref::detail::exit_list<threadref::cxx_thread_local,
                                                   threadref::detail::hybrid_claim>;
