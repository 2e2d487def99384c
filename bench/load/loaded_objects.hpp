// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace threadref::bench {

// Loads n shared objects, each a different file to the dynamic linker, and one more after them.
// Destruction unloads them. Their files are in memory, so nothing is left behind.
class loaded_objects {
 public:
  // Throws std::runtime_error that says what failed.
  explicit loaded_objects(int n);
  loaded_objects(const loaded_objects&) = delete;
  loaded_objects& operator=(const loaded_objects&) = delete;
  ~loaded_objects();

  // Registers a function with the C library, from code in the last object.
  static inline int (*registers_in_last)(void (*fn)(void*), void* arg) = nullptr;

 private:
  void unload() noexcept;
  std::vector<void*> handles_;
};

}  // namespace threadref::bench
