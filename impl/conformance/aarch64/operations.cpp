// SPDX-License-Identifier: MIT
// One function for each operation, for orders.py to look at.
#include "threadref/threadref.hpp"

namespace {
using handle = decltype(threadref::finalize([] {}));

struct two_words {
  void* first;
  void* second;
  void operator()() const noexcept { asm volatile("" ::"r"(first), "r"(second)); }
};
}  // namespace

extern "C" {
bool op_register(void* first, void* second) {
  return bool(threadref::try_finalize(two_words{first, second}));
}
bool op_is_registered() {
  return threadref::default_backend::find() != nullptr;
}
bool op_expired(const threadref::ref& r) {
  return r.expired();
}
bool op_alive(const handle& h) {
  return h.alive();
}
bool op_cancel(const handle& h) {
  return h.cancel();
}
bool op_call(const handle& h) {
  return h();
}
}
