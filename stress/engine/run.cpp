// SPDX-License-Identifier: MIT
#include "stress/engine/run.hpp"

#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <random>
#include <thread>

#include "stress/engine/clock.hpp"
#include "stress/engine/hang_detector.hpp"
#include "stress/engine/rare.hpp"
#include "stress/engine/watchdog.hpp"
#include "stress/engine/yields.hpp"
#include "testing/check.hpp"
#include "testing/environment.hpp"
#include "testing/text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

// gcc 12's ThreadSanitizer dies beyond 8128 threads, and is very slow before that.
constexpr int threads_most_under_tsan = 6000;
// A scenario that has not caught a canary in this time is not affected by its fault.
constexpr double canary_seconds = 1;

int wanted_threads(const cell_code& c, const options& o) {
  const scenarios::scenario& row = *c.what.row;
  if (o.threads != 0) return o.threads;
  return o.smoke || c.canary ? row.threads.smoke() : row.threads.real();
}
int wanted_finalizers(const cell_code& c, const options& o) {
  const scenarios::scenario& row = *c.what.row;
  if (o.finalizers != 0) return o.finalizers;
  // A rare fault shows soonest with many finalizers, but in small rounds.
  return o.smoke || (c.canary && !c.rare) ? row.finalizers.smoke() : row.finalizers.real();
}

// How many threads the machine allows, up to the most that a cell wants. Noted once before the run.
int allowed_threads(const std::vector<const cell_code*>& cells, const options& o,
                    run_result& into) {
  int most = 0;
  for (const cell_code* c : cells) most = std::max(most, wanted_threads(*c, o));
  testing::thread_room room = testing::room_for_threads(most, stack_bytes());
  if (detail::under_tsan && room.threads > threads_most_under_tsan)
    room = {threads_most_under_tsan, "ThreadSanitizer's own table of threads"};
  if (room.threads < most) {
    into.notes.push_back(absl::StrFormat("at most %s threads at once instead of %s: limited by %s",
                                         with_commas(static_cast<std::uint64_t>(room.threads)),
                                         with_commas(static_cast<std::uint64_t>(most)),
                                         room.limit));
  }
  return std::max(room.threads, 1);
}

std::string command_again(const options& o, const std::string& program_path, std::uint64_t seed,
                          const cell_code& c) {
  std::string again = absl::StrFormat("%s --filter=^%s$ --seed=0x%x", program_path,
                                      scenarios::cell_name(c.what), seed);
  if (c.canary) again += testing::concat(c.rare ? " --rare" : " --canaries");
  if (o.smoke) again += testing::concat(" --smoke");
  if (o.threads != 0) again += testing::concat(" --threads=", o.threads);
  if (o.finalizers != 0) again += testing::concat(" --finalizers=", o.finalizers);
  if (!o.smoke && o.seconds != default_seconds)
    again += testing::concat(" --time=", absl::StrFormat("%gs", o.seconds));
  return again;
}

// A cell whose share of the time is `seconds` hangs once it has used this much CPU time.
double cpu_seconds_allowed(double seconds) {
  const double on_each = std::max(120.0, 20 * seconds) * slower_under_sanitizers;
  return on_each * std::max(1U, std::thread::hardware_concurrency());
}

void commit_planted_fault(planted fault) {
  if (fault == planted::crash) raise(SIGSEGV);
  while (fault == planted::hang) pause();
}

class runner {
 public:
  runner(options o, std::string program_path, std::uint64_t seed)
      : options_(std::move(o)), path_(std::move(program_path)) {
    result_.seed = seed;
  }

  // In a child process: one rare canary.
  int run_rare(const cell_code& c, rare_progress& to) {
    cell_result r;
    r.cell = &c;
    r.threads = options_.threads;
    r.finalizers = options_.finalizers;
    play_rounds(r, now(), options_.seconds, [&] { publish(r, to); });
    return testing::status_fine;
  }

  run_result run(const std::vector<const cell_code*>& cells) {
    if (cells.empty()) return std::move(result_);
    most_threads_ = allowed_threads(cells, options_, result_);
    for (const std::string& n : result_.notes) std::printf("note: %s\n", n.c_str());
    const double began = now();
    for (std::size_t i = 0; i != cells.size() && !watchdog::stopping(); ++i) {
      const double left = began + options_.seconds - now();
      const double share = left / static_cast<double>(cells.size() - i);
      result_.cells.push_back(play(*cells[i], std::max(share, 0.0), i, cells.size()));
      show(result_.cells.back());
    }
    result_.interrupted = watchdog::stopping();
    result_.seconds = now() - began;
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool enough(const cell_result& r, double elapsed, double share) const {
    if (watchdog::stopping()) return true;
    if (r.cell->canary) {
      // Memory is not judged after each round: with enough tries, noise would pass for growth.
      const bool caught = judge(r.cell->what, r.figures.seen).is == verdict::failed ||
                          (r.figures.rounds % 64 == 0 && memory_grows(r));
      if (r.cell->rare) return caught || elapsed >= share;
      return caught || elapsed >= std::min(share, canary_seconds);
    }
    return options_.smoke || elapsed >= share;
  }

  static bool memory_grows(const cell_result& r) {
    const std::optional<slope> s = r.memory.in_use.fit();
    return s && s->grows();
  }

  template <class F>
  void play_rounds(cell_result& r, double began, double share, F after_round) {
    const cell_code& c = *r.cell;
    const std::string name = scenarios::cell_name(c.what);
    const std::uint64_t seed = mix(result_.seed, name);
    std::unique_ptr<finalizer_ledger> ledger;
    do {
      round one{.cell = name,
                .child = child_command(c),
                .seed = mix(seed, r.figures.rounds),
                .threads = r.threads,
                .finalizers = r.finalizers,
                .end_seconds = options_.smoke || c.canary ? 0 : began + share,
                .figures = r.figures};
      if (ledger == nullptr) {
        ledger = std::make_unique<finalizer_ledger>(c.threads_in_all(one),
                                                    static_cast<std::size_t>(one.finalizers));
      }
      c.play(one, *ledger);
      ledger->clear();
      ++r.figures.rounds;
      r.memory.take_sample(r.figures.threads_churned);
      after_round();
    } while (!enough(r, now() - began, share));
  }

  cell_result play(const cell_code& c, double share, std::size_t index, std::size_t total) {
    cell_result r;
    r.cell = &c;
    r.threads = std::min(wanted_threads(c, options_), most_threads_);
    r.finalizers = wanted_finalizers(c, options_);
    r.again = command_again(options_, path_, result_.seed, c);
    const std::string name = scenarios::cell_name(c.what);
    const bool planted_here = index == 0 && options_.plant != planted::nothing;
    const double seconds = options_.smoke ? 0 : share;
    watchdog::begin_cell(name, r.again, cpu_seconds_allowed(seconds),
                         std::max(hang_limits{}.wall_seconds, 100 * seconds));
    if (planted_here) commit_planted_fault(options_.plant);
    const double began = now();
    if (c.rare) {
      play_rare(r, rare_command(c, r, share), [&] { progress_.clear(); });
    } else {
      play_rounds(r, began, share, [&] { progress_.show(name, r.figures, index, total); });
    }
    r.seconds = now() - began;
    watchdog::end_cell();
    if (memory_grows(r)) r.figures.seen.add("memory_grows", 1);
    if (planted_here && options_.plant == planted::bad_outcome) r.figures.seen.add("planted", 1);
    r.judged = judge(c.what, r.figures.seen);
    if (r.figures.killed_from_outside) r.judged.is = worse(r.judged.is, verdict::unknown);
    for (const std::string& n : r.figures.notes) result_.notes.push_back(n);
    return r;
  }

  std::vector<std::string> child_command(const cell_code& c) const {
    std::vector<std::string> command{path_,
                                     testing::concat("--child=", scenarios::cell_name(c.what))};
    if (options_.plant == planted::killed_child) command.emplace_back("--plant=killed_child");
    return command;
  }

  std::vector<std::string> rare_command(const cell_code& c, const cell_result& r,
                                        double share) const {
    std::vector<std::string> command = child_command(c);
    command.emplace_back("--rare");
    command.push_back(testing::concat("--seed=", result_.seed));
    command.push_back(testing::concat("--threads=", r.threads));
    command.push_back(testing::concat("--finalizers=", r.finalizers));
    command.push_back(absl::StrFormat("--time=%fs", std::max(share, 0.001)));
    if (options_.points_given) {
      command.push_back("--points=" +
                        (options_.points.empty() ? "none" : absl::StrJoin(options_.points, ",")));
    }
    return command;
  }

  void show(const cell_result& r) {
    progress_.clear();
    print_cell(r);
    const bool failed = r.judged.is == verdict::failed;
    // Canaries are expected to fail; one that was selected by name is shown in full.
    const bool in_full = failed ? !r.cell->canary || !options_.filter.empty()
                                : r.judged.interesting && !r.cell->canary;
    if (in_full || r.judged.is == verdict::unknown) print_table(r);
  }

  options options_;
  std::string path_;
  run_result result_;
  progress progress_;
  int most_threads_ = 1;
};

}  // namespace

std::vector<const cell_code*> select_cells(const options& o, const std::vector<cell_code>& all) {
  const pattern wanted(o.filter.empty() ? "." : o.filter);
  std::vector<const cell_code*> chosen;
  for (const cell_code& c : all) {
    if (c.canary != o.canaries || c.rare != o.rare) continue;
    if (c.what.status == scenarios::cell_status::not_applicable) continue;
    if (!o.backend.empty() && c.what.subject->name != o.backend) continue;
    if (wanted.found_in(scenarios::cell_name(c.what))) chosen.push_back(&c);
  }
  return chosen;
}

std::uint64_t plan_run(const program_info& program, const options& o) {
  std::random_device from;
  const std::uint64_t seed = o.seed ? *o.seed : (std::uint64_t{from()} << 32U) | from();
  if (program.points) yields::plan(seed, o.points_given ? &o.points : nullptr);
  print_header(program, o, seed);
  return seed;
}

run_result run_cells(const options& o, const std::string& program_path,
                     const std::vector<const cell_code*>& cells, std::uint64_t seed) {
  return runner(o, program_path, seed).run(cells);
}

int run_child(const options& o, const std::vector<cell_code>& all) {
  const auto c = std::find_if(all.begin(), all.end(), [&o](const cell_code& each) {
    return scenarios::cell_name(each.what) == o.child;
  });
  if (c != all.end() && c->rare) {
    yields::plan(o.seed.value_or(0), o.points_given ? &o.points : nullptr);
    start_counting_bytes();
    return runner(o, {}, o.seed.value_or(0)).run_rare(*c, map_progress(o.child_ledger));
  }
  if (c == all.end() || c->child == nullptr) return testing::status_wrong_use;
  if (o.plant == planted::killed_child) raise(SIGKILL);
  yields::plan(o.seed.value_or(0));
  cell_figures figures;
  round one{.cell = o.child,
            .child = {},
            .seed = o.seed.value_or(0),
            .threads = o.threads,
            .finalizers = o.finalizers,
            .figures = figures};
  // Never freed: threads that the end of this process cuts off may still write to it.
  static auto* const ledger =
      new finalizer_ledger(one.size(), static_cast<std::size_t>(o.finalizers), o.child_ledger);
  return c->child(one, *ledger);
}

}  // namespace threadref::stress
