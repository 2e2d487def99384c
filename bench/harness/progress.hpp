// SPDX-License-Identifier: MIT
// Prints to standard error how far a run is and how long it will still take.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/harness/session.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

class progress {
 public:
  // Counts the rows that `filter` selects, as Google Benchmark reads it: an extended regular
  // expression that the name contains, or with a leading '-' one that it does not contain.
  progress(const session& session, const std::string& filter);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { clear(); }

  // Prints the progress: if both outputs are a terminal in one line that it updates, else at the
  // beginning and from time to time.
  void show();
  // To be called when a row has ended.
  void ended(const row& one);
  // Erases the line, so that something else can be written.
  void clear();

 private:
  // How long rows of one scenario took, and how long expected_seconds() said.
  struct pace {
    double expected = 0;
    double taken = 0;
  };
  [[nodiscard]] double seconds_left() const;

  std::vector<const row*> rows_;
  std::size_t ended_ = 0;
  std::map<scenarios::id, pace> paces_;
  pace all_;
  instant last_end_ = now();
  instant last_line_ = now();
  const bool is_terminal_;
  bool is_shown_ = false;
};

}  // namespace threadref::bench
