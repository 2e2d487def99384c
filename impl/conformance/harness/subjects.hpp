// SPDX-License-Identifier: MIT
// The back ends that the checks run on. The default back end is compiled separately, as users
// compile it. The others, or the canaries, are reached through a table, and so compiled once; which
// ones, the program decides (other_backends.cpp, canary_main.cpp). The nightly builds, and
// builds with few back ends, compile each separately.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "conformance/harness/any_backend.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

using compiled_subjects = std::conditional_t<THREADREF_CHECKS_THROUGH_TABLE,
                                             type_list<default_backend, any_backend>, backends>;

// The threads other than main that the back end believes to be alive, as a list of names.
template <backend B>
std::string survivors() {
  std::string all;
  for (const thread_handle& t : enumerate<B>()) {
    if (!t.is_main())
      all += (all.empty() ? "" : ", ") + t.name() + "#" + std::to_string(t.serial());
  }
  return all;
}

// One column of the table of checks.
struct subject {
  const backend_info& info;
  counters (*stats)() noexcept;
  std::size_t (*blocks)();
  std::string (*survivors)();
  const list_table* table = nullptr;  // for any_backend, if it stands for this one
  void select() const {
    if (table != nullptr) any_backend::become(*table);
  }
};
template <backend B>
constexpr subject make_subject(const list_table* table = nullptr) {
  return {B::info, &stats<B>, [] { return B::list::all().used(); }, &survivors<B>, table};
}

// Those of this program.
std::span<const subject> others();
template <class List>
struct rows_of;
template <class... B>
struct rows_of<type_list<B...>> {
  static constexpr subject all[] = {make_subject<B>(&table_of<B>)...};
};

// The back ends that a compiled subject stands for.
template <backend B>
std::span<const subject> subjects_of() {
  static constexpr subject one[] = {make_subject<B>()};
  return one;
}
template <>
inline std::span<const subject> subjects_of<any_backend>() {
  return others();
}

}  // namespace threadref::conformance
