// SPDX-License-Identifier: MIT
#include "testing/sandbox.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <iterator>

#include "testing/check.hpp"

namespace threadref::testing {

namespace {

// The last one is for the tests, which ask in which process they are.
constexpr int allowed[] = {SYS_brk,
                           SYS_mmap,
                           SYS_munmap,
                           SYS_mprotect,
                           SYS_madvise,
                           SYS_clone,
                           SYS_clone3,
                           SYS_exit,
                           SYS_set_robust_list,
                           SYS_rseq,
                           SYS_rt_sigaction,
                           SYS_rt_sigprocmask,
                           SYS_sched_yield,
                           SYS_sched_getaffinity,
                           SYS_futex,
                           SYS_clock_gettime,
                           SYS_clock_nanosleep,
                           SYS_write,
                           SYS_getrandom,
                           SYS_exit_group,
                           SYS_getpid};

}  // namespace

void enter_sandbox() {
  std::array<sock_filter, 2 * std::size(allowed) + 2> rules;
  sock_filter* next = rules.data();
  *next++ = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
  for (const int number : allowed) {
    *next++ = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1);
    *next++ = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  }
  *next = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  const sock_fprog program{static_cast<unsigned short>(rules.size()), rules.data()};
  THREADREF_CHECK_ERRNO(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl(PR_SET_NO_NEW_PRIVS)");
  THREADREF_CHECK_ERRNO(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0,
      "seccomp");
}

}  // namespace threadref::testing
