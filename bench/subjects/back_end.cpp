// SPDX-License-Identifier: MIT
// The timed code of one back end, or of one that is broken on purpose. CMake compiles this file for
// each of them and defines its type BENCH_SUBJECT, its header BENCH_HEADER, and the name of the
// function BENCH_CODE.
#include BENCH_HEADER
#include "bench/subjects/library.hpp"
#include "bench/subjects/make_code.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

const subject_code& BENCH_CODE() {
  static const subject_code code =
      make_code<library<BENCH_SUBJECT>, scope::rows_and_sweeps>(row_kind::back_end);
  return code;
}

}  // namespace threadref::bench
