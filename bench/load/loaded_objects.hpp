// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace threadref::bench {

// Further shared objects, all different files to the dynamic linker, as long as this lives; and one
// more that is loaded after them. Their files are in memory: nothing is left behind.
class loaded_objects {
 public:
  // Throws std::runtime_error with what failed.
  explicit loaded_objects(int n);
  loaded_objects(const loaded_objects&) = delete;
  loaded_objects& operator=(const loaded_objects&) = delete;
  ~loaded_objects();

  // Registers with the C library, from the last one.
  static inline int (*registers_in_last)(void (*fn)(void*), void* arg) = nullptr;

 private:
  void unload() noexcept;
  std::vector<void*> handles_;
};

}  // namespace threadref::bench
