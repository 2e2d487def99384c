// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "testing/check.hpp"

namespace threadref::bench {

// Keys of other people, without destructors, as long as this lives. Those of the back ends, made
// before main(), have lower indices.
class other_keys {
 public:
  explicit other_keys(int n) {
    for (int i = 0; i != n; ++i) {
      pthread_key_t made{};
      if (pthread_key_create(&made, nullptr) != 0) {
        remove();
        throw std::runtime_error("there are no more than " + std::to_string(i) + " keys left");
      }
      all_.push_back(made);
    }
  }
  other_keys(const other_keys&) = delete;
  other_keys& operator=(const other_keys&) = delete;
  ~other_keys() { remove(); }

  // Gives each a value on the calling thread.
  static void set_all() {
    for (const pthread_key_t key : all_) THREADREF_CHECK_CALL(pthread_setspecific(key, &all_));
  }

 private:
  static void remove() noexcept {
    for (; !all_.empty(); all_.pop_back()) pthread_key_delete(all_.back());
  }
  static inline std::vector<pthread_key_t> all_;  // a probe's thread must find them
};

}  // namespace threadref::bench
