// SPDX-License-Identifier: MIT
// What bench_memory has to know of the rows that start it.
#pragma once

namespace threadref::bench {

// What every thread of the memory rows registers.
inline constexpr int finalizers_counted = 256;

}  // namespace threadref::bench
