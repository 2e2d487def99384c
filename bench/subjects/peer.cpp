// SPDX-License-Identifier: MIT
// The timed code of one peer. CMake compiles this for each of them and says which: its type
// BENCH_SUBJECT, its header BENCH_HEADER, the name of the function, BENCH_CODE, and in BENCH_SCOPE
// whether sweeps go over it.
#include BENCH_HEADER
#include "bench_subjects.hpp"
#include "subjects/make_code.hpp"

namespace threadref::bench {

const subject_code& BENCH_CODE() {
  static const subject_code code = make_code<BENCH_SUBJECT, scope::BENCH_SCOPE>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
