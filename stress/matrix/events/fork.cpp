// SPDX-License-Identifier: MIT
// Forked processes, and what they have of their parent's threads and callbacks.
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "testing/gate.hpp"

namespace threadref::stress {

namespace of_fork {
namespace {

constexpr int some = 8;  // callbacks of a thread

pid_t checked_fork() {
  const pid_t made = fork();
  THREADREF_CHECK_ERRNO(made >= 0, "fork");
  return made;
}

// If the forked process fails, this one ends in the same way. If it hangs, this one hangs, too, and
// the harness ends both.
void wait_for(pid_t forked) {
  int status = 0;
  THREADREF_CHECK_ERRNO(waitpid(forked, &status, 0) == forked, "waitpid");
  if (WIFSIGNALED(status)) raise(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) _exit(WEXITSTATUS(status));
}

// How the thread ends in both processes: it exits here, or returns from its body.
void exit_as(std::size_t condition) {
  if (condition == 1) std::exit(0);
  if (condition == 2) pthread_exit(nullptr);
}

int main_forks(event_context& ctx) {
  ctx.attach(some);
  ctx.expect_in_fork();
  const pid_t forked = checked_fork();
  if (forked != 0) wait_for(forked);
  exit_as(ctx.condition());
  return 0;
}

int worker_forks(event_context& ctx) {
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    ctx.expect_in_fork();
    const pid_t forked = checked_fork();
    if (forked != 0) wait_for(forked);
    exit_as(ctx.condition());
  });
  return 0;
}

// Threads with callbacks, which wait while another thread forks.
class siblings {
 public:
  // Each registers some callbacks, with one in the middle that calls `then`, and waits for go().
  siblings(event_context& ctx, void (*then)(event_context&)) {
    for (auto& one : all_) {
      testing::gate& ready = one.ready;
      one.thread = std::make_unique<posix_thread>(ctx, [this, &ctx, &one, &ready, then] {
        ctx.attach(some / 2);
        ctx.attach(then);
        ctx.attach(some / 2);
        if (ctx.subject.watch != nullptr) one.lives = ctx.subject.watch();
        if (ctx.subject.identity != nullptr) one.identity = ctx.subject.identity();
        ready.open();
        go_.wait();
      });
    }
    for (const auto& one : all_) one.ready.wait();
  }
  void go() { go_.open(); }
  // Until all are inside a callback, or have ended without running one.
  void wait_for(const std::atomic<int>& inside) {
    const auto over = [](const member& one) { return one.thread->try_join(); };
    while (inside.load() != static_cast<int>(all_.size()) &&
           !std::all_of(all_.begin(), all_.end(), over)) {
      sched_yield();
    }
  }
  void join() {
    for (const auto& one : all_) one.thread->join();
  }
  // Called in the forked process, which does not have these threads.
  void must_have_vanished(event_context& ctx) const {
    const auto lives = [](const member& one) { return one.lives && one.lives(); };
    if (std::any_of(all_.begin(), all_.end(), lives))
      ctx.record_violation("a vanished thread is taken to be alive");
    // Only the thread that forked exists there.
    if (ctx.subject.threads != nullptr && ctx.subject.threads().size() > 1)
      ctx.record_violation("vanished threads are counted as alive");
  }
  [[nodiscard]] bool has(std::uint64_t identity) const {
    return std::any_of(all_.begin(), all_.end(), [identity](const member& one) {
      return identity != 0 && one.identity == identity;
    });
  }

 private:
  struct member {
    testing::gate ready;
    std::function<bool()> lives;
    std::uint64_t identity = 0;
    std::unique_ptr<posix_thread> thread;
  };
  testing::gate go_;
  std::array<member, 3> all_;
};

// Leaked: the forked process must not destroy them, either.
siblings& start_siblings(event_context& ctx, void (*then)(event_context&) = nullptr) {
  return *new siblings(ctx, then);
}

int siblings_vanish(event_context& ctx) {
  siblings& others = start_siblings(ctx);
  const auto body = [&] {
    const pid_t forked = checked_fork();
    if (forked != 0) {
      wait_for(forked);
      return;
    }
    others.must_have_vanished(ctx);
    exit_as(ctx.condition() % 3);
  };
  if (ctx.condition() < 3) {
    const pid_t parent = getpid();
    body();
    if (getpid() != parent) return 0;
  } else {
    on_new_thread(ctx, body);
  }
  others.go();
  others.join();
  return 0;
}

void do_nothing(void* /*with*/) {}

// A mechanism that takes a key for each value has at most 1,024, and some mechanisms end the
// process if there is none. So the churn stops before keys run out.
bool may_register() {
  constexpr int most = 20'000;
  constexpr pthread_key_t enough = 800;
  static std::atomic<int> registered{0};
  pthread_key_t next{};
  if (registered.load() >= most || pthread_key_create(&next, nullptr) != 0) return false;
  pthread_key_delete(next);
  if (next < enough) ++registered;
  return next < enough;
}

// Threads start, register, detach callbacks of each other and end, so that whatever a mechanism
// locks is locked at times. They are not recorded: the record has no room for so many.
void churn(const mechanism& m, const std::atomic<bool>& stop) {
  while (!stop.load()) {
    std::thread([&m] {
      std::vector<std::function<bool()>> detach;
      for (int i = 0; i != some && may_register(); ++i) {
        if (m.attach_detachable == nullptr) {
          m.attach({&do_nothing, nullptr});
        } else {
          detach.push_back(m.attach_detachable({&do_nothing, nullptr}));
        }
      }
      std::thread([&detach] {
        for (std::size_t i = 0; i < detach.size(); i += 2) detach[i]();
      }).join();
    }).join();
    if (m.threads != nullptr) m.threads();
  }
}

void fork_many_times(event_context& ctx) {
  for (int i = 0; i != ctx.size(200); ++i) {
    const pid_t forked = checked_fork();
    if (forked == 0) {
      ctx.subject.attach({&do_nothing, nullptr});
      if (ctx.subject.threads != nullptr && ctx.subject.threads().size() > 1)
        ctx.record_violation("vanished threads are counted as alive");
      _exit(0);
    }
    wait_for(forked);
  }
}

// A mechanism passes if it takes no lock, or takes all of its locks before a fork, as glibc's
// malloc does.
int forks_under_churn(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });  // the set-up at first use is another question
  std::atomic<bool> stop{false};
  std::array<std::thread, 2> others;
  for (std::thread& one : others) one = std::thread([&] { churn(ctx.subject, stop); });
  if (ctx.condition() == 0) {
    fork_many_times(ctx);
  } else {
    on_new_thread(ctx, [&ctx] { fork_many_times(ctx); });
  }
  stop.store(true);
  for (std::thread& one : others) one.join();
  return 0;
}

// Both processes go on with what is pending, and with nothing else.
void fork_here(event_context& ctx) {
  ctx.expect_in_fork();
  const pid_t forked = checked_fork();
  if (forked != 0) wait_for(forked);
}

int forks_in_a_callback(event_context& ctx) {
  const auto attach_all = [&ctx] {
    ctx.attach(some / 2);
    ctx.attach(&fork_here);
    ctx.attach(some / 2);
  };
  if (ctx.condition() == 0) {
    on_new_thread(ctx, attach_all);
  } else {
    attach_all();
  }
  return 0;
}

pid_t start_other_program(std::size_t how) {
  static char* const command[] = {const_cast<char*>("true"), nullptr};
  pid_t made = 0;
  if (how == 2) {
    THREADREF_CHECK_CALL(posix_spawn(&made, "/bin/true", nullptr, nullptr, command, environ));
    return made;
  }
  made = how == 0 ? vfork() : fork();
  if (made == 0) {
    execv("/bin/true", command);
    _exit(127);
  }
  THREADREF_CHECK_ERRNO(made > 0, "fork");
  return made;
}

int starts_another_program(event_context& ctx) {
  siblings& others = start_siblings(ctx);
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some);
    wait_for(start_other_program(ctx.condition()));
  });
  others.go();
  others.join();
  return 0;
}

// A new thread of the forked process gets the stack of a vanished one, and whatever that has left
// there.
void start_threads_and_exit(event_context& ctx, const siblings& vanished) {
  for (int i = 0; i != 4; ++i) {
    on_new_thread(ctx, [&] {
      if (ctx.subject.identity != nullptr && vanished.has(ctx.subject.identity()))
        ctx.record_violation("a new thread is taken for a vanished one");
      ctx.attach(some);
      if (ctx.subject.identity != nullptr && vanished.has(ctx.subject.identity()))
        ctx.record_violation("a new thread is taken for a vanished one");
    });
    on_new_thread(ctx, [] {});  // a thread without callbacks
  }
  _exit(0);
}

int has_a_new_thread(event_context& ctx) {
  static std::atomic<int> inside{0};
  static testing::gate forked;
  const bool in_callbacks = ctx.condition() == 1;
  siblings& others = start_siblings(ctx, in_callbacks ? [](event_context& /*in*/) {
    ++inside;
    forked.wait();
  } : static_cast<void (*)(event_context&)>(nullptr));
  if (in_callbacks) {
    others.go();
    others.wait_for(inside);
  }
  const pid_t child = checked_fork();
  if (child == 0) start_threads_and_exit(ctx, others);
  wait_for(child);
  forked.open();
  others.go();
  others.join();
  return 0;
}

// Somebody else's fork handlers. They are registered before any of a mechanism in this program, so
// their `prepare` comes after the mechanism's, and their `parent` and `child` before.
enum class handler { prepare, parent, child };
std::function<void(handler)>& in_handlers() {
  static auto* const work = new std::function<void(handler)>;
  return *work;
}
template <handler Which>
void call_in_handler() {
  if (in_handlers()) in_handlers()(Which);
}
struct early_handlers {
  early_handlers() noexcept
      : error(pthread_atfork(&call_in_handler<handler::prepare>, &call_in_handler<handler::parent>,
                             &call_in_handler<handler::child>)) {}
  int error;
};
[[gnu::init_priority(101)]] const early_handlers registered_early;

// What pthread_atfork's manual page recommends: `prepare` takes a lock, and the others release it.
int handler_takes_a_lock(event_context& ctx) {
  THREADREF_CHECK_CALL(registered_early.error);
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static testing::gate forking;
  in_handlers() = [](handler which) {
    forking.open();
    if (which == handler::prepare) {
      THREADREF_CHECK_CALL(pthread_mutex_lock(&lock));
    } else {
      THREADREF_CHECK_CALL(pthread_mutex_unlock(&lock));
    }
  };
  testing::gate locked;
  std::thread other([&] {
    THREADREF_CHECK_CALL(pthread_mutex_lock(&lock));
    locked.open();
    forking.wait();
    if (ctx.condition() == 0) {
      on_new_thread(ctx, [&ctx] { ctx.attach(some); });
    } else {
      ctx.attach(some);
    }
    THREADREF_CHECK_CALL(pthread_mutex_unlock(&lock));
  });
  locked.wait();
  const pid_t forked = checked_fork();
  if (forked == 0) _exit(0);
  wait_for(forked);
  other.join();
  return 0;
}

int handler_registers(event_context& ctx) {
  THREADREF_CHECK_CALL(registered_early.error);
  const auto where = static_cast<handler>(ctx.condition());
  in_handlers() = [&ctx, where](handler which) {
    if (which != where) return;
    ctx.attach(some / 2);
    if (which == handler::prepare) ctx.expect_in_fork();
  };
  siblings& others = start_siblings(ctx);
  on_new_thread(ctx, [&ctx] {
    ctx.attach(some / 2);
    fork_here(ctx);
  });
  others.go();
  others.join();
  return 0;
}

constexpr std::string_view starts_threads =
    "it ends a forked process that starts a thread, if there were threads before";

constexpr std::string_view ends_threads =
    "in a forked process the end of a thread crashes it, or never comes";

constexpr event rows[] = {
    {.name = "fork/main_forks",
     .asks = "do main's callbacks run in both processes when it forks?",
     .run = &main_forks,
     .conditions = {{{"both return from main"},
                     {"both call exit()"},
                     {"both call pthread_exit()"}}},
     .checks = "87",
     .not_under_tsan = ends_threads},
    {.name = "fork/worker_forks",
     .asks = "do a worker's callbacks run in both processes when it forks?",
     .run = &worker_forks,
     .conditions = {{{"both return"}, {"both call exit()"}, {"both call pthread_exit()"}}},
     .checks = "88",
     .not_under_tsan = ends_threads},
    // Differs: R-34: by default they are forgotten: what they hold may be locked by threads that
    // are not there.
    {.name = "fork/siblings",
     .asks = "are vanished threads gone in a forked process, and their callbacks left alone?",
     .run = &siblings_vanish,
     .conditions = {{{"main forks, and returns there"},
                     {"main forks, and calls exit() there"},
                     {"main forks, and calls pthread_exit() there"},
                     {"a worker forks, and returns there"},
                     {"a worker forks, and calls exit() there"},
                     {"a worker forks, and calls pthread_exit() there"}}},
     .checks = "88",
     .bugs = {27},
     .not_under_tsan = ends_threads},
    {.name = "fork/under_churn",
     .asks = "can a forked process register whatever other threads were at?",
     .run = &forks_under_churn,
     .conditions = {{{"main forks"}, {"a worker forks"}}},
     .checks = "89",
     .bugs = {27},
     .not_under_tsan = starts_threads,
     .not_under_asan = "in the forked process its allocator's locks stay as others held them"},
    {.name = "fork/in_callback",
     .asks = "does each pending callback run once in both processes when a callback forks?",
     .run = &forks_in_a_callback,
     .conditions = {{{"of a worker that ends"}, {"of main, which returned"}}},
     .checks = "90",
     .not_under_tsan = ends_threads},
    {.name = "fork/other_program",
     .asks = "are callbacks left alone when another program is started?",
     .run = &starts_another_program,
     .conditions = {{{"vfork() and exec"}, {"fork() and exec"}, {"posix_spawn()"}}},
     .checks = "91",
     .not_under_tsan = "it makes a fork() of vfork()"},
    {.name = "fork/new_thread",
     .asks = "does a forked process's new thread have its own callbacks, and nobody else's?",
     .run = &has_a_new_thread,
     .conditions = {{{"others wait"}, {"others are in their callbacks"}}},
     .checks = "88, 89",
     .bugs = {27},
     .not_under_tsan = starts_threads},
    {.name = "fork/beside_a_lock",
     .asks = "can a thread register under a lock for which another one's fork() waits?",
     .run = &handler_takes_a_lock,
     .conditions = {{{"a new thread"}, {"the thread that holds it"}}},
     .checks = "89"},
    {.name = "fork/in_handler",
     .asks = "may somebody else's fork handler register a callback?",
     .run = &handler_registers,
     .conditions = {{{"before the fork"}, {"in the parent"}, {"in the forked process"}}},
     .checks = "90",
     .not_under_tsan = ends_threads},
};

}  // namespace
}  // namespace of_fork

std::span<const event> fork_events() {
  return of_fork::rows;
}

}  // namespace threadref::stress
