// SPDX-License-Identifier: MIT
// What the two instantiations of the timed bodies and the pairs between them agree on.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

// Not inside `threadref`: the clone is the same source compiled with that name changed, and these
// types must be the same on both sides.
namespace threadref_pairs {

struct timed {
  std::int64_t region = 0;   // ns
  std::int64_t empty = 0;    // ns, of the clock itself
  std::uint64_t faults = 0;  // finalizers that were lost, doubled or misordered
};

// Takes samples of one subject; each with a fresh thread.
class sampler {
 public:
  sampler() = default;
  sampler(const sampler&) = delete;
  sampler& operator=(const sampler&) = delete;
  virtual ~sampler() = default;
  virtual timed take() = 0;
};

enum class subject_kind : std::uint8_t { back_end, floor, peer, planted };
inline constexpr std::string_view planted_suffix = "_planted";  // of the name of those

// One subject of one quantity.
struct instance {
  std::string_view subject;
  std::string_view quantity;
  subject_kind kind;
  std::unique_ptr<sampler> (*open)(int n);
  double (*operations)(int n);         // in one region
  std::string_view (*why_not)(int n);  // it can't do this with n; or nothing
};

}  // namespace threadref_pairs

// Every subject of every quantity of which single samples can be taken; compiled twice.
namespace threadref::bench {
std::vector<threadref_pairs::instance> instances();
}
namespace threadref_clone::bench {
std::vector<threadref_pairs::instance> instances();
}
