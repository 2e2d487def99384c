// SPDX-License-Identifier: MIT
// L 106. The back end's key is the first of the process, and so has index 0, which some code takes
// for "no key" (W-16). Without GoogleTest, which makes a key before main.
//
// usage: first_key <back end>
// exit status: 0 fine · 1 wrong use · 3 lost, or wrong
#include <pthread.h>

#include <cstdio>
#include <string_view>
#include <thread>

#include "conformance/harness/check_line.hpp"
#include "testing/check.hpp"
#include "threadref/threadref.hpp"

namespace {

using namespace threadref;

// Calls f for the back end of that name. False: there is no such back end.
template <class F>
bool with_back_end(std::string_view chosen, F&& f) {
  bool found = false;
  for_each_type(backends{}, [&]<class B>() {
    if (B::info.name != chosen) return;
    found = true;
    f.template operator()<B>();
  });
  return found;
}

// Runs before the library's static objects, each of which makes a key. The C library passes main's
// arguments.
[[gnu::constructor(101)]] void go_first(int argc, char** argv) {
  if (argc != 2) return;
  pthread_key_t probe{};
  THREADREF_CHECK_CALL(pthread_key_create(&probe, nullptr));
  THREADREF_CHECK(probe == 0, "a key exists already, so nothing would be tested");
  THREADREF_CHECK_CALL(pthread_key_delete(probe));
  // A finalizer, since some back ends set their key only for one.
  with_back_end(argv[1], []<class B>() { finalize<B>([] {}).cancel(); });
}

struct counts {
  int finalizers = 0;
  int late = 0;
  int nodes = 0;
  int destructors = 0;
};

void count(void* where) {
  ++*static_cast<int*>(where);
}

// Registers one more, in the round of a key with a higher index.
template <backend B>
void come_late(void* late) {
  finalize<B>([late] { count(late); });
}

template <backend B>
void works() {
  constexpr pthread_key_t first = 0;
  THREADREF_CHECK(pthread_getspecific(first) != nullptr, "key 0 is not the back end's");
  pthread_key_t younger{};
  THREADREF_CHECK_CALL(pthread_key_create(&younger, &come_late<B>));
  THREADREF_CHECK(younger != first, "key 0 was deleted");
  const counters before = stats<B>();
  counts ran;
  basic_exit_node<B> node;
  std::thread([&] {
    static thread_local void* variable = nullptr;
    variable = &ran.destructors;
    THREADREF_CHECK(pthread_getspecific(first) == nullptr,
                    "a new thread has a value for key 0 already");
    finalize<B>([&ran] { ++ran.finalizers; });
    THREADREF_CHECK(pthread_getspecific(first) != nullptr, "key 0 was not set");
    finalize<B>([&ran] { ++ran.finalizers; });
    THREADREF_CHECK(node.attach(&count, &ran.nodes) == std::errc{}, "an exit_node was refused");
    THREADREF_CHECK(!register_destructor<B>(&variable, &count), "a destructor was refused");
    THREADREF_CHECK_CALL(pthread_setspecific(younger, &ran.late));
  }).join();
  THREADREF_CHECK(ran.finalizers == 2, "a finalizer did not run exactly once");
  THREADREF_CHECK(ran.nodes == 1, "an exit_node did not run exactly once");
  THREADREF_CHECK(ran.destructors == 1, "a destructor did not run exactly once");
  THREADREF_CHECK(ran.late == 1,
                  "a finalizer registered by a later key's destructor did not run exactly once");
  const counters after = stats<B>();
  THREADREF_CHECK(after.registered - before.registered == 5, "the counters do not match");
  THREADREF_CHECK(after.ran_at_exit - before.ran_at_exit == 5, "the counters do not match");
  THREADREF_CHECK(enumerate<B>().size() == 1, "a thread other than main is believed to be alive");
}

}  // namespace

int main(int argc, char** argv) {
  const bool known = argc == 2 && with_back_end(argv[1], []<class B>() {
                       works<B>();
                       conformance::print_check("c106_its_key_is_the_first", B::info);
                     });
  if (known) return testing::status_fine;
  std::fprintf(stderr, "usage: first_key <back end>\n");
  return testing::status_wrong_use;
}
