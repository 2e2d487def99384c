// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <vector>

#include "bench/harness/session.hpp"
#include "bench/load/idle_threads.hpp"
#include "bench/subjects/finalizers.hpp"
#include "bench/subjects/subject_code.hpp"

namespace threadref::bench {

// A row that did not get its residents.
inline void fail_without_threads(benchmark::State& state, session& all) {
  all.not_usable();
  state.SkipWithError("the system did not let us have that many threads");
}

// Threads that sleep, each with one finalizer of the subject: what lists them has grown by as many.
class residents {
 public:
  residents(const subject_code& s, int wanted)
      : subject_(s),
        arrivals_(static_cast<std::size_t>(wanted)),
        there_(sleeping_.gather(wanted) == wanted) {}

  // False: the system did not let us have them.
  [[nodiscard]] bool are_there() const noexcept { return there_; }

  // Ends them, and adds what became of their finalizers.
  void dismiss(verdict& found) {
    sleeping_.dismiss();
    for (const arrival& a : arrivals_) {
      found.lost += a.registered && a.runs == 0 ? 1U : 0U;
      found.doubled += a.runs > 1 ? 1U : 0U;
    }
  }

 private:
  static void enter(void* self, int index) {
    auto& all = *static_cast<residents*>(self);
    arrival& mine = all.arrivals_[static_cast<std::size_t>(index)];
    mine.kept.at = &mine;
    all.subject_.add_arrival(mine);
    mine.registered = !all.subject_.registers_nothing && !all.subject_.runs_itself;
  }

  const subject_code& subject_;
  std::vector<arrival> arrivals_;
  crowd sleeping_{&enter, this};
  bool there_;
};

}  // namespace threadref::bench
