// SPDX-License-Identifier: MIT
// Threads that belong to somebody else: the workers of oneTBB.
#pragma once

#include <memory>

namespace threadref::workers {

// This file's other half is compiled without ThreadSanitizer, see CMakeLists.txt. So what the
// caller and its tasks share must be handed over by their own atomics.
class worker_pool {
 public:
  explicit worker_pool(int workers);
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  // Calls task(with) on a worker, some time.
  void enqueue(void (*task)(void*), void* with);
  // Ends the workers by tbb::finalize(), in order; false: it could not.
  bool end();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace threadref::workers
