// SPDX-License-Identifier: MIT
// A worker from its first statement to its last; exit_step in outcome.hpp lists the steps of its
// end.
#include <absl/functional/function_ref.h>
#include <cxxabi.h>

#include <optional>
#include <utility>

#include "threadref/threadref.hpp"
#include "workers/frame.hpp"
#include "workers/incarnation.hpp"
#include "workers/loop.hpp"
#include "workers/worker.hpp"

namespace threadref::workers {

struct worker::life {
  std::shared_ptr<incarnation> run;
  std::optional<frame> here;
  std::optional<finalizer<void>> at_exit;
};

void worker::step(exit_step done) const {
  if (how_.on_step) how_.on_step(done);
}

std::any worker::perform(const std::any& argument) {
  notify_parent(events::child_start, {});
  if (what_) return what_(argument);
  loop::wait(
      *this, [](const event&) { return false; }, std::nullopt);
  return {};
}

THREADREF_CATCHES_UNWINDING void worker::live(const std::shared_ptr<incarnation>& run,
                                              const std::any& argument) {
  const worker_ptr self = shared_from_this();
  life mine{run, {}, {}};
  mine.here.emplace(self);
  ending how = ending::done;
  outcome what;
  try {
    run->began(threadref::current());
    // Registered before anything that the task registers, so it runs last.
    mine.at_exit = finalize_in(exit_phase::very_last, [self] { self->at_thread_exit(); });
    what.result = perform(argument);
  } catch (const worker_exit&) {
    how = ending::stopped;
  } catch (abi::__forced_unwind&) {  // pthread_exit(), or cancelled
    finish(mine, ending::stopped, {});
    throw;
  } catch (...) {
    how = ending::failed;
    what.error = std::current_exception();
  }
  finish(mine, how, what);
}

void worker::notify_ending(ending how, const outcome& what) {
  switch (how) {
    case ending::stopped:
      return notify_parent(events::child_stop, {});
    case ending::failed:
      return notify_parent(events::child_error, what.error);
    case ending::done:
      return notify_parent(events::child_done, what.result);
  }
}

THREADREF_CATCHES_UNWINDING void worker::finish(life& mine, ending how, const outcome& what) {
  step(exit_step::task_ended);
  if (how == ending::failed && how_.report_errors) report("the task", what.error);
  mine.run->task_over(what);
  notify_ending(how, what);
  step(exit_step::parent_told);
  queue_.close();
  step(exit_step::queue_closed);
  try {
    loop::drain(*this);
  } catch (abi::__forced_unwind&) {
    finish_drained(mine);
    throw;
  }
  finish_drained(mine);
}

void worker::finish_drained(life& mine) {
  incarnation& run = *mine.run;
  step(exit_step::queue_drained);
  const outcome what = run.what();
  const worker_ptr to = parent();
  leave_parent(mine.run);
  notify(to, events::child_end, what);
  step(exit_step::parent_told_end);
  for (const worker_ptr& waiting : run.done()) notify(waiting, events::worker_done, what);
  step(exit_step::waiters_woken);
  end_children();
  step(exit_step::children_joined);
  mine.here.reset();
  step(exit_step::left);
  // Without a thread of its own it must clean up now, and also if its finalizer could not be
  // registered.
  if (!mine.at_exit) {
    at_thread_exit();
  } else if (!run.has_thread()) {
    (*mine.at_exit)();
  }
  run.left();
}

// Destroys what the listeners of this life captured, on the thread that they were meant for.
void worker::at_thread_exit() {
  listeners_.drop_temporary();
  last()->drained();
}

}  // namespace threadref::workers
