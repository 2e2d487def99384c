// SPDX-License-Identifier: MIT
// What the program may choose, once, before the library is used.
#pragma once

#include <cstdint>
#include <system_error>

namespace threadref {

// What becomes of the other threads' finalizers in the child of a fork(), where those threads do
// not exist. forget: they are dropped, counted `forgotten`, their closures not destroyed (a lock
// that they would take may be held for ever). run_siblings: they run inside fork(), on the forking
// thread, as Python's do, counted as run at a process exit; newest first within a thread that never
// cancelled one.
enum class fork_policy : std::uint8_t { forget, run_siblings };

// One set for all back ends of the process.
struct options {
  // Late registrations (while the thread drains) that one exit may make before the rest is
  // abandoned: a finalizer that always registers another must not keep its thread alive for ever.
  std::uint64_t late_registrations_max = 1'000'000;
  // How often one exit may go from the finalizers to the registered destructors.
  std::uint32_t alternations_max = 64;
  fork_policy on_fork = fork_policy::forget;
  // At process exit also run the finalizers of threads that still run, on the exiting thread. They
  // may race with what those threads do: 11 data races in the measured example, so it is off.
  bool adopt = false;
  // With `adopt`: newest first over all threads. Costs an increment of one shared counter per
  // registration (4.5 to 14 ns).
  bool global_order = false;
};

// Sets the options. device_or_resource_busy once a thread has used any back end: nothing changes.
// invalid_argument: a limit is 0. Any thread; O(1).
[[nodiscard]] std::error_code configure(const options& wanted) noexcept;
// What is set now.
[[nodiscard]] options configured() noexcept;

}  // namespace threadref
