// SPDX-License-Identifier: MIT
// The report of a run of the matrix: on the console, and as documents.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "stress/matrix/runner/cell.hpp"

namespace threadref::stress {

// On a terminal, one line that is overwritten. Otherwise nothing until the end.
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

// One line per cell if there are few, else one per event; and all details of failed cells.
void print_matrix(const matrix_result& r);

// The cells, as all JSON documents have them.
nlohmann::ordered_json events_json(const matrix_result& r);
// The document matrix.json.
std::string matrix_json(const program_info& program, const matrix_result& r);
// What --json writes: the scenarios that were run, and the events.
std::string whole_json(const program_info& program, const run_result& scenarios,
                       const matrix_result& events);
std::string matrix_markdown(const matrix_result& r);
// The page that shows matrix.json.
std::string matrix_html(const std::string& json);
// Why the three documents can't be written to that folder, which it makes if need be; "": they can.
std::string why_no_folder(const std::string& folder);
// Writes all three or none. Returns why none was written; "": they were.
std::string write_matrix(const std::string& folder, const program_info& program,
                         const matrix_result& r);

}  // namespace threadref::stress
