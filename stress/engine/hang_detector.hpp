// SPDX-License-Identifier: MIT
// When a process is judged to hang. A busy machine must not change the verdict, so wall time
// decides only as a last resort. What hangs either sleeps or computes forever. A sleeping process
// uses no CPU time in one look after another, while one that waits for a processor gets some in
// between. A computing process shows in how much CPU time it has used.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string_view>

#include "threadref/config.hpp"

namespace threadref::stress {

inline constexpr int slower_under_sanitizers = detail::under_tsan || detail::under_asan ? 5 : 1;

struct hang_limits {
  double cpu_seconds = 60 * slower_under_sanitizers;  // all threads together
  int looks_asleep = 50;                              // in a row
  // For what neither sleeps nor computes: it wakes up again and again, only to wait once more.
  double wall_seconds = 1800;
};

// Allocates nothing: the program may hang inside malloc.
class hang_detector {
 public:
  static constexpr int milliseconds_between_looks = 200;

  explicit hang_detector(const hang_limits& limits) noexcept;
  // To be called at that interval with the CPU time used so far. Returns how it hangs, or "" if it
  // may still end.
  std::string_view look(double cpu_seconds) noexcept;
  // It made progress: all limits start anew.
  void progressed() noexcept;

 private:
  hang_limits limits_;
  double began_;
  double cpu_ = 0;           // at the last look
  double cpu_at_start_ = 0;  // when the limits last started anew
  int asleep_ = 0;
};

// Waits until the child has ended, without reaping it. Returns how the child and the others in its
// process group hang, or "" if the child has ended. `on_look`, if any, is called at each look and
// may report progress.
std::string_view wait_for_end(pid_t child, const hang_limits& limits,
                              const std::function<void(hang_detector&)>& on_look = nullptr);

// Whether a thread of this process is in wait_for_end(), and so has a reason to sleep.
bool is_in_wait_for_end() noexcept;

}  // namespace threadref::stress
