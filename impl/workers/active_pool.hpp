// SPDX-License-Identifier: MIT
// Limits how many threads are inside at a time, and knows their names.
#pragma once

#include <absl/container/btree_set.h>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "threadref/finalize.hpp"
#include "workers/names.hpp"

namespace threadref::workers {

// A counting semaphore whose permits have names. The set of names is the count; a
// std::counting_semaphore would be a second count beside it, with its own synchronization.
class active_pool {
 public:
  explicit active_pool(std::size_t permits) : permits_(permits) {}
  active_pool(const active_pool&) = delete;
  active_pool& operator=(const active_pool&) = delete;

  // Waits for a permit. Two threads may be inside under the same name.
  void enter(std::string name);
  // Returns a permit, on any thread. False: no thread of that name is inside.
  bool leave(const std::string& name);
  // The names of the threads inside.
  [[nodiscard]] std::vector<std::string> active() const;
  // The most that were ever inside at once.
  [[nodiscard]] std::size_t active_max() const;

 private:
  const std::size_t permits_;
  mutable std::mutex m_;
  std::condition_variable left_;
  absl::btree_multiset<std::string> inside_;
  std::size_t most_ = 0;
};

// The calling thread enters under its name, and its exit returns the permit. The pool must outlive
// the thread.
template <backend B = default_backend>
void enter_until_exit(active_pool& pool) {
  std::string name = this_thread_name();
  pool.enter(name);
  try {
    finalize<B>([&pool, name] { pool.leave(name); });
  } catch (...) {
    pool.leave(name);
    throw;
  }
}

}  // namespace threadref::workers
