// SPDX-License-Identifier: MIT
// The report of a run: a line per cell, a table for cells that failed or saw something interesting,
// and the same as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "stress/accounting/growth.hpp"
#include "stress/accounting/tally.hpp"
#include "stress/cli/options.hpp"
#include "stress/engine/cells.hpp"

namespace threadref::stress {

// Which of the two programs this is.
struct program_info {
  std::string_view name;
  bool points;  // can it perturb the library at its named points?
};

struct cell_result {
  const cell_code* cell = nullptr;
  int threads = 0;
  int finalizers = 0;
  double seconds = 0;
  cell_figures figures;
  memory_watch memory;
  judgement judged;
  std::string again;  // the command that runs it once more
};

struct run_result {
  std::uint64_t seed = 0;
  std::vector<cell_result> cells;
  std::vector<std::string> notes;
  double seconds = 0;
  bool interrupted = false;
  int status = 0;
};

std::string with_commas(std::uint64_t n);

// Progress: on a terminal one line that is overwritten, otherwise nothing until a cell has ended.
class progress {
 public:
  progress();
  void show(const std::string& cell, const cell_figures& so_far, std::size_t index,
            std::size_t total);
  // Removes the line, before a permanent one is printed.
  void clear();

 private:
  bool terminal_;
  double last_ = 0;
};

void print_header(const program_info& program, const options& o, std::uint64_t seed);
void print_cell(const cell_result& r);
void print_table(const cell_result& r);
void print_summary(const run_result& r);
// Which scenario caught which canary, and how soon.
void print_canaries(const run_result& r, const std::vector<std::string_view>& missed);

nlohmann::ordered_json run_json(const program_info& program, const run_result& r);
// Why a file of that name can't be written; "": it can.
std::string why_not_writable(const std::string& path);
// Writes all documents or none: under temporary names, renamed when all are complete. What is not a
// regular file, such as a device or a pipe, is written directly. Returns what failed, or "".
struct document {
  std::string path;
  std::string text;
};
inline constexpr std::size_t documents_most = 3;
std::string write_whole(const std::vector<document>& all);
// Removes half-written files, if there are any. Async-signal-safe.
void remove_half_written() noexcept;

}  // namespace threadref::stress
