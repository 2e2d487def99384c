// SPDX-License-Identifier: MIT
// When something is taken to hang. How busy the machine is must not matter, so no clock on the wall
// decides. What hangs sleeps, or computes without an end: the one shows in that it uses no
// processor time, look after look, which whoever waits for a processor gets in between; the other
// in how much it has used.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string_view>

#include "threadref/config.hpp"

namespace threadref::stress {

inline constexpr int slower_under_sanitizers = detail::under_tsan || detail::under_asan ? 5 : 1;

struct patience {
  double cpu_seconds = 60 * slower_under_sanitizers;  // of all its threads together
  int looks_asleep = 50;                              // one after the other
  // Against what does neither: wakes up again and again, only to wait once more.
  double wall_seconds = 1800;
};

// Allocates nothing: what hangs may do so inside malloc.
class hang_watch {
 public:
  static constexpr int milliseconds_between_looks = 200;

  explicit hang_watch(const patience& p) noexcept;
  // Every so often, with what was used of processor time up to now. How it hangs; "": it may still
  // end.
  std::string_view look(double cpu_seconds) noexcept;
  // It came a step further: all begins anew.
  void moved() noexcept;

 private:
  patience patience_;
  double began_;
  double cpu_ = 0;         // at the last look
  double cpu_before_ = 0;  // when all began anew
  int asleep_ = 0;
};

// Waits until the child has ended, which is not reaped then. How it hangs, with those of its group;
// "": it has ended. `on_look`, if any, is called at each look, and may say that it moved.
std::string_view wait_for_end(pid_t child, const patience& p,
                              const std::function<void(hang_watch&)>& on_look = nullptr);

// Whether a thread of this process is in there, which sleeps for a reason then.
bool is_in_wait_for_end() noexcept;

}  // namespace threadref::stress
