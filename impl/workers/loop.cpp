// SPDX-License-Identifier: MIT
#include "workers/loop.hpp"

#include <absl/cleanup/cleanup.h>
#include <cxxabi.h>

#include <array>
#include <utility>

#include "threadref/config.hpp"

namespace threadref::workers {

namespace {

bool is_command(const event& e) {
  return e.name == events::stop || e.name == events::pause || e.name == events::resume ||
         e.name == events::invoke;
}

// An absent deadline if the timeout would overflow the clock.
std::optional<steady::time_point> deadline_of(std::optional<steady::duration> timeout) {
  const steady::time_point now = steady::now();
  if (!timeout || *timeout > steady::time_point::max() - now) return std::nullopt;
  return now + *timeout;
}

THREADREF_CATCHES_UNWINDING void call(worker& of, const event& e) {
  const auto* const what = std::any_cast<std::function<void()>>(&e.data);
  if (what == nullptr || !*what) return;  // somebody fired an event of that name by accident
  try {
    (*what)();
  } catch (const worker_exit&) {
    throw;
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    of.report("a call", std::current_exception());
  }
}

}  // namespace

void loop::dispatch(worker& of, const event& e) {
  of.listeners_.emit(e, [&of, &e](const std::exception_ptr& error) {
    of.report("a listener of " + e.name, error);
    if (e.name == events::listener_error) return;  // otherwise a failing listener would never end
    of.fire({.name = std::string(events::listener_error),
             .data = error,
             .bubble = true,
             .target = of.shared_from_this()});
  });
  if (e.name == events::invoke) call(of, e);
}

void loop::handle(worker& of, const event& e) {
  dispatch(of, e);
  if (e.name == events::stop) throw worker_exit{};
  if (e.name == events::resume) of.paused_ = false;
  if (e.name == events::pause) stay_paused(of);
}

void loop::stay_paused(worker& of) {
  if (of.paused_) return;  // pauses do not nest: one resume() ends all of them
  of.paused_ = true;
  const absl::Cleanup go_on = [&of] { of.paused_ = false; };  // also if it is stopped
  while (of.paused_) {
    std::optional<event> e = of.queue_.take(std::nullopt);
    if (!e) throw worker_exit{};
    handle(of, *e);
    if (!is_command(*e)) of.missed_.push_back(*std::move(e));
  }
}

std::optional<event> loop::take(worker& of, condition until,
                                std::optional<steady::time_point> deadline) {
  for (;;) {
    // Not during a pause: a listener that waits may run inside it.
    while (!of.paused_ && !of.missed_.empty()) {
      event e = std::move(of.missed_.front());
      of.missed_.pop_front();
      if (until(e)) return e;
    }
    std::optional<event> e = of.queue_.take(deadline);
    if (!e) {
      if (!of.queue_.is_open()) throw worker_exit{};
      return std::nullopt;
    }
    handle(of, *e);
    if (until(*e)) return e;
  }
}

std::optional<event> loop::wait(worker& of, condition until,
                                std::optional<steady::duration> timeout) {
  if (timeout && *timeout <= steady::duration::zero()) return std::nullopt;
  const auto deadline = deadline_of(timeout);
  std::optional<event> found;
  unless_root(of, [&] { found = take(of, until, deadline); });
  return found;
}

void loop::update(worker& of) {
  unless_root(of, [&of] {
    while (const auto e = of.queue_.take_now()) handle(of, *e);
  });
}

// worker_exit must not leave a root, since none of our code could catch it there: the outermost
// wait returns instead, and the root's children end.
template <class F>
void loop::unless_root(worker& of, F&& run) {
  ++of.waits_;
  const absl::Cleanup out = [&of] { --of.waits_; };
  try {
    run();
  } catch (const worker_exit&) {
    if (!of.root_ || of.waits_ > 1) throw;
    of.end_children();
  }
}

void loop::exit(worker& of) {
  if (!of.root_ || of.waits_ > 0) throw worker_exit{};
  of.end_children();
}

void loop::drain(worker& of) {
  of.missed_.clear();
  while (const auto e = of.queue_.take_now()) {
    try {
      dispatch(of, *e);
    } catch (const worker_exit&) {  // the worker is ending already
    }
  }
}

}  // namespace threadref::workers
