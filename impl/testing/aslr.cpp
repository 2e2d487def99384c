// SPDX-License-Identifier: MIT
#include "testing/aslr.hpp"

#include <sys/personality.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "threadref/config.hpp"

namespace threadref::testing {

void rerun_without_aslr_if_needed(char** argv) {
  constexpr int bits_max = 28;
  if (!detail::under_tsan) return;
  int bits = 0;
  std::ifstream("/proc/sys/vm/mmap_rnd_bits") >> bits;
  constexpr unsigned long query = 0xffffffff;
  const int now = personality(query);
  if (bits <= bits_max || (now >= 0 && (now & ADDR_NO_RANDOMIZE) != 0)) return;
  if (now < 0 || personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0) {
    std::fprintf(
        stderr,
        "note: addresses have %d random bits, more than ThreadSanitizer supports, and they "
        "can't be switched off here: %s\n",
        bits, std::strerror(errno));
    return;
  }
  std::fprintf(stderr, "note: restarting without address randomisation, for ThreadSanitizer\n");
  execv("/proc/self/exe", argv);
  std::fprintf(stderr, "note: could not restart: %s\n", std::strerror(errno));
}

}  // namespace threadref::testing
