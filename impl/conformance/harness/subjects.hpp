// SPDX-License-Identifier: MIT
// What the checks are made for. Compiled by itself: the default back end, as users compile it.
// Through a table, and so compiled once: the others, or the canaries; which, says the program
// (other_backends.cpp, other_canaries.cpp). The nightly builds, and those with few back ends,
// compile each by itself.
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

// Threads but main that the back end believes to be alive, as a list of names.
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
  const list_table* table = nullptr;  // of one that any_backend has to become
  void select() const {
    if (table != nullptr) any_backend::become(*table);
  }
};
template <backend B>
constexpr subject make_subject(const list_table* table = nullptr) {
  return {B::info, &stats<B>, [] { return B::list::all().used(); }, &survivors<B>, table};
}

// In this program.
std::span<const subject> others();
template <class List>
struct rows_of;
template <class... B>
struct rows_of<type_list<B...>> {
  static constexpr subject all[] = {make_subject<B>(&table_of<B>)...};
};

// Those that a compiled subject stands for.
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
