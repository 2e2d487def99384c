// SPDX-License-Identifier: MIT
// Figures from samples. All take sorted samples.
#pragma once

#include <cstddef>
#include <vector>

namespace threadref::bench {

using samples = std::vector<double>;

struct estimate {
  double value = 0;
  double error = 0;  // the standard error; 0 for a median
};

// The sample that the share of all others does not exceed.
double quantile(const samples& sorted, double share);

// Where a tenth on each side is left out: threads that were interrupted would else decide.
estimate trimmed_mean(const samples& sorted);

// A median, and what lies around it 999 times in 1 000 whatever the distribution: two of the sorted
// samples themselves (order statistics), the outermost ones where there are too few.
struct interval {
  double low = 0;
  double middle = 0;
  double high = 0;
};
interval median_interval(const samples& sorted);

// At most `most` of them, evenly spaced over the ranks, both ends among them: the percentiles stay.
samples thinned(const samples& sorted, std::size_t most);

}  // namespace threadref::bench
