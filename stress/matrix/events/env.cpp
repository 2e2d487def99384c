// SPDX-License-Identifier: MIT
// Surroundings that a library does not choose: the allocator, calls that the kernel refuses, when
// it is loaded, and how many threads there may be.
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <latch>
#include <optional>
#include <string>
#include <vector>

#include "stress/matrix/child/loaded.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/check.hpp"
#include "testing/environment.hpp"
#include "testing/sandbox.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace of_env {
namespace {

constexpr int some = 8;  // callbacks of a thread

// --- Another allocator.

// By then the allocator's own data of the thread may be gone.
void use_memory(event_context& /*in*/) {
  for (const std::size_t bytes : {16U, 1'000U, 100'000U}) {
    void* volatile memory = std::malloc(bytes);
    std::free(memory);
  }
}

constexpr std::array<event::condition, event::conditions_most> allocators = {{
    {"jemalloc", "libjemalloc.so.2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4"},
    {"mimalloc", "libmimalloc.so.2"},
}};

int another_allocator(event_context& ctx) {
  // If the loader does not find a library to preload, it goes on without it.
  if (testing::observe_environment().allocator.find(allocators[ctx.condition()].name) ==
      std::string::npos) {
    ctx.record_absent("it is not installed: scripts/setup.sh --all installs it");
    return 0;
  }
  for (int i = 0; i != ctx.size(100); ++i) {
    on_new_thread(ctx, [&ctx] {
      use_memory(ctx);
      ctx.attach(some, &use_memory);
    });
  }
  return 0;
}

// --- A kernel that refuses calls, as in a sandbox of a parser or a renderer.

// Whatever the mechanism can be asked about a thread that has registered.
void ask_all(event_context& ctx, const std::function<bool()>& alive,
             const std::function<bool()>& remove) {
  const mechanism& m = ctx.subject;
  if (alive && !alive()) ctx.record_violation("a thread that lives is said to be dead");
  if (remove) static_cast<void>(remove());
  if (m.identity != nullptr) static_cast<void>(m.identity());
  if (m.threads != nullptr) static_cast<void>(m.threads());
  if (m.withdraw != nullptr)
    static_cast<void>(m.withdraw(reinterpret_cast<const void*>(&pthread_self)));
}

int refused_calls(event_context& ctx) {
  enum { before_its_first_use, while_it_is_used };
  if (ctx.condition() == before_its_first_use) testing::enter_sandbox();
  std::latch registered(1);
  std::latch asked(1);
  std::function<bool()> alive;
  std::function<bool()> remove;
  posix_thread user(ctx, [&] {
    ctx.attach(some);
    if (ctx.subject.watch != nullptr) alive = ctx.subject.watch();
    if (ctx.subject.attach_detachable != nullptr) remove = ctx.attach_detachable();
    registered.count_down();
    asked.wait();
    ctx.attach(some);
  });
  registered.wait();
  if (ctx.condition() == while_it_is_used) testing::enter_sandbox();
  ask_all(ctx, alive, remove);
  asked.count_down();
  user.join();
  on_new_thread(ctx, [&ctx] { ctx.attach(some); });
  return 0;
}

// --- Loaded late: the back ends in a shared object, with their own copy of the library.

// The C library keeps little static thread-local storage for objects that are loaded late.
void use_up_static_storage() {
  while (loaded_object::can_copy("stress_static_tls")) {
  }
}

int loaded_late(event_context& ctx) {
  enum { before_threads, while_threads_live, without_static_storage };
  const bool threads_first = ctx.condition() == while_threads_live;
  if (ctx.condition() == without_static_storage) use_up_static_storage();
  std::optional<loaded_object> object;
  std::latch loaded(1);
  const auto load = [&] {
    object.emplace(module_with(ctx.subject.name));
    loaded.count_down();
  };
  if (!threads_first) load();
  posix_thread user(ctx, [&] {
    loaded.wait();
    for (int i = 0; i != some; ++i) ctx.attach_by(mechanism_in(*object, ctx.subject.name).attach);
  });
  if (threads_first) load();
  user.join();
  return 0;
}

// --- Few threads.

constexpr int few = 16;

// The control group that counts this process's threads; "": none is visible.
std::string group_of_pids() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string text_line; std::getline(file, text_line);) {
    if (const auto v1 = text_line.find(":pids:"); v1 != std::string::npos)
      return testing::concat("/sys/fs/cgroup/pids", text_line.substr(v1 + 6));
    if (text_line.rfind("0::", 0) == 0 && access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0)
      return testing::concat("/sys/fs/cgroup", text_line.substr(3));
  }
  return {};
}

bool write_to(const std::string& path, long number) {
  std::ofstream file(path);
  file << number;
  return static_cast<bool>(file.flush());
}

// Puts this process into a control group of its own.
class small_group {
 public:
  small_group()
      : outer_(group_of_pids()), own_(testing::concat(outer_, "/threadref_stress_", getpid())) {
    made_ = !outer_.empty() && mkdir(own_.c_str(), 0755) == 0;
    entered_ =
        made_ && write_to(own_ + "/pids.max", few) && write_to(own_ + "/cgroup.procs", getpid());
  }
  ~small_group() {
    if (entered_) write_to(outer_ + "/cgroup.procs", getpid());
    // A joined thread may stay in the group for a moment.
    for (int i = 0; i != 1'000 && made_ && rmdir(own_.c_str()) != 0; ++i) usleep(100);
  }
  small_group(const small_group&) = delete;
  small_group& operator=(const small_group&) = delete;
  [[nodiscard]] bool entered() const noexcept { return entered_; }

 private:
  std::string outer_;
  std::string own_;
  bool made_ = false;
  bool entered_ = false;
};

// The kernel counts all threads of a user, so the process becomes a user that nobody else is.
bool become_a_small_user() {
  if (geteuid() != 0) return false;
  constexpr uid_t nobody_yet = 1'000'000;
  const rlimit most{few, few};
  THREADREF_CHECK_ERRNO(setrlimit(RLIMIT_NPROC, &most) == 0, "setrlimit(RLIMIT_NPROC)");
  THREADREF_CHECK_ERRNO(setuid(nobody_yet + static_cast<uid_t>(getpid())) == 0, "setuid");
  // setuid() has reset it.
  THREADREF_CHECK_ERRNO(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl(PR_SET_PDEATHSIG)");
  return true;
}

struct thread_group {
  event_context& ctx;
  std::atomic<bool> over{false};
  std::atomic<std::uint32_t> numbers[few] = {};
  std::atomic<int> started{0};
};
void* run_member(void* group) {
  auto& all = *static_cast<thread_group*>(group);
  all.ctx.attach();  // one: a mechanism may take a key for each
  all.numbers[all.started.fetch_add(1)].store(all.ctx.thread());
  all.over.wait(false);
  return nullptr;
}

// Starts threads until the system refuses another.
void start_all_it_can(event_context& ctx) {
  thread_group all{.ctx = ctx};
  std::vector<pthread_t> threads;
  pthread_t one{};
  int error = 0;
  while (threads.size() != few && error == 0) {
    error = pthread_create(&one, nullptr, &run_member, &all);
    if (error == 0) threads.push_back(one);
  }
  THREADREF_CHECK(error == EAGAIN, "pthread_create failed with another error than EAGAIN");
  THREADREF_CHECK(!threads.empty(), "not one thread could be started");
  all.over.store(true);
  all.over.notify_all();
  for (const pthread_t t : threads) THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  for (std::size_t i = 0; i != threads.size(); ++i) ctx.note_joined(all.numbers[i].load());
}

int few_threads(event_context& ctx) {
  enum { by_user, by_group };
  if (ctx.condition() == by_user) {
    if (!become_a_small_user()) ctx.record_absent("only root can become another user");
    for (int i = 0; i != ctx.size(20) && geteuid() != 0; ++i) start_all_it_can(ctx);
    return 0;
  }
  const small_group group;
  if (!group.entered()) ctx.record_absent("no control group can be made here");
  for (int i = 0; i != ctx.size(20) && group.entered(); ++i) start_all_it_can(ctx);
  return 0;
}

constexpr event rows[] = {
    {.name = "env/allocator",
     .asks = "do callbacks run, and can they use memory, with another allocator preloaded?",
     .run = &another_allocator,
     .conditions = allocators,
     .bugs = {18},
     .not_under_tsan = "it is the allocator itself",
     .not_under_asan = "it is the allocator itself"},
    {.name = "env/refused_calls",
     .asks = "do callbacks run where a sandbox allows only what memory, threads and locks need?",
     .run = &refused_calls,
     .conditions = {{{"before its first use"}, {"while it is used"}}},
     .checks = "132",
     .not_under_tsan = "it needs such calls itself",
     .not_under_asan = "it needs such calls itself"},
    {.name = "env/loaded_late",
     .asks = "do callbacks run that a shared object registers which is loaded late?",
     .run = &loaded_late,
     .conditions = {{{"before its threads start"},
                     {"while they live"},
                     {"with no static storage for threads left"}}},
     .loads_itself = true},
    {.name = "env/few_threads",
     .asks = "is nothing lost where a container allows few threads?",
     .run = &few_threads,
     .conditions = {{{"RLIMIT_NPROC"}, {"pids.max of a control group"}}}},
};

}  // namespace
}  // namespace of_env

std::span<const event> env_events() {
  return of_env::rows;
}

}  // namespace threadref::stress
