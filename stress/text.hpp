// SPDX-License-Identifier: MIT
// Debian's Abseil has a string_view of its own, which std::string_view doesn't convert to; so text
// is put together here.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace threadref::stress {

inline void append(std::string& to, std::string_view part) {
  to += part;
}
template <std::integral N>
void append(std::string& to, N number) {
  to += std::to_string(number);
}

// The parts one after the other: strings and whole numbers.
template <class... Part>
std::string text(const Part&... parts) {
  std::string all;
  (append(all, parts), ...);
  return all;
}

}  // namespace threadref::stress
