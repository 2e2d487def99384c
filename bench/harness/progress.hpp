// SPDX-License-Identifier: MIT
// How far a run is and how long it will still take, on standard error.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/harness/session.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

class progress {
 public:
  // Of those rows that `filter` selects, as Google Benchmark reads it: an extended regular
  // expression that is found in the name, or with '-' before it one that is not.
  progress(const session& session, const std::string& filter);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress() { clear(); }

  // Says where the run is: in one line that it keeps up to date, where both outputs are a terminal,
  // elsewhere at the beginning and then now and again.
  void show();
  // That row has just ended.
  void ended(const row& one);
  // Takes the line away, so that something else can be written.
  void clear();

 private:
  // Of rows that do the same, as many pairs of as many finalizers take as long.
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
