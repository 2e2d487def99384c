// SPDX-License-Identifier: MIT
// Shared by bench_memory and the rows that start it.
#pragma once

namespace threadref::bench {

// How many finalizers each thread of the memory rows registers.
inline constexpr int finalizers_counted = 256;

}  // namespace threadref::bench
