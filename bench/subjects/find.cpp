// SPDX-License-Identifier: MIT
#include <algorithm>
#include <string>

#include "bench_subjects.hpp"
#include "testing/check.hpp"

namespace threadref::bench {

const subject_list& all_canaries() {
  static const subject_list all = [] {
    subject_list made;
    for (const code_function code : codes_of_canaries) made.push_back(&code());
    return made;
  }();
  return all;
}

subject_list subjects_of(row_kind kind) {
  subject_list found;
  for (const subject_code* s : all_subjects()) {
    const bool is_single = kind == row_kind::peer && s->summary.empty();
    if (s->kind == kind && !is_single) found.push_back(s);
  }
  return found;
}

const subject_code* find_subject(const subject_list& among, std::string_view name) {
  const auto is_it = [name](const subject_code* s) { return s->name == name; };
  const auto found = std::find_if(among.begin(), among.end(), is_it);
  return found != among.end() ? *found : nullptr;
}

const subject_code& subject_named(std::string_view name) {
  const subject_code* const found = find_subject(all_subjects(), name);
  THREADREF_CHECK(found != nullptr, ("no subject is called " + std::string(name)).c_str());
  return *found;
}

}  // namespace threadref::bench
