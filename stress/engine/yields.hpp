// SPDX-License-Identifier: MIT
// Perturbation: at the library's named points a thread yields or sleeps for a moment, as drawn from
// the seed. Only in the program that links threadref_points; in the other one the library has no
// such points.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace threadref::stress::yields {

// Draws how often each point perturbs in this run, and installs the hook. Some points never do, and
// others do four times as often as usual, because uniform weights would produce only uniform
// schedules. `only` names the points that may perturb; null: all may.
void plan(std::uint64_t seed, const std::vector<std::string>* only = nullptr);

// Seeds the calling thread's choices. A thread that never calls this draws from the run's seed.
void enter(std::uint64_t seed) noexcept;

// With this weight a thread yields at 1 of 8 points and sleeps 50 us at 1 of 64.
inline constexpr int usual_weight = 8;

struct row {
  std::string_view point;
  int weight;
  std::uint64_t reached;
  std::uint64_t yielded;
  std::uint64_t slept;
};
std::vector<row> report();

}  // namespace threadref::stress::yields
