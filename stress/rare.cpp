// SPDX-License-Identifier: MIT
#include "rare.hpp"

#include <sys/mman.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

#include "child.hpp"
#include "minder.hpp"
#include "scenarios/check.hpp"
#include "scenarios/child_process.hpp"
#include "text.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

using clock = std::chrono::steady_clock;

// A round at the canaries' size takes some ms, or a second under ThreadSanitizer.
constexpr std::chrono::seconds patience{detail::under_tsan || detail::under_asan ? 60 : 10};

enum class end { by_itself, hanging, unwanted };

end wait_for(pid_t child, const rare_news& news, const std::function<void()>& on_round) {
  std::uint64_t rounds = 0;
  clock::time_point last = clock::now();
  while (!scenarios::ends_within(child, 100)) {
    if (minder::stopping()) return end::unwanted;
    if (const std::uint64_t now = news.rounds.load(std::memory_order_acquire); now != rounds) {
      rounds = now;
      last = clock::now();
      on_round();
    }
    if (clock::now() - last > patience) return end::hanging;
  }
  return end::by_itself;
}

void judge_end(cell_result& r, end how, int status) {
  if (how == end::hanging) r.figures.seen.add("hangs", 1);
  if (how != end::by_itself) return;
  if (WIFSIGNALED(status) && !scenarios::is_crash(WTERMSIG(status))) {
    r.figures.killed_from_outside = true;
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    r.figures.seen.add("child_failed", 1);
  }
}

}  // namespace

rare_news& news_in(int memory_file) {
  void* const at =
      mmap(nullptr, sizeof(rare_news), PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
  THREADREF_CHECK_ERRNO(at != MAP_FAILED, "mmap of the news");
  return *static_cast<rare_news*>(at);
}

void tell(const cell_result& r, rare_news& to) {
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
  const scenarios::memory_file memory("threadref_news", sizeof(rare_news));
  rare_news& news = *std::construct_at(&news_in(memory.fd()));
  command.push_back(text("--child_ledger=", memory.fd()));
  const pid_t child = start_child(std::move(command));
  const end how = wait_for(child, news, on_round);
  if (how != end::by_itself) kill(child, SIGKILL);
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(child, &status, 0) == child, "waitpid");
  r.figures.rounds = news.rounds.load(std::memory_order_acquire);
  r.figures.threads_churned = news.threads_churned;
  r.figures.threads_alive_max = news.threads_alive_max;
  r.figures.finalizers_run = news.finalizers_run;
  r.memory = news.memory;
  for (std::size_t i = 0; i != news.seen.size(); ++i)
    r.figures.seen.add(r.cell->what.row->outcomes[i].name, news.seen[i]);
  r.figures.seen.add("undeclared", news.undeclared);
  judge_end(r, how, status);
  THREADREF_CHECK_ERRNO(munmap(&news, sizeof news) == 0, "munmap of the news");
}

}  // namespace threadref::stress
