// SPDX-License-Identifier: MIT
#include "bench/subjects/floors.hpp"
#include "bench_subjects.hpp"

namespace threadref::bench {

const subject_list& all_subjects() {
  static const subject_list all = [] {
    subject_list made;
    for (const code_function code : codes_of_back_ends) made.push_back(&code());
    for (const subject_code& code : floors_and_single_peers()) made.push_back(&code);
    for (const code_function code : codes_of_peers) made.push_back(&code());
    return made;
  }();
  return all;
}

}  // namespace threadref::bench
