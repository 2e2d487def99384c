// SPDX-License-Identifier: MIT
// What a run of the matrix says: on the console, and as documents.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "stress/matrix/runner/cell.hpp"

namespace threadref::stress {

// On a terminal one line that is written anew, else nothing until the end.
class matrix_progress {
 public:
  explicit matrix_progress(std::size_t of);
  ~matrix_progress();
  matrix_progress(const matrix_progress&) = delete;
  matrix_progress& operator=(const matrix_progress&) = delete;
  void done(const event_cell& c);

 private:
  bool terminal_;
  std::size_t done_ = 0;
  std::size_t of_;
};

// A line per cell if they are few, else one per event; and all of what failed.
void print_matrix(const matrix_result& r);

// The cells as in the JSON documents; matrix.json is the whole of it.
nlohmann::ordered_json events_json(const matrix_result& r);
std::string matrix_json(const program_info& program, const matrix_result& r);
// What --json writes: the scenarios that were played, and the events.
std::string whole_json(const program_info& program, const run_result& scenarios,
                       const matrix_result& events);
std::string matrix_markdown(const matrix_result& r);
// The page that shows that document.
std::string matrix_html(const std::string& json);
// Can all three be written there? The folder is made if need be. A sentence if not.
std::string why_no_folder(const std::string& folder);
// All of them, or a sentence that says why none.
std::string write_matrix(const std::string& folder, const program_info& program,
                         const matrix_result& r);

}  // namespace threadref::stress
