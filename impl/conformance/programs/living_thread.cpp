// SPDX-License-Identifier: MIT
// Ends while a thread lives that has finalizers pending. What only those hold is no leak.
//
// exit status: 0 fine · 66 LeakSanitizer reports a leak
#include <unistd.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>

#include "threadref/threadref.hpp"

int main() {
  std::latch registered(1);
  std::thread([&registered] {
    const std::string large(100, '.');
    threadref::finalize([large] {});
    threadref::finalize([inside = std::make_unique<std::string>(large)] {});
    threadref::finalize_in(threadref::exit_phase::very_last, [large] {});
    registered.count_down();
    for (;;) pause();
  }).detach();
  registered.wait();
  return 0;
}
