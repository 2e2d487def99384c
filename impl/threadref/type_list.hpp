// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// A list of types. The generated tables `backends` and `canaries` are such lists.
template <class... T>
struct type_list {
  static constexpr std::size_t size = sizeof...(T);
};

// Calls f.template operator()<T>() for each type of the list, in order.
template <class... T, class F>
constexpr void for_each_type(type_list<T...> /*types*/, F&& f) {
  (f.template operator()<T>(), ...);
}

}  // namespace threadref::inline THREADREF_ABI
