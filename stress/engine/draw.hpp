// SPDX-License-Identifier: MIT
// Seeded choices. What a cell, a round or a thread draws depends only on the seed and its own name,
// so a single cell repeats the choices that it made in the whole run. The seed fixes the choices,
// not the schedule: the kernel still decides which thread runs when.
#pragma once

#include <absl/random/uniform_int_distribution.h>

#include <cstdint>
#include <limits>
#include <string_view>

namespace threadref::stress {

// splitmix64 (Steele, Lea, Flood 2014): 8 bytes of state, so every thread can have its own, and a
// fixed algorithm, so a seed means the same in every build. Abseil's engines deliberately differ
// from process to process.
class generator {
 public:
  using result_type = std::uint64_t;
  constexpr generator() = default;
  constexpr explicit generator(std::uint64_t seed) noexcept : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  constexpr result_type operator()() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_ = 0;
};

// A separate seed for the part with that number or name.
constexpr std::uint64_t mix(std::uint64_t seed, std::uint64_t part) noexcept {
  return generator(seed ^ generator(part)())();
}
constexpr std::uint64_t mix(std::uint64_t seed, std::string_view part) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
  for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return mix(seed, hash);
}

// From first to last, both included.
template <class T>
T draw(generator& from, T first, T last) {
  return absl::uniform_int_distribution<T>(first, last)(from);
}
inline bool one_in(generator& from, int n) {
  return draw(from, 1, n) == 1;
}

}  // namespace threadref::stress
