// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "testing/check.hpp"

namespace threadref::bench {

// Pthread keys without destructors, as other libraries would create them; destruction deletes them.
// The keys of the back ends are created before main() and so have lower indices.
class other_keys {
 public:
  explicit other_keys(int n) {
    for (int i = 0; i != n; ++i) {
      pthread_key_t made{};
      if (pthread_key_create(&made, nullptr) != 0) {
        remove();
        throw std::runtime_error("only " + std::to_string(i) + " pthread keys are left");
      }
      all_.push_back(made);
    }
  }
  other_keys(const other_keys&) = delete;
  other_keys& operator=(const other_keys&) = delete;
  ~other_keys() { remove(); }

  // Sets a value for each key on the calling thread.
  static void set_all() {
    for (const pthread_key_t key : all_) THREADREF_CHECK_CALL(pthread_setspecific(key, &all_));
  }

 private:
  static void remove() noexcept {
    for (; !all_.empty(); all_.pop_back()) pthread_key_delete(all_.back());
  }
  static inline std::vector<pthread_key_t> all_;  // static, so that a probe's thread finds them
};

}  // namespace threadref::bench
