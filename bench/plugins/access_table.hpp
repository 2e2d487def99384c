// SPDX-License-Identifier: MIT
// The timed loops, compiled into a shared library, where code accesses thread_local variables as
// position-independent code does.
#pragma once

#include <string_view>

#include "bench/timing/probe.hpp"

namespace threadref::bench {

// The functions that such a library exports: the routine of a probe's thread by the subject's name.
struct access_table {
  probe::routine (*registration)(std::string_view subject);
  probe::routine (*ensure)(std::string_view subject);
};

}  // namespace threadref::bench

extern "C" const threadref::bench::access_table* threadref_bench_access();
