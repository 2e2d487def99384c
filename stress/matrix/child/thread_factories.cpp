// SPDX-License-Identifier: MIT
#include "stress/matrix/child/thread_factories.hpp"

#include <threads.h>

#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "stress/matrix/child/thread_factories_boost.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

namespace {

// C's thread function has a type of its own.
int run_c11(void* body) {
  (*static_cast<const std::function<void()>*>(body))();
  return 0;
}

void run_c11_thread(const std::function<void()>& body) {
  thrd_t made{};
  THREADREF_CHECK(
      thrd_create(&made, &run_c11, const_cast<std::function<void()>*>(&body)) == thrd_success,
      "thrd_create");
  THREADREF_CHECK(thrd_join(made, nullptr) == thrd_success, "thrd_join");
}

void run_posix_thread(event_context& ctx, const std::function<void()>& body) {
  posix_thread made(ctx, body);
  made.join();
}

}  // namespace

void on_new_thread(event_context& ctx, thread_factory how, const std::function<void()>& body) {
  std::atomic<std::uint32_t> number{0};
  const std::function<void()> numbered = [&] {
    number.store(ctx.thread());
    body();
  };
  switch (how) {
    case thread_factory::posix:
      return run_posix_thread(ctx, body);
    case thread_factory::std_thread:
      std::thread(numbered).join();
      break;
    case thread_factory::std_jthread: {
      const std::jthread made(numbered);
      break;
    }
    case thread_factory::std_async:
      std::async(std::launch::async, numbered).get();
      break;
    case thread_factory::packaged_task: {
      std::packaged_task<void()> task(numbered);
      std::future<void> done = task.get_future();
      std::thread made(std::move(task));
      done.get();
      made.join();
      break;
    }
    case thread_factory::c11:
      if (detail::under_tsan) return ctx.record_absent("ThreadSanitizer does not know thrd_create");
      run_c11_thread(numbered);
      break;
    case thread_factory::boost:
      if (!run_boost_thread(numbered))
        return ctx.record_absent("Boost.Thread is not in this build");
      break;
  }
  ctx.note_joined(number.load());
}

// A detached thread still uses it when the object is gone.
struct posix_thread::state {
  event_context* of;
  std::function<void()> body;
  std::atomic<std::uint32_t> number{0};
};

posix_thread::posix_thread(event_context& ctx, std::function<void()> body)
    : state_(new state{&ctx, std::move(body)}) {
  THREADREF_CHECK_CALL(pthread_create(&id_, nullptr, &run, state_));
}

posix_thread::~posix_thread() {
  join();
}

void* posix_thread::run(void* self) {
  auto& me = *static_cast<state*>(self);
  me.number.store(me.of->thread());
  me.body();
  return nullptr;
}

void posix_thread::join() {
  if (over_) return;
  THREADREF_CHECK_CALL(pthread_join(id_, nullptr));
  note_end();
}

bool posix_thread::try_join() {
  if (!over_ && pthread_tryjoin_np(id_, nullptr) == 0) note_end();
  return over_;
}

bool posix_thread::join_until(std::chrono::steady_clock::time_point when) {
  using namespace std::chrono;
  const auto since = when.time_since_epoch();
  const auto whole = duration_cast<seconds>(since);
  const timespec until{whole.count(), duration_cast<nanoseconds>(since - whole).count()};
  if (!over_ && pthread_clockjoin_np(id_, nullptr, CLOCK_MONOTONIC, &until) == 0) note_end();
  return over_;
}

void posix_thread::note_end() {
  over_ = true;
  state_->of->note_joined(state_->number.load());
  delete state_;
}

void posix_thread::detach() {
  THREADREF_CHECK_CALL(pthread_detach(id_));
  over_ = true;
}

kernel_end::kernel_end() {
  pthread_mutexattr_t robust{};
  THREADREF_CHECK_CALL(pthread_mutexattr_init(&robust));
  THREADREF_CHECK_CALL(pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST));
  THREADREF_CHECK_CALL(pthread_mutex_init(&held_, &robust));
  THREADREF_CHECK_CALL(pthread_mutexattr_destroy(&robust));
}

void kernel_end::begin() {
  THREADREF_CHECK_CALL(pthread_mutex_lock(&held_));
}

void kernel_end::wait() {
  take_over(pthread_mutex_lock(&held_));
}

bool kernel_end::try_wait() {
  const int error = pthread_mutex_trylock(&held_);
  if (error == EBUSY) return false;
  take_over(error);
  return true;
}

void kernel_end::take_over(int error) {
  THREADREF_CHECK(error == EOWNERDEAD, "a thread's mutex outlived it");
  THREADREF_CHECK_CALL(pthread_mutex_consistent(&held_));
  THREADREF_CHECK_CALL(pthread_mutex_unlock(&held_));
}

bool has_exit_hook(event_context& ctx) {
  static std::atomic<bool> notified{false};
  on_new_thread(ctx, [&ctx] { ctx.attach([](event_context& /*in*/) { notified.store(true); }); });
  return notified.load();
}

}  // namespace threadref::stress
