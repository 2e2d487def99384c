// SPDX-License-Identifier: MIT
#include "scenarios/child_process.hpp"

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>

#include "scenarios/check.hpp"

namespace threadref::scenarios {

memory_file::memory_file(const char* name, std::size_t bytes) : fd_(memfd_create(name, 0)) {
  THREADREF_CHECK_ERRNO(fd_ >= 0, "memfd_create");
  THREADREF_CHECK_ERRNO(ftruncate(fd_, static_cast<off_t>(bytes)) == 0, "ftruncate");
}

memory_file::~memory_file() {
  close(fd_);
}

std::vector<std::string> environment_with(std::initializer_list<added_option> added) {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) all.emplace_back(*e);
  for (const added_option& a : added) {
    const std::string begin = std::string(a.variable) + "=";
    std::string* found = nullptr;
    for (std::string& is : all) {
      if (is.starts_with(begin)) found = &is;
    }
    if (found == nullptr) found = &all.emplace_back(begin);
    if (found->size() != begin.size()) *found += ":";
    *found += a.option;
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  all.reserve(strings.size() + 1);
  for (std::string& s : strings) all.push_back(s.data());
  all.push_back(nullptr);
  return all;
}

bool is_crash(int signal) noexcept {
  constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS, SIGTRAP};
  return std::find(std::begin(crashes), std::end(crashes), signal) != std::end(crashes);
}

bool ends_within(pid_t child, int milliseconds) {
  pollfd watched{static_cast<int>(syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
  THREADREF_CHECK_ERRNO(watched.fd >= 0, "pidfd_open");
  int ready = 0;
  do {
    ready = poll(&watched, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  THREADREF_CHECK_ERRNO(ready >= 0, "poll");
  close(watched.fd);
  return ready != 0;
}

}  // namespace threadref::scenarios
