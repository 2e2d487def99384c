// SPDX-License-Identifier: MIT
// So many threads at a time, and who they are.
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

// A counting semaphore whose permits have names. The set of those inside is the count: beside a
// std::counting_semaphore it would be a second one, under a lock of its own.
class active_pool {
 public:
  explicit active_pool(std::size_t permits) : permits_(permits) {}
  active_pool(const active_pool&) = delete;
  active_pool& operator=(const active_pool&) = delete;

  // Waits for a permit. Two may be inside by one name.
  void enter(std::string name);
  // Gives one back, on any thread. False: nobody of that name is inside.
  bool leave(const std::string& name);
  // Who is inside, by name.
  [[nodiscard]] std::vector<std::string> active() const;
  // How many ever were at once.
  [[nodiscard]] std::size_t active_max() const;

 private:
  const std::size_t permits_;
  mutable std::mutex m_;
  std::condition_variable left_;
  absl::btree_multiset<std::string> inside_;
  std::size_t most_ = 0;
};

// The calling thread enters by its name, and its exit gives the permit back: the pool must live
// that long.
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
