// SPDX-License-Identifier: MIT
// What C can't do by itself: throw, and count what is reported to the unraisable hook.
#include <atomic>

#include "threadref/threadref.hpp"

namespace {

std::atomic<int> incidents{0};

void count(const threadref::thread_handle& /*thread*/, std::exception_ptr /*what*/,
           threadref::incident /*kind*/) noexcept {
  ++incidents;
}

}  // namespace

// Declared in c_face_test.c: no C++ file uses them.
extern "C" {
void throws(void* unused);
int incidents_so_far();

void throws(void* /*unused*/) {
  threadref::set_unraisable_hook(&count);
  throw 7;
}
int incidents_so_far() {
  return incidents;
}
}
