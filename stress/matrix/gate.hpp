// SPDX-License-Identifier: MIT
// What threads of an event wait at. Opens once, for everybody; a futex, and nothing that a forked
// process would find locked.
#pragma once

#include <atomic>

namespace threadref::stress {

class gate {
 public:
  void open() noexcept {
    open_.test_and_set();
    open_.notify_all();
  }
  void wait() const noexcept { open_.wait(false); }
  [[nodiscard]] bool is_open() const noexcept { return open_.test(); }

 private:
  std::atomic_flag open_;
};

}  // namespace threadref::stress
