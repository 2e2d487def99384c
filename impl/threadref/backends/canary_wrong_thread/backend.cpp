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

#include "threadref/config.hpp"
#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_wrong_thread,
                                            threadref::canary_wrong_thread::faulty_claim>;

extern "C" [[gnu::weak]] int __interceptor_pthread_join(pthread_t thread, void** result);

namespace threadref {

namespace {

struct left_behind {
  pid_t tid = 0;  // of the thread that left them
  std::deque<detail::detached_closure> closures;
};

std::atomic<int> threads_with_some{0};
std::mutex m;
// Never destroyed: threads end while the process does.
std::map<pthread_t, left_behind>& all() {
  static auto* const of = new std::map<pthread_t, left_behind>;
  return *of;
}

// The other thread is no faulty one itself: else what registers another would never come to an end.
thread_local bool is_the_other = false;

// The sanitizers must hear of each join; where their runtime is linked statically, it is not what
// comes next.
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
  } catch (...) {  // whoever reports exceptions is gone
  }
}

// Each on a thread of its own, since one may leave by pthread_exit. Without a thread it is lost,
// which is noticed too.
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

left_behind take_of(pthread_t thread) {
  const std::lock_guard lock(m);
  const auto found = all().extract(thread);
  if (found.empty()) return {};
  --threads_with_some;
  return std::move(found.mapped());
}

bool is_detached() {
  pthread_attr_t attributes{};
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return true;
  int state = PTHREAD_CREATE_DETACHED;
  pthread_attr_getdetachstate(&attributes, &state);
  pthread_attr_destroy(&attributes);
  return state == PTHREAD_CREATE_DETACHED;
}

}  // namespace

// What the exit stage runs belongs to no thread's exit. And what stage 2 and the phase early run
// may be about thread_locals, which are no more when the thread has ended.
bool canary_wrong_thread::may_run_elsewhere(const detail::block* mine,
                                            const detail::node& n) noexcept {
  if (mine == nullptr || !mine->last.empty() || mine->staging || is_the_other) return false;
  return mine->early_is_over && !n.has(detail::node::is_destructor);
}

void canary_wrong_thread::run_elsewhere(detail::detached_closure taken) {
  left_behind some{gettid(), {}};
  some.closures.push_back(std::move(taken));
  if (is_detached()) return run_there(some);
  const std::lock_guard lock(m);
  left_behind& known = all()[pthread_self()];
  if (known.tid != some.tid) {  // new; or of a thread that nobody joined, and whose id came again
    threads_with_some += known.tid == 0 ? 1 : 0;
    std::swap(known, some);
  } else {
    known.closures.push_back(std::move(some.closures.front()));
  }
}

}  // namespace threadref

// Comes before the C library's, for every program that links the canaries.
extern "C" int pthread_join(pthread_t thread, void** result) {
  using namespace threadref;
  const int error = real_join(thread, result);
  if (error != 0 || threads_with_some.load(std::memory_order_relaxed) == 0) return error;
  left_behind late = take_of(thread);
  if (late.closures.empty()) return error;
  // The join returns a little before the system has forgotten the thread.
  while (tgkill(getpid(), late.tid, 0) == 0) sched_yield();
  run_there(late);
  return error;
}
