// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_wrong_thread/backend.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "threadref/config.hpp"
#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_wrong_thread,
                                            threadref::canary_wrong_thread::faulty_claim>;

extern "C" [[gnu::weak]] int __interceptor_pthread_join(pthread_t thread, void** result);

namespace threadref::inline THREADREF_ABI {

namespace {

// A pthread_t is reused as soon as its thread was joined, perhaps before the join has returned. So
// threads are told apart by the kernel's id.
struct left_behind {
  pthread_t thread{};
  std::deque<detail::detached_closure> closures;
};

std::atomic<bool> in_use{false};  // so that joins cost nothing where this back end is not used
std::mutex m;
// Never destroyed: threads may end while the process does.
std::map<pid_t, left_behind>& all() {
  static auto* const of = new std::map<pid_t, left_behind>;
  return *of;
}
std::set<pid_t>& awaited() {  // threads for which a join is waiting
  static auto* const of = new std::set<pid_t>;
  return *of;
}

// The other thread does not misbehave itself. Otherwise a finalizer that registers another would
// never come to an end.
thread_local bool is_the_other = false;
thread_local bool has_left_some = false;

// The sanitizers must see each join. Where their runtime is linked statically, RTLD_NEXT does not
// find it.
int real_join(pthread_t thread, void** result) {
  using function = int (*)(pthread_t, void**);
  static const function sanitizers = &__interceptor_pthread_join;
  static const auto libc = reinterpret_cast<function>(dlsym(RTLD_NEXT, "pthread_join"));
  return (sanitizers != nullptr ? sanitizers : libc)(thread, result);
}

THREADREF_CATCHES_UNWINDING void run_one(detail::detached_closure& closure) {
  try {
    closure.run(nullptr);
  } catch (abi::__forced_unwind&) {
    throw;         // a pthread_exit
  } catch (...) {  // the thread that would report it is gone
  }
}

// Each runs on its own thread, since one may leave by pthread_exit. If no thread can be created, it
// is lost, which is noticed too.
void run_there(left_behind& what) {
  for (detail::detached_closure& closure : what.closures) {
    const auto body = [](void* argument) -> void* {
      is_the_other = true;
      run_one(*static_cast<detail::detached_closure*>(argument));
      return nullptr;
    };
    pthread_t other{};
    if (pthread_create(&other, nullptr, body, &closure) == 0) real_join(other, nullptr);
  }
}

// Under m. The kernel's id of a thread that has ended and for which no join is waiting; 0 if it
// left nothing.
pid_t id_of_ended(pthread_t thread) {
  for (const auto& [tid, what] : all()) {
    if (what.thread == thread && !awaited().contains(tid)) return tid;
  }
  return 0;
}

// A join in progress. Its scope may be left by a cancellation.
class joining {
 public:
  explicit joining(pthread_t thread) : thread_(thread), was_in_use_(in_use) {
    if (!was_in_use_) return;
    const std::lock_guard lock(m);
    clockid_t clock = 0;  // include/linux/posix-timers_types.h: (~tid << 3) | flags
    const bool lives = pthread_getcpuclockid(thread, &clock) == 0;
    tid_ = lives ? ~(clock >> 3) : id_of_ended(thread);
    if (tid_ != 0) awaited().insert(tid_);
  }
  joining(const joining&) = delete;
  joining& operator=(const joining&) = delete;
  ~joining() {
    if (tid_ == 0) return;
    const std::lock_guard lock(m);
    awaited().erase(tid_);
  }
  [[nodiscard]] pid_t tid() const { return tid_; }
  left_behind take() {
    const std::lock_guard lock(m);
    if (!was_in_use_) tid_ = id_of_ended(thread_);
    const auto found = all().extract(tid_);
    return found.empty() ? left_behind{} : std::move(found.mapped());
  }

 private:
  const pthread_t thread_;
  const bool was_in_use_;
  pid_t tid_ = 0;  // 0: it had ended, and left nothing
};

bool is_detached() {
  pthread_attr_t attributes{};
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return true;
  int state = PTHREAD_CREATE_DETACHED;
  pthread_attr_getdetachstate(&attributes, &state);
  pthread_attr_destroy(&attributes);
  return state == PTHREAD_CREATE_DETACHED;
}

}  // namespace

// What the exit stage runs belongs to no thread's exit. What stage 2 and the phase early run may
// use thread_locals, which no longer exist when the thread has ended.
bool canary_wrong_thread::may_run_elsewhere(const detail::block* mine,
                                            const detail::node& n) noexcept {
  if (mine == nullptr || !mine->last.empty() || mine->staging || is_the_other) return false;
  return mine->early_is_over && !n.has(detail::node::is_destructor);
}

void canary_wrong_thread::run_elsewhere(detail::detached_closure taken) {
  left_behind some{pthread_self(), {}};
  some.closures.push_back(std::move(taken));
  if (is_detached()) return run_there(some);
  const std::lock_guard lock(m);
  in_use = true;
  if (!std::exchange(has_left_some, true)) {
    // An entry under one of this thread's ids belongs to an earlier thread that was never joined.
    std::erase_if(all(), [&some](const auto& of) {
      return of.first == gettid() ||
             (of.second.thread == some.thread && !awaited().contains(of.first));
    });
  }
  left_behind& mine = all()[gettid()];
  mine.thread = some.thread;
  mine.closures.push_back(std::move(some.closures.front()));
}

}  // namespace threadref::inline THREADREF_ABI

// Replaces the C library's function in every program that links the canaries.
extern "C" int pthread_join(pthread_t thread, void** result) {
  using namespace threadref;
  joining of(thread);
  const int error = real_join(thread, result);
  if (error != 0 || !in_use) return error;
  left_behind late = of.take();
  if (late.closures.empty()) return error;
  // The join returns slightly before the kernel has removed the thread.
  while (tgkill(getpid(), of.tid(), 0) == 0) sched_yield();
  run_there(late);
  return error;
}
