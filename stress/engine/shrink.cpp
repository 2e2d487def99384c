// SPDX-License-Identifier: MIT
#include "stress/engine/shrink.hpp"

#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <vector>

#include "stress/engine/hang_detector.hpp"
#include "stress/engine/watchdog.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/text.hpp"
#include "threadref/detail/points.hpp"

namespace threadref::stress {

namespace {

// A fault that needs a race does not show in every run.
constexpr int tries = 3;
constexpr double seconds_per_try = 2;

struct sizes {
  int threads = 1;
  int finalizers = 1;
  std::vector<std::string> points;
};

class shrinker {
 public:
  shrinker(const options& o, const std::string& path, const cell_code& cell, std::uint64_t seed)
      : options_(o), path_(path), cell_(scenarios::cell_name(cell.what)), seed_(seed) {}

  int run(sizes now) {
    absl::PrintF("%s as it is: %d threads, %d finalizers, %d points\n", cell_, now.threads,
                 now.finalizers, now.points.size());
    if (!fails(now)) {
      absl::PrintF("it did not fail in %d tries of %g s; another --seed, or more --time?\n", tries,
                   seconds_of_try());
      return watchdog::stopping() ? testing::status_interrupted : testing::status_fine;
    }
    lower(now, &sizes::threads, "threads");
    lower(now, &sizes::finalizers, "finalizers");
    drop_points(now);
    absl::PrintF("smallest that failed: %d threads, %d finalizers, points: %s\n", now.threads,
                 now.finalizers, points_of(now));
    absl::PrintF("  again: %s\n", absl::StrJoin(command(now), " "));
    return watchdog::stopping() ? testing::status_interrupted : testing::status_forbidden;
  }

 private:
  [[nodiscard]] double seconds_of_try() const {
    return std::min(options_.seconds, seconds_per_try);
  }
  static std::string points_of(const sizes& s) {
    return s.points.empty() ? "none" : absl::StrJoin(s.points, ",");
  }
  [[nodiscard]] std::vector<std::string> command(const sizes& s) const {
    std::vector<std::string> all{path_,
                                 testing::concat("--filter=^", cell_, "$"),
                                 absl::StrFormat("--seed=0x%x", seed_),
                                 testing::concat("--threads=", s.threads),
                                 testing::concat("--finalizers=", s.finalizers),
                                 testing::concat("--points=", points_of(s)),
                                 absl::StrFormat("--time=%gs", seconds_of_try())};
    if (options_.canaries) all.emplace_back("--canaries");
    if (options_.plant == planted::bad_outcome) all.emplace_back("--plant=bad_outcome");
    return all;
  }

  // The exit status of one run without its output; -1: it crashed or hangs.
  int status_of_run(const sizes& s) {
    std::vector<std::string> arguments = command(s);
    posix_spawn_file_actions_t files{};
    THREADREF_CHECK_CALL(posix_spawn_file_actions_init(&files));
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      THREADREF_CHECK_CALL(posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0));
    }
    pid_t child = 0;
    THREADREF_CHECK_CALL(posix_spawn(&child, "/proc/self/exe", &files, nullptr,
                                     testing::pointers(arguments).data(), environ));
    THREADREF_CHECK_CALL(posix_spawn_file_actions_destroy(&files));
    if (!wait_for_end(child, {}).empty()) kill(child, SIGKILL);
    int status = 0;
    THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  bool fails(const sizes& s) {
    for (int i = 0; i != tries && !watchdog::stopping(); ++i) {
      const int status = status_of_run(s);
      THREADREF_CHECK(status != testing::status_wrong_use,
                      "a reduced command line was rejected as wrong use");
      // A canary fails when it is caught, so the status of a run that does not fail is "missed".
      const bool fine =
          status == (options_.canaries ? testing::status_canary_missed : testing::status_fine);
      if (!fine && status != testing::status_interrupted) return true;
    }
    return false;
  }

  bool still_fails(sizes& now, const sizes& smaller, const std::string& what) {
    const bool failed = fails(smaller);
    absl::PrintF("  %s: %s\n", what, failed ? "still fails" : "no longer");
    std::fflush(stdout);
    if (failed) now = smaller;
    return failed;
  }

  // Halves the size while the cell still fails, then takes a quarter off at a time.
  void lower(sizes& now, int sizes::*size, std::string_view name) {
    for (const int quarters : {2, 1}) {
      while (now.*size > 1 && !watchdog::stopping()) {
        sizes smaller = now;
        smaller.*size = std::max(1, now.*size - std::max(1, now.*size * quarters / 4));
        if (!still_fails(now, smaller,
                         testing::concat(name, " ", now.*size, " -> ", smaller.*size)))
          break;
      }
    }
  }

  void drop_points(sizes& now) {
    sizes none = now;
    none.points.clear();
    if (now.points.empty() || still_fails(now, none, "without points")) return;
    for (const std::string& p : std::vector<std::string>(now.points)) {
      if (watchdog::stopping()) return;
      sizes smaller = now;
      smaller.points.erase(std::find(smaller.points.begin(), smaller.points.end(), p));
      still_fails(now, smaller, testing::concat("without the point ", p));
    }
  }

  const options& options_;
  const std::string& path_;
  std::string cell_;
  std::uint64_t seed_;
};

}  // namespace

int shrink(const options& o, const std::string& program_path, const cell_code& cell,
           std::uint64_t seed) {
  const scenarios::scenario& row = *cell.what.row;
  sizes now;
  now.threads = o.threads != 0 ? o.threads : cell.canary ? row.threads.smoke() : row.threads.real();
  now.finalizers = o.finalizers != 0 ? o.finalizers
                   : cell.canary     ? row.finalizers.smoke()
                                     : row.finalizers.real();
  now.points = o.points;
  if (!o.points_given) {
    now.points.assign(std::begin(detail::point_names), std::end(detail::point_names));
  }
  return shrinker(o, program_path, cell, seed).run(std::move(now));
}

}  // namespace threadref::stress
