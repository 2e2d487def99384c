// SPDX-License-Identifier: MIT
#include "workers/async.hpp"

#include <absl/cleanup/cleanup.h>

#include <utility>

namespace threadref::workers {
namespace {

// A worker that waits for itself or its own ancestor must not become the parent of that.
bool descends(worker_ptr from, const worker_ptr& ancestor) {
  while (from != nullptr && from != ancestor) from = from->parent();
  return from != nullptr;
}

}  // namespace

worker_ptr start_async(task what, std::string name) {
  worker_ptr made = worker::make(
      std::move(what),
      {.name = std::move(name), .daemon = true, .report_errors = false, .parent = nullptr});
  made->start();
  return made;
}

std::optional<outcome> wait_async(const worker_ptr& runner, this_worker::timeout_t timeout) {
  const worker_ptr me = this_worker::current_or_root();
  if (!runner->is_running() || descends(me, runner)) {
    return this_worker::wait_thread(runner, timeout);
  }
  me->adopt(runner);
  absl::Cleanup stopping = [&] {
    if (runner->parent() == me) runner->stop();
  };
  std::optional<outcome> came = this_worker::wait_thread(runner, timeout);
  // A root that was stopped returns from a wait, having stopped its children.
  std::move(stopping).Cancel();
  me->disown(runner);
  return came;
}

}  // namespace threadref::workers
