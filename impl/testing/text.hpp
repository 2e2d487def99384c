// SPDX-License-Identifier: MIT
#pragma once

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <string>
#include <string_view>

namespace threadref::testing {

// Debian builds Abseil for C++14, where its string_view is a type of its own.
inline absl::string_view to_absl(std::string_view text) {
  return {text.data(), text.size()};
}
template <class T>
const T& to_absl(const T& part) {
  return part;
}
template <class... Part>
std::string concat(const Part&... parts) {
  return absl::StrCat(to_absl(parts)...);
}
// "a, b, c"
template <class List>
std::string listed(const List& parts, std::string_view between = ", ") {
  std::string text;
  for (const auto& part : parts)
    absl::StrAppend(&text, to_absl(text.empty() ? "" : between), to_absl(part));
  return text;
}

}  // namespace threadref::testing
