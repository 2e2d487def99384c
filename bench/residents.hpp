// SPDX-License-Identifier: MIT
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crowd.hpp"
#include "session.hpp"
#include "subject.hpp"

namespace threadref::bench {

// A row that did not get its residents.
inline void fail_without_threads(benchmark::State& state, session& all) {
  all.not_usable();
  state.SkipWithError("the system did not let us have that many threads");
}

// Threads that sleep, each with one finalizer of the subject: what lists them has grown by as many.
template <subject S>
class residents {
 public:
  explicit residents(int wanted)
      : runs_(static_cast<std::size_t>(wanted)),
        rooms_(runs_.size()),
        there_(sleeping_.gather(wanted) == wanted) {}

  // False: the system did not let us have them.
  [[nodiscard]] bool are_there() const noexcept { return there_; }

  // Ends them, and adds what became of their finalizers.
  void dismiss(verdict& found) {
    sleeping_.dismiss();
    for (const arrival& a : runs_) {
      found.lost += a.registered && a.runs == 0 ? 1U : 0U;
      found.doubled += a.runs > 1 ? 1U : 0U;
    }
  }

 private:
  struct arrival {
    std::uint64_t runs = 0;
    bool registered = false;
  };
  struct counted_arrival {
    arrival* at;
    void* unused = nullptr;
    void operator()() const noexcept { ++at->runs; }
  };
  struct room {
    counted_arrival kept{};
    entry storage{};
  };
  static void enter(void* self, int index) {
    auto& all = *static_cast<residents*>(self);
    const auto i = static_cast<std::size_t>(index);
    room& mine = all.rooms_[i];
    mine.kept.at = &all.runs_[i];
    S::arm(&mine.storage, 1);
    S::add(counted_arrival(mine.kept), &mine.kept);
    mine.kept.at->registered = !registers_nothing<S> && !runs_itself<S>;
  }

  std::vector<arrival> runs_;
  std::vector<room> rooms_;
  crowd sleeping_{&enter, this};
  bool there_;
};

}  // namespace threadref::bench
