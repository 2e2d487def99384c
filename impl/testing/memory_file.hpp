// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>

namespace threadref::testing {

// A file in memory: what parent and child share, what a child prints, or what a library insists on
// writing to a file, so that a run that is ended half way leaves nothing. Children inherit it, also
// through exec.
class memory_file {
 public:
  explicit memory_file(const char* name, std::size_t bytes = 0);
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file();
  [[nodiscard]] int fd() const noexcept { return fd_; }
  // Opens it in this process.
  [[nodiscard]] std::string path() const;
  [[nodiscard]] std::string contents() const;

 private:
  int fd_;
};

}  // namespace threadref::testing
