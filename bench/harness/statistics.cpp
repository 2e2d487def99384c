// SPDX-License-Identifier: MIT
#include "bench/harness/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace threadref::bench {

double quantile(const samples& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

// The standard error is Yuen's: it comes from the winsorised variance, in which each sample that
// was left out counts as the outermost one that was left in.
estimate trimmed_mean(const samples& sorted) {
  const std::size_t count = sorted.size();
  if (count == 0) return {};
  const std::size_t cut = count / 10;
  const auto remaining = static_cast<double>(count - 2 * cut);
  const auto first = sorted.begin() + static_cast<std::ptrdiff_t>(cut);
  const auto last = sorted.end() - static_cast<std::ptrdiff_t>(cut);
  const double mean = std::accumulate(first, last, 0.0) / remaining;

  const double low = *first;
  const double high = *(last - 1);
  double sum = 0;
  for (const double x : sorted) sum += std::clamp(x, low, high);
  const double middle = sum / static_cast<double>(count);
  double squares = 0;
  for (const double x : sorted) {
    const double off = std::clamp(x, low, high) - middle;
    squares += off * off;
  }
  if (count < 2) return {mean, 0};
  return {mean, std::sqrt(squares / static_cast<double>(count - 1)) *
                    std::sqrt(static_cast<double>(count)) / remaining};
}

// The number of samples below the median is binomial; 3.29 standard deviations cover 99.9 %.
interval median_interval(const samples& sorted) {
  if (sorted.empty()) return {};
  const auto count = static_cast<double>(sorted.size());
  const double aside = 3.2905 * std::sqrt(count) / 2;
  const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(count / 2 - aside)));
  return {sorted[low], quantile(sorted, 0.5), sorted[sorted.size() - 1 - low]};
}

samples thinned(const samples& sorted, std::size_t most) {
  if (sorted.size() <= most) return sorted;
  samples chosen(most);
  for (std::size_t i = 0; i != most; ++i) chosen[i] = sorted[i * (sorted.size() - 1) / (most - 1)];
  return chosen;
}

}  // namespace threadref::bench
