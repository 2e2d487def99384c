// SPDX-License-Identifier: MIT
#include "testing/child_process.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "testing/check.hpp"

namespace threadref::testing {

std::vector<std::string> environment_with(std::initializer_list<added_option> added) {
  std::vector<std::string> all;
  for (char** e = environ; *e != nullptr; ++e) all.emplace_back(*e);
  for (const added_option& a : added) {
    const std::string begin = std::string(a.variable) + "=";
    std::string* found = nullptr;
    for (std::string& variable : all) {
      if (variable.starts_with(begin)) found = &variable;
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

std::chrono::nanoseconds cpu_time_of_group(pid_t group) {
  unsigned long long ticks = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> all(opendir("/proc"), &closedir);
  THREADREF_CHECK_ERRNO(all != nullptr, "opendir(/proc)");
  while (const dirent* entry = readdir(all.get())) {
    if (std::isdigit(static_cast<unsigned char>(entry->d_name[0])) == 0) continue;
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");  // may be gone by now
    std::string line;
    std::getline(file, line);
    pid_t its_group = 0;
    unsigned long long user = 0;
    unsigned long long system = 0;
    unsigned long long user_of_children = 0;
    unsigned long long system_of_children = 0;
    // The second field is the program's name, in brackets; it may contain any character.
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) continue;
    const int fields =
        std::sscanf(line.c_str() + name_end,
                    ") %*c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu "
                    "%llu %llu",
                    &its_group, &user, &system, &user_of_children, &system_of_children);
    if (fields == 5 && its_group == group)
      ticks += user + system + user_of_children + system_of_children;
  }
  return std::chrono::nanoseconds(std::chrono::seconds(1)) * ticks /
         static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
}

}  // namespace threadref::testing
