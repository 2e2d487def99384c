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

void cell_figures::note(const std::string& sentence) {
  if (std::find(notes.begin(), notes.end(), sentence) == notes.end()) notes.push_back(sentence);
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
  THREADREF_CHECK(have != 0, "pthread_create gives EAGAIN and not one thread of ours is alive");
  figures.note(cell + ": the system gave " + std::to_string(have) + " threads of " +
               std::to_string(threads) + " (EAGAIN); went on with those");
}

std::size_t stack_bytes() noexcept {
  // The sanitizers' frames are several times as large, and a forced unwind needs 10 KiB by itself.
  constexpr std::size_t kib = detail::under_tsan || detail::under_asan ? 256 : 64;
  constexpr std::size_t wanted = kib * 1024;
  return std::max<std::size_t>(wanted, static_cast<std::size_t>(sysconf(_SC_THREAD_STACK_MIN)));
}

namespace {

class attributes {
 public:
  explicit attributes(bool detached) {
    THREADREF_CHECK_CALL(pthread_attr_init(&attr_));
    THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attr_, stack_bytes()));
    if (detached)
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

int start_thread(pthread_t& made, thread_body run, void* with, bool detached) {
  static const attributes joinable(false);
  static const attributes alone(true);
  const int error = pthread_create(&made, (detached ? alone : joinable).get(), run, with);
  if (error != EAGAIN) THREADREF_CHECK_CALL(error);
  return error;
}

void use_small_stacks() {
  // ThreadSanitizer enlarges stacks that are asked for, but not a default that is too small for it.
  if (detail::under_tsan) return;
  const attributes small(false);
  THREADREF_CHECK_CALL(pthread_setattr_default_np(small.get()));
}

void squad::place::enter() const noexcept {
  ledger::enter(*r);
  yields::enter(r->choices());
}

void squad::place::ready_and_wait() const noexcept {
  ready();
  turn.wait();
}

squad::squad(round& of, ledger& book, std::size_t size, thread_body run, void* shared)
    : round_(of), book_(book), run_(run), places_(size) {
  for (std::size_t i = 0; i != size; ++i) {
    places_[i].in = this;
    places_[i].shared = shared;
    places_[i].index = i;
  }
}

bool squad::start_next(bool detached) {
  return start_as([this, detached](place& p) {
    const int error = start_thread(p.id, run_, &p, detached);
    if (error != 0) throw std::system_error(error, std::generic_category());
  });
}

bool squad::start_as(const std::function<void(place&)>& make) {
  place& p = places_[started_];
  p.r = &book_.open(started_, mix(round_.seed, started_));
  try {
    make(p);
  } catch (const std::system_error& e) {
    THREADREF_CHECK(e.code().value() == EAGAIN, e.what());
    round_.short_of_threads(round_.alive);
    return false;
  }
  round_.thread_began();
  ++started_;
  return true;
}

void squad::start_all() {
  while (started_ != places_.size() && !round::stopping() && start_next()) {
  }
}

// Asleep, so that it shows if one of them hangs.
void squad::wait_until_ready() const noexcept {
  for (int ready = 0; static_cast<std::size_t>(ready) != started_;
       ready = ready_.load(std::memory_order_acquire))
    ready_.wait(ready, std::memory_order_acquire);
}

void squad::release_all() noexcept {
  for (std::size_t i = 0; i != started_; ++i) places_[i].turn.open();
}

void squad::join(std::size_t i) {
  THREADREF_CHECK_CALL(pthread_join(places_[i].id, nullptr));
  count_joined(i);
}

void squad::count_joined(std::size_t i) {
  ledger::joined(*places_[i].r);
  round_.thread_ended();
}

void squad::join_all() {
  while (joined_ != started_) join(joined_++);
}

// Some are always on their way out while others come: who is released is joined a little later.
// Once as many were alive as shall be, the round may end with its time.
void squad::churn(std::size_t alive) {
  constexpr std::size_t leaving = 32;
  std::size_t released = 0;
  while (started_ != places_.size() && !round::stopping()) {
    const bool full = started_ - joined_ == alive;
    if (full && round_.is_late()) break;
    if (!full && start_next()) continue;
    released = std::max(released, std::min(joined_ + leaving, started_));
    for (std::size_t i = joined_; i != released; ++i) places_[i].turn.open();
    join(joined_++);
  }
  release_all();
  join_all();
}

}  // namespace threadref::stress
