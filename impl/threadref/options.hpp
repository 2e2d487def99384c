// SPDX-License-Identifier: MIT
// Options of the process, set once before the library is first used.
#pragma once

#include <cstdint>
#include <system_error>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {

// What happens in the child of a fork() to the finalizers of the other threads, which do not exist
// there.
//   forget        They are dropped and counted as `forgotten`. Their closures are not destroyed: a
//                 lock that a destructor would take may be held for ever.
//   run_siblings  They run inside fork(), on the forking thread, as Python's do, and are counted in
//                 `ran_at_process_exit`. Newest first within a thread that never cancelled one.
enum class fork_policy : std::uint8_t { forget, run_siblings };

// One set of options applies to all back ends of the process.
struct options {
  // How many registrations one thread exit may make while it drains, before the rest is abandoned.
  // A finalizer that always registers another must not keep its thread alive for ever, like a key's
  // destructor that sets its value again: POSIX gives up on that after four rounds. 10 000 take
  // less than a millisecond, and are more than what exits are known to need. At least 1.
  std::uint64_t late_registrations_max = 10'000;
  // How often one exit may alternate from finalizers to registered destructors before the rest is
  // abandoned. At least 1.
  std::uint32_t alternations_max = 64;
  fork_policy on_fork = fork_policy::forget;
  // At process exit, also run the finalizers of threads that still run, on the exiting thread. They
  // may race with what those threads do (11 data races in the measured example), so it is off.
  bool adopt = false;
  // With `adopt`, run them newest first over all threads. Costs an increment of one shared atomic
  // counter per registration (4.5 to 14 ns).
  bool global_order = false;
};

// Sets the options. Fails, changing nothing, with device_or_resource_busy once any thread has used
// any back end, and with invalid_argument if a limit is 0. Any thread. O(1), one lock.
[[nodiscard]] std::error_code configure(const options& wanted) noexcept;
// The options in force. Any thread. O(1), one lock.
[[nodiscard]] options configured() noexcept;

}  // namespace threadref::inline THREADREF_ABI
