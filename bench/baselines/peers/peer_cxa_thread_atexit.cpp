// SPDX-License-Identifier: MIT
#include "bench/baselines/peers/peer_cxa_thread_atexit.hpp"

#include "bench/subjects/make_code.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

const subject_code& code_of_peer_cxa_thread_atexit() {
  static const subject_code code =
      make_code<peer_cxa_thread_atexit, scope::rows_and_sweeps>(row_kind::peer);
  return code;
}

}  // namespace threadref::bench
