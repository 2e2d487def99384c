// SPDX-License-Identifier: MIT
#include "testing/memory_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "testing/check.hpp"

namespace threadref::testing {

memory_file::memory_file(const char* name, std::size_t bytes) : fd_(memfd_create(name, 0)) {
  THREADREF_CHECK_ERRNO(fd_ >= 0, "memfd_create");
  THREADREF_CHECK_ERRNO(ftruncate(fd_, static_cast<off_t>(bytes)) == 0, "ftruncate");
}

memory_file::~memory_file() {
  close(fd_);
}

std::string memory_file::path() const {
  return "/proc/self/fd/" + std::to_string(fd_);
}

std::string memory_file::contents() const {
  std::string text;
  char piece[65536];
  off_t at = 0;
  for (;;) {
    const ssize_t got = pread(fd_, piece, sizeof piece, at);
    THREADREF_CHECK_ERRNO(got >= 0, "pread");
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    at += got;
  }
}

}  // namespace threadref::testing
