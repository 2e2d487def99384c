// SPDX-License-Identifier: MIT
#include "workers/worker_pool.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <new>

namespace threadref::workers {

// The caller does no work, but counts as a thread.
struct worker_pool::parts {
  explicit parts(int workers)
      : limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(workers) + 1),
        arena(workers + 1, 1) {}
  tbb::task_scheduler_handle handle{tbb::attach{}};
  tbb::global_control limit;
  tbb::task_arena arena;
};

worker_pool::worker_pool(int workers) : parts_(std::make_unique<parts>(workers)) {}
worker_pool::~worker_pool() = default;

void worker_pool::enqueue(void (*task)(void*), void* with) {
  parts_->arena.enqueue([task, with] { task(with); });
}

bool worker_pool::end() {
  parts_->arena.terminate();
  return tbb::finalize(parts_->handle, std::nothrow);
}

}  // namespace threadref::workers
