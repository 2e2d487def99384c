// SPDX-License-Identifier: MIT
// Figures from samples. All functions take sorted samples.
#pragma once

#include <cstddef>
#include <vector>

namespace threadref::bench {

using samples = std::vector<double>;

struct estimate {
  double value = 0;
  double error = 0;  // the standard error; 0 for a median
};

// The quantile of that share, 0 to 1: 0.5 is the median.
double quantile(const samples& sorted, double share);

// The mean without the lowest and the highest tenth: otherwise a few threads that were interrupted
// would dominate it.
estimate trimmed_mean(const samples& sorted);

// A median and its 99.9 % confidence interval, whatever the distribution. The bounds are two of the
// sorted samples (order statistics), the outermost ones if there are too few.
struct interval {
  double low = 0;
  double middle = 0;
  double high = 0;
};
interval median_interval(const samples& sorted);

// At most `most` of them, evenly spaced over the ranks and including both ends, so that percentiles
// stay the same.
samples thinned(const samples& sorted, std::size_t most);

}  // namespace threadref::bench
