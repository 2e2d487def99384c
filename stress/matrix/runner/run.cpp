// SPDX-License-Identifier: MIT
#include <absl/strings/str_format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "stress/engine/clock.hpp"
#include "stress/engine/watchdog.hpp"
#include "stress/matrix/report/report.hpp"
#include "stress/matrix/runner/cell.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

constexpr int default_trials = 5;

class matrix_runner {
 public:
  matrix_runner(const options& o, matrix_result& into) : options_(o), into_(into) {}

  void run(event_cell& c) {
    const double began = now();
    const std::string name = cell_name(*c.what, *c.subject);
    const std::uint64_t seed = mix(into_.seed, name);
    for (std::size_t k = 0; k != conditions_of(*c.what); ++k) {
      condition_result r;
      r.name = c.what->conditions[k].name;
      r.is = outcome::guaranteed;
      for (int t = 0; t != into_.trials && !watchdog::stopping(); ++t) {
        const trial_result one = run_trial({.what = c.what,
                                            .subject = c.subject,
                                            .condition = k,
                                            .seed = mix(mix(seed, k), static_cast<unsigned>(t)),
                                            .smoke = options_.smoke,
                                            .kill_child = options_.plant == planted::killed_child});
        add_trial(r, one);
        // One hang is enough, and each takes long.
        if (one.is == outcome::hangs || one.is == outcome::absent) break;
      }
      c.conditions.push_back(std::move(r));
    }
    sum_up(c);
    c.seconds = now() - began;
  }

 private:
  static void add_trial(condition_result& r, const trial_result& one) {
    ++r.trials;
    r.callbacks.add(one.callbacks);
    if (one.is == r.is) {
      ++r.trials_so;
    } else if (worse(one.is, r.is) == one.is) {
      r.is = one.is;
      r.trials_so = 1;
      r.why = one.why;
      r.output = one.output;
    }
  }

  const options& options_;
  matrix_result& into_;
};

std::string command_again(const options& o, const std::string& program_path, const event_cell& c,
                          std::uint64_t seed) {
  return absl::StrFormat("%s --filter='^%s$' --seed=0x%x%s%s", program_path,
                         cell_name(*c.what, *c.subject), seed, o.smoke ? " --smoke" : "",
                         o.canaries ? " --canaries" : "");
}

}  // namespace

matrix_result run_matrix(const options& o, const std::string& program_path,
                         const std::vector<participant>& participants,
                         std::vector<event_cell> cells, std::uint64_t seed) {
  matrix_result all;
  all.seed = seed;
  all.trials = o.smoke || o.canaries ? 1 : default_trials;
  all.participants = participants;
  all.cells = std::move(cells);
  const double began = now();
  matrix_runner runner(o, all);
  std::mutex printing;
  matrix_progress progress(all.cells.size());
  // Plain threads: oneTBB's library is not built with ThreadSanitizer, which would report races in
  // how it hands out a loop.
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < all.cells.size(); i = next++) {
      event_cell& c = all.cells[i];
      c.again = command_again(o, program_path, c, all.seed);
      const bool is_to_run = c.is == outcome::unknown;
      if (is_to_run && !watchdog::stopping()) runner.run(c);
      const std::lock_guard lock(printing);
      progress.done(c);
    }
  };
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i != std::max(1U, std::thread::hardware_concurrency()); ++i)
      workers.emplace_back(work);
  }
  all.interrupted = watchdog::stopping();
  all.seconds = now() - began;
  return all;
}

}  // namespace threadref::stress
