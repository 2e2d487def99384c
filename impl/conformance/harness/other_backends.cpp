// SPDX-License-Identifier: MIT
#include <type_traits>

#include "conformance/harness/subjects.hpp"

namespace threadref::conformance {

namespace {

template <class... Lists>
struct joined;
template <class... A>
struct joined<type_list<A...>> {
  using type = type_list<A...>;
};
template <class... A, class... B, class... Lists>
struct joined<type_list<A...>, type_list<B...>, Lists...>
    : joined<type_list<A..., B...>, Lists...> {};

template <class List>
struct but_default;
template <class... B>
struct but_default<type_list<B...>>
    : joined<std::conditional_t<std::is_same_v<B, default_backend>, type_list<>, type_list<B>>...> {
};

}  // namespace

std::span<const subject> others() {
  return rows_of<but_default<backends>::type>::all;
}

}  // namespace threadref::conformance
