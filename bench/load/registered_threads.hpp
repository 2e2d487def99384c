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

// Fails a row whose threads could not be created.
inline void fail_without_threads(benchmark::State& state, session& session) {
  session.not_usable();
  state.SkipWithError("the system refused to create that many threads");
}

// Threads that sleep, each with one finalizer of the subject registered.
class registered_threads {
 public:
  registered_threads(const subject_code& s, int wanted)
      : subject_(s),
        each_(static_cast<std::size_t>(wanted)),
        all_started_(sleeping_.grow_to(wanted) == wanted) {}

  // False: the system refused to create them.
  [[nodiscard]] bool all_started() const noexcept { return all_started_; }

  // Joins them, and adds what became of their finalizers to `found`.
  void join_all(verdict& found) {
    sleeping_.join_all();
    for (const registered_thread& a : each_) {
      found.lost += a.registered && a.runs == 0 ? 1U : 0U;
      found.doubled += a.runs > 1 ? 1U : 0U;
    }
  }

 private:
  static void register_one(void* self, int index) {
    auto& all = *static_cast<registered_threads*>(self);
    registered_thread& mine = all.each_[static_cast<std::size_t>(index)];
    mine.stored.at = &mine;
    all.subject_.add_counting(mine);
    mine.registered = !all.subject_.registers_nothing && !all.subject_.runs_itself;
  }

  const subject_code& subject_;
  std::vector<registered_thread> each_;
  idle_threads sleeping_{&register_one, this};
  bool all_started_;
};

}  // namespace threadref::bench
