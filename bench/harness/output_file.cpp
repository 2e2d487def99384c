// SPDX-License-Identifier: MIT
#include "bench/harness/output_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::bench {

namespace {

bool is_special(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode);
}

std::string part_of(const std::string& path) {
  return testing::concat(path, ".", getpid(), ".part");
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Blocks signals until the file is complete.
class uninterrupted {
 public:
  uninterrupted() {
    sigset_t all;
    sigfillset(&all);
    THREADREF_CHECK_CALL(pthread_sigmask(SIG_BLOCK, &all, &before_));
  }
  uninterrupted(const uninterrupted&) = delete;
  uninterrupted& operator=(const uninterrupted&) = delete;
  ~uninterrupted() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::string why_not_writable(const std::string& path) {
  const uninterrupted guard;
  struct stat found {};
  if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
    return testing::concat(path, " is a directory; name a file");
  }
  const bool special = is_special(path);
  const std::string probe = special ? path : part_of(path);
  const int fd = open(probe.c_str(), O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT), 0666);
  if (fd < 0) return testing::concat(path, " can't be written: ", std::strerror(errno));
  close(fd);
  if (!special) unlink(probe.c_str());
  return {};
}

void write_whole(const std::string& path, std::string_view text) {
  const uninterrupted guard;
  const bool special = is_special(path);
  const std::string target = special ? path : part_of(path);
  const int fd =
      open(target.c_str(), O_WRONLY | O_CLOEXEC | (special ? 0 : O_CREAT | O_TRUNC), 0666);
  THREADREF_CHECK_ERRNO(fd >= 0, target.c_str());
  bool done = write_all(fd, text);
  done = close(fd) == 0 && done;
  if (!special) {
    done = done && rename(target.c_str(), path.c_str()) == 0;
    const int error = errno;
    if (!done) unlink(target.c_str());
    errno = error;
  }
  THREADREF_CHECK_ERRNO(done, path.c_str());
}

}  // namespace threadref::bench
