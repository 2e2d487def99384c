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
  constexpr int bits_it_bears = 28;
  if (!detail::under_tsan) return;
  int bits = 0;
  std::ifstream("/proc/sys/vm/mmap_rnd_bits") >> bits;
  constexpr unsigned long ask = 0xffffffff;
  const int now = personality(ask);
  if (bits <= bits_it_bears || (now >= 0 && (now & ADDR_NO_RANDOMIZE) != 0)) return;
  if (now < 0 || personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) < 0) {
    std::fprintf(stderr,
                 "note: %d random bits in addresses are more than ThreadSanitizer bears, and they "
                 "can't be switched off here: %s\n",
                 bits, std::strerror(errno));
    return;
  }
  std::fprintf(stderr, "note: runs again without address randomisation, for ThreadSanitizer\n");
  execv("/proc/self/exe", argv);
  std::fprintf(stderr, "note: could not run again: %s\n", std::strerror(errno));
}

}  // namespace threadref::testing
