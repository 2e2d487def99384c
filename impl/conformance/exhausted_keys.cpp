// SPDX-License-Identifier: MIT
// L 101. Somebody took all pthread keys before the library made its own. Each back end says so, or
// does without; none touches what is not its own. A process of its own, and without GoogleTest,
// which needs a key itself.
//
// exit status: 0 fine · 3 lost, or wrong
#include <pthread.h>

#include <cstdio>
#include <system_error>
#include <thread>

#include "conformance/check_line.hpp"
#include "scenarios/check.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;

int foreign_calls = 0;
int foreign_value = 0;

// The destructor of the first key: a back end that goes on with key 0 when it got none would have
// it called with data of its own.
void first_destructor(void* value) {
  THREADREF_CHECK(value == &foreign_value, "a foreign destructor got somebody else's data");
  ++foreign_calls;
}

struct all_keys {
  pthread_key_t first{};
  int taken = 0;
  all_keys() {
    pthread_key_t key{};
    while (pthread_key_create(&key, taken == 0 ? &first_destructor : nullptr) == 0) {
      if (taken++ == 0) first = key;
    }
  }
};
// Before the constructors of the library.
[[gnu::init_priority(101)]] const all_keys keys;

// The one has no key, and the others a guard in its place.
template <backend B>
constexpr bool does_without = B::info.name == "cxx_thread_local" || B::info.name == "registry" ||
                              B::info.name == "registry_bulk";

// What is left when a finalizer leaves by pthread_exit has no key's round to run in.
template <backend B>
bool survives_pthread_exit() {
  int ran = 0;
  std::thread([&] {
    const auto count = [&ran] { ++ran; };
    if (!try_finalize<B>(count)) return;
    finalize<B>(count);
    finalize<B>([] { pthread_exit(nullptr); });
    finalize<B>([] { pthread_exit(nullptr); });
    finalize<B>(count);
  }).join();
  THREADREF_CHECK(ran == 3 || ran == 0, "a finalizer was lost after another one's pthread_exit");
  THREADREF_CHECK(enumerate<B>().empty(), "a dead thread is believed to be alive");
  return ran == 3;
}

template <backend B>
bool works() {
  bool ran = false;
  std::errc error{};
  const counters before = stats<B>();
  foreign_calls = 0;
  std::thread([&] {
    THREADREF_CHECK_CALL(pthread_setspecific(keys.first, &foreign_value));
    error = try_finalize<B>([&ran] { ran = true; }).error;
  }).join();
  THREADREF_CHECK(foreign_calls == 1, "a foreign destructor was not called once");
  const bool refused = error == std::errc::resource_unavailable_try_again;
  THREADREF_CHECK(ran == does_without<B>, "it works without a key, or not, against what is said");
  THREADREF_CHECK(ran != refused, "a finalizer was lost, or ran although it was refused");
  THREADREF_CHECK(stats<B>().registered - before.registered == (ran ? 1U : 0U),
                  "what was refused was counted as registered");
  THREADREF_CHECK(survives_pthread_exit<B>() == ran, "it works by half");
  std::printf("%-20s %s\n", B::info.name.data(), ran ? "works without a key" : "refused: no key");
  return ran;
}

}  // namespace

int main() {
  THREADREF_CHECK(keys.taken > 0, "no key could be taken");
  for_each_type(backends{}, []<class B>() {
    THREADREF_CHECK(works<B>() == works<B>(), "the second thread fares otherwise than the first");
    conformance::print_check("c101_all_keys_are_taken", B::info);
  });
}
