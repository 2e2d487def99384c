// SPDX-License-Identifier: MIT
#include "stress/engine/rare.hpp"

#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <memory>
#include <utility>

#include "stress/engine/child.hpp"
#include "stress/engine/hang_detector.hpp"
#include "stress/engine/watchdog.hpp"
#include "testing/check.hpp"
#include "testing/child_process.hpp"
#include "testing/memory_file.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

// For one round, which at the canaries' size takes some ms, or a second under ThreadSanitizer.
constexpr hang_limits limits_of_a_round{.cpu_seconds = 20 * slower_under_sanitizers};

enum class end { by_itself, hanging, stopped };

end wait_for(pid_t child, const rare_progress& so_far, const std::function<void()>& on_round) {
  std::uint64_t rounds = 0;
  const std::string_view hangs =
      wait_for_end(child, limits_of_a_round, [&](hang_detector& detector) {
        if (watchdog::stopping()) kill(child, SIGKILL);
        if (const std::uint64_t now = so_far.rounds.load(std::memory_order_acquire);
            now != rounds) {
          rounds = now;
          detector.progressed();
          on_round();
        }
      });
  if (watchdog::stopping()) return end::stopped;
  return hangs.empty() ? end::by_itself : end::hanging;
}

void judge_end(cell_result& r, end how, int status) {
  if (how == end::hanging) r.figures.seen.add("hangs", 1);
  if (how != end::by_itself) return;
  if (WIFSIGNALED(status) && !testing::is_crash(WTERMSIG(status))) {
    r.figures.killed_from_outside = true;
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    r.figures.seen.add("child_failed", 1);
  }
}

}  // namespace

rare_progress& map_progress(int memory_file) {
  void* const at =
      mmap(nullptr, sizeof(rare_progress), PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
  THREADREF_CHECK_ERRNO(at != MAP_FAILED, "mmap of the progress");
  return *static_cast<rare_progress*>(at);
}

void publish(const cell_result& r, rare_progress& to) {
  to.threads_churned = r.figures.threads_churned;
  to.threads_alive_max = r.figures.threads_alive_max;
  to.finalizers_run = r.figures.finalizers_run;
  to.memory = r.memory;
  std::uint64_t declared = 0;
  for (std::size_t i = 0; i != to.seen.size(); ++i) {
    const std::string_view name = r.cell->what.row->outcomes[i].name;
    to.seen[i] = name.empty() ? 0 : r.figures.seen.count(name);
    declared += to.seen[i];
  }
  to.undeclared = r.figures.seen.sum() - declared;
  to.rounds.store(r.figures.rounds, std::memory_order_release);
}

void play_rare(cell_result& r, std::vector<std::string> command,
               const std::function<void()>& on_round) {
  const testing::memory_file memory("threadref_progress", sizeof(rare_progress));
  rare_progress& so_far = *std::construct_at(&map_progress(memory.fd()));
  command.push_back(testing::concat("--child_ledger=", memory.fd()));
  const pid_t child = start_child(std::move(command));
  const end how = wait_for(child, so_far, on_round);
  if (how != end::by_itself) kill(child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  r.figures.rounds = so_far.rounds.load(std::memory_order_acquire);
  r.figures.threads_churned = so_far.threads_churned;
  r.figures.threads_alive_max = so_far.threads_alive_max;
  r.figures.finalizers_run = so_far.finalizers_run;
  r.memory = so_far.memory;
  for (std::size_t i = 0; i != so_far.seen.size(); ++i)
    r.figures.seen.add(r.cell->what.row->outcomes[i].name, so_far.seen[i]);
  r.figures.seen.add("undeclared", so_far.undeclared);
  judge_end(r, how, status);
  THREADREF_CHECK_ERRNO(munmap(&so_far, sizeof so_far) == 0, "munmap of the progress");
}

}  // namespace threadref::stress
