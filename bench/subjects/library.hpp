// SPDX-License-Identifier: MIT
// Adapts a back end to the interface of a subject.
#pragma once

#include <string_view>
#include <system_error>
#include <vector>

#include "bench/subjects/subject.hpp"
#include "threadref/destructor.hpp"
#include "threadref/finalize.hpp"
#include "threadref/ref.hpp"
#include "threadref/stats.hpp"
#include "threadref/thread_info.hpp"

namespace threadref::bench {

template <backend B>
struct library {
  static constexpr std::string_view name = B::info.name;
  static constexpr const backend_info& info = B::info;
  static void arm(entry* /*storage*/, int /*n*/) noexcept {}
  template <class C>
  [[gnu::always_inline]] static void add(C c, C* /*stored*/) {
    finalize<B>(c);
  }
  // Only back ends can do the following.
  template <removal R, class C>
  [[gnu::always_inline]] static bool add_then_remove(C c, C* /*stored*/) {
    return remove_by<R>(finalize<B>(c));
  }
  using handle = finalizer<void, B>;
  template <class C>
  [[gnu::always_inline]] static handle add_for_handle(C c) {
    return finalize<B>(c);
  }
  static std::error_code add_destructor(void** variable, void (*function)(void*)) {
    return register_destructor<B>(variable, function);
  }
  [[gnu::always_inline]] static bool is_known() noexcept { return ensure<B>(); }
  static std::vector<thread_handle> everyone() { return enumerate<B>(); }
  static void trim() noexcept { threadref::trim<B>(); }
  using reference = basic_ref<B>;
};

}  // namespace threadref::bench
