// SPDX-License-Identifier: MIT
#include "stress/engine/round.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "stress/engine/clock.hpp"
#include "stress/engine/watchdog.hpp"
#include "stress/engine/yields.hpp"
#include "testing/check.hpp"
#include "threadref/config.hpp"

namespace threadref::stress {

void cell_figures::note(const std::string& message) {
  if (std::find(notes.begin(), notes.end(), message) == notes.end()) notes.push_back(message);
}

bool round::is_late() const noexcept {
  return end_seconds != 0 && now() > end_seconds;
}

bool round::stopping() noexcept {
  return watchdog::stopping();
}

void round::thread_began() noexcept {
  ++alive;
  figures.threads_alive_max = std::max(figures.threads_alive_max, alive);
}

void round::thread_ended() noexcept {
  --alive;
  ++figures.threads_churned;
}

void round::short_of_threads(std::size_t have) {
  THREADREF_CHECK(have != 0,
                  "pthread_create fails with EAGAIN although no thread of ours is alive");
  figures.note(cell + ": the system allowed only " + std::to_string(have) + " of " +
               std::to_string(threads) + " threads (EAGAIN); the round went on with those");
}

std::size_t stack_bytes() noexcept {
  // Frames are several times as large under a sanitizer, and a forced unwind alone needs 10 KiB.
  constexpr std::size_t kib = detail::under_tsan || detail::under_asan ? 256 : 64;
  constexpr std::size_t wanted = kib * 1024;
  return std::max<std::size_t>(wanted, static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN)));
}

namespace {

class attributes {
 public:
  explicit attributes(joining how) {
    THREADREF_CHECK_CALL(pthread_attr_init(&attr_));
    THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attr_, stack_bytes()));
    if (how == joining::detached)
      THREADREF_CHECK_CALL(pthread_attr_setdetachstate(&attr_, PTHREAD_CREATE_DETACHED));
  }
  ~attributes() { pthread_attr_destroy(&attr_); }
  attributes(const attributes&) = delete;
  attributes& operator=(const attributes&) = delete;
  [[nodiscard]] const pthread_attr_t* get() const noexcept { return &attr_; }

 private:
  pthread_attr_t attr_{};
};

}  // namespace

int start_thread(pthread_t& made, thread_body run, void* with, joining how) {
  static const attributes joinable(joining::joinable);
  static const attributes detached(joining::detached);
  const int error =
      pthread_create(&made, (how == joining::detached ? detached : joinable).get(), run, with);
  if (error != EAGAIN) THREADREF_CHECK_CALL(error);
  return error;
}

void use_small_stacks() {
  // ThreadSanitizer enlarges an explicit stack size, but not a default that is too small for it.
  if (detail::under_tsan) return;
  const attributes small(joining::joinable);
  THREADREF_CHECK_CALL(pthread_setattr_default_np(small.get()));
}

void thread_group::member::enter() const noexcept {
  finalizer_ledger::enter(*r);
  yields::enter(r->choices());
}

void thread_group::member::ready_and_wait() const noexcept {
  ready();
  turn.wait();
}

thread_group::thread_group(round& r, finalizer_ledger& ledger, std::size_t size, thread_body run,
                           void* shared)
    : round_(r), ledger_(ledger), run_(run), members_(size) {
  for (std::size_t i = 0; i != size; ++i) {
    members_[i].in = this;
    members_[i].shared = shared;
    members_[i].index = i;
  }
}

bool thread_group::start_next(joining how) {
  return start_as([this, how](member& m) {
    const int error = start_thread(m.id, run_, &m, how);
    if (error != 0) throw std::system_error(error, std::generic_category());
  });
}

bool thread_group::start_as(const std::function<void(member&)>& make) {
  member& m = members_[started_];
  m.r = &ledger_.open(started_, mix(round_.seed, started_));
  try {
    make(m);
  } catch (const std::system_error& e) {
    THREADREF_CHECK(e.code().value() == EAGAIN, e.what());
    round_.short_of_threads(round_.alive);
    return false;
  }
  round_.thread_began();
  ++started_;
  return true;
}

void thread_group::start_all() {
  while (started_ != members_.size() && !round::stopping() && start_next()) {
  }
}

// Sleeps while it waits, so that the watchdog notices if one of them hangs.
void thread_group::wait_until_ready() const noexcept {
  for (int ready = 0; static_cast<std::size_t>(ready) != started_;
       ready = ready_.load(std::memory_order_acquire))
    ready_.wait(ready, std::memory_order_acquire);
}

void thread_group::release_all() noexcept {
  for (std::size_t i = 0; i != started_; ++i) members_[i].turn.open();
}

void thread_group::join(std::size_t i) {
  THREADREF_CHECK_CALL(pthread_join(members_[i].id, nullptr));
  count_joined(i);
}

void thread_group::count_joined(std::size_t i) {
  finalizer_ledger::joined(*members_[i].r);
  round_.thread_ended();
}

void thread_group::join_all() {
  while (joined_ != started_) join(joined_++);
}

// Some threads are always exiting while others start: a released thread is joined a little later.
// Once the wanted number has been alive, the round may end when its time is over.
void thread_group::churn(std::size_t alive) {
  constexpr std::size_t leaving = 32;
  std::size_t released = 0;
  while (started_ != members_.size() && !round::stopping()) {
    const bool full = started_ - joined_ == alive;
    if (full && round_.is_late()) break;
    if (!full && start_next()) continue;
    released = std::max(released, std::min(joined_ + leaving, started_));
    for (std::size_t i = joined_; i != released; ++i) members_[i].turn.open();
    join(joined_++);
  }
  release_all();
  join_all();
}

}  // namespace threadref::stress
