// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace threadref::testing {

// A file in memory: for data that parent and child share, the output of a child, or a library that
// can only write to a file. A run that is killed leaves nothing behind. Children inherit it, also
// through exec.
class memory_file {
 public:
  explicit memory_file(const char* name, std::size_t bytes = 0);
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file();
  [[nodiscard]] int fd() const noexcept { return fd_; }
  // A path that opens it in this process.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] std::string contents() const;

 private:
  int fd_;
};

}  // namespace threadref::testing
