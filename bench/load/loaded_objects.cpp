// SPDX-License-Identifier: MIT
#include "bench/load/loaded_objects.hpp"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bench/load/shared_object.hpp"
#include "bench/plugins/object.hpp"
#include "testing/text.hpp"

namespace threadref::bench {

namespace {

[[noreturn]] void fail(std::string_view call) {
  throw std::runtime_error(testing::concat(call, ": ", std::strerror(errno)));
}

// The dynamic linker tells files apart by name and inode, so each object needs its own of both; an
// open file in memory has them. The files stay open until all objects are loaded.
class object_files {
 public:
  explicit object_files(int n) : bytes_(contents_of_object(beside_program("bench_object.so"))) {
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) fail("getrlimit");
    before_ = files;
    const auto wanted = static_cast<rlim_t>(n) + 64;
    if (files.rlim_cur >= wanted) return;
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("setrlimit");
  }
  object_files(const object_files&) = delete;
  object_files& operator=(const object_files&) = delete;
  ~object_files() {
    for (const int fd : open_) close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }

  std::string add() {
    const int fd = memfd_create("bench_object", MFD_CLOEXEC);
    if (fd < 0) fail("memfd_create");
    open_.push_back(fd);
    const auto written = write(fd, bytes_.data(), bytes_.size());
    if (written != static_cast<ssize_t>(bytes_.size())) fail("write to a file in memory");
    return testing::concat("/proc/self/fd/", fd);
  }

 private:
  const std::string bytes_;
  rlimit before_{};
  std::vector<int> open_;
};

}  // namespace

loaded_objects::loaded_objects(int n) {
  object_files files(n);
  try {
    for (int i = 0; i != n + 1; ++i) handles_.push_back(open_object(files.add()));
    registers_in_last = reinterpret_cast<decltype(&threadref_bench_register)>(
        symbol_in(handles_.back(), "threadref_bench_register"));
  } catch (...) {
    unload();
    throw;
  }
}

loaded_objects::~loaded_objects() {
  unload();
}

void loaded_objects::unload() noexcept {
  for (; !handles_.empty(); handles_.pop_back()) dlclose(handles_.back());
  registers_in_last = nullptr;
}

}  // namespace threadref::bench
