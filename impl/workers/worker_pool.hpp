// SPDX-License-Identifier: MIT
// Threads of another library: the workers of oneTBB.
#pragma once

#include <memory>

namespace threadref::workers {

// The implementation is compiled without ThreadSanitizer, see CMakeLists.txt. So the caller and its
// tasks must publish what they share by their own atomics.
class worker_pool {
 public:
  explicit worker_pool(int workers);
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  // Calls task(with) on a worker, later.
  void enqueue(void (*task)(void*), void* with);
  // Ends the workers by tbb::finalize(). False: it could not end them.
  bool end();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace threadref::workers
