// SPDX-License-Identifier: MIT
// The timed loops, compiled into a shared library: its code finds thread_local variables as any
// position-independent code does.
#pragma once

#include <string_view>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// What such a library offers: what a probe's thread does, by the subject's name.
struct access_table {
  probe::routine (*registration)(std::string_view subject);
  probe::routine (*ensure)(std::string_view subject);
};

}  // namespace threadref::bench

extern "C" const threadref::bench::access_table* threadref_bench_access();
