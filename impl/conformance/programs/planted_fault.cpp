// SPDX-License-Identifier: MIT
// Commits one fault that a sanitizer must report. If it does not, its silence about everything else
// proves nothing.
//
// usage: planted_fault <fault>
// exit status: 1 wrong use · 4 not reported · else the sanitizer's own
#include <cstdio>
#include <limits>
#include <string_view>
#include <thread>

#include "testing/check.hpp"
#include "threadref/threadref.hpp"

namespace {

// Volatile, since the compiler would see these faults, and warn or optimise them away.

void race() {
  static volatile int counter = 0;
  const auto count = [] {
    for (int i = 0; i != 100'000; ++i) counter = counter + 1;
  };
  std::thread other(count);
  count();
  other.join();
}

void use_after_free() {
  int* volatile p = new int(1);
  delete p;
  std::printf("%d\n", *p);
}

void overflow() {
  volatile int most = std::numeric_limits<int>::max();
  most = most + 1;
}

void leak() {
  int* volatile p = nullptr;
  for (int i = 0; i != 4; ++i) p = new int(i);  // the last may still be seen in some register
  std::printf("%d\n", *p);
}

// Records where in a slot of the exit list it is stored.
struct spy {
  const volatile char** where;
  void operator()() const { *where = reinterpret_cast<const volatile char*>(this); }
};

// The memory of a slot is never freed, so only poisoning can reveal a read of a recycled one.
void stale_closure() {
  const volatile char* stale = nullptr;
  std::thread([&stale] {
    const auto f = threadref::finalize(spy{&stale});
    f();
    std::printf("%d\n", *stale);
  }).join();
}

struct fault {
  std::string_view name;
  void (*commit)();
};
constexpr fault faults[] = {{"race", &race},
                            {"use_after_free", &use_after_free},
                            {"overflow", &overflow},
                            {"leak", &leak},
                            {"stale_closure", &stale_closure}};

}  // namespace

int main(int argc, char** argv) {
  for (const fault& f : faults) {
    if (argc != 2 || f.name != argv[1]) continue;
    f.commit();
    return threadref::testing::status_canary_missed;
  }
  std::fprintf(stderr,
               "usage: planted_fault <fault>; build_types.cmake names those of each build\n");
  return threadref::testing::status_wrong_use;
}
