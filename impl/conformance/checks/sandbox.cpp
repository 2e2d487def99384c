// SPDX-License-Identifier: MIT
// L. In a sandbox that allows only what memory, threads, locks and output need, all of the library
// works but thread_handle::name(), once it has been used.
#include "testing/sandbox.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "conformance/harness/child.hpp"
#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(sandbox);

// What a program may do with the library inside.
struct use {
  const char* name;
  void (*what)();
};
template <class B>
constexpr use uses[] = {
    {"a thread's registrations",
     [] {
       os_thread([] {
         finalize<B>([] {});
         finalize_in<B>(exit_phase::early, [] {});
         finalize_in<B>(exit_phase::very_last, [] {});
         const basic_ref<B> r([](const basic_ref<B>& /*self*/) {});
       }).join();
     }},
    {"current",
     [] {
       thread_handle held;
       os_thread([&held] {
         held = current<B>();
         static_cast<void>(held.is_main());
       }).join();
       static_cast<void>(held.state());
     }},
    {"ref::lock",
     [] {
       const basic_ref<B> r;
       os_thread([&r] { static_cast<void>(r.lock().tid()); }).join();
     }},
    {"taking a finalizer elsewhere",
     [] {
       auto first = finalize<B>([] {});
       auto second = finalize<B>([] {});
       auto third = finalize<B>([] {});
       os_thread([&] {
         static_cast<void>(first.peek());
         first.cancel();
         static_cast<void>(second.detach());
         third();
         third.wait();
       }).join();
     }},
    {"enumerate", [] { os_thread([] { static_cast<void>(enumerate<B>()); }).join(); }},
    {"detach_all",
     [] {
       finalize<B>([] {});
       os_thread([] {
         detach_all<B>(reinterpret_cast<const void*>(&testing::enter_sandbox));
       }).join();
     }},
    {"a callback that throws", [] { os_thread([] { finalize<B>([] { throw 132; }); }).join(); }},
    {"a thread that vanishes",
     [] {
       os_thread([] {
         finalize<B>([] {});
         syscall(SYS_exit, 0);
       }).join();
       static_cast<void>(enumerate<B>());
     }},
    {"trim and stats",
     [] {
       trim<B>();
       static_cast<void>(stats<B>());
     }},
    {"the end of the process", [] { finalize<B>([] {}); }},
};

THREADREF_SCENARIO(c132_only_names_ask_the_kernel_for_more) {
  os_thread([] { finalize<B>([] {}); }).join();
  for (const use& each : uses<B>) {
    const pid_t child = checked_fork();
    if (child == 0) {
      testing::enter_sandbox();
      each.what();
      if (std::string_view(each.name) == "the end of the process") std::exit(0);
      _exit(0);
    }
    if (const std::string how = wait_for_fork(child); how != "status 0")
      out.note(std::string(each.name).append(": ").append(how).c_str());
  }
  return 0;
}
TYPED_TEST(sandbox, c132_only_names_ask_the_kernel_for_more) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.how, "status 0") << end.output;
  EXPECT_EQ(end.trace, names{}) << end.output;
}

// The list is not one that forbids nothing.
THREADREF_SCENARIO(c132_a_name_is_one_call_more) {
  const pid_t child = checked_fork();
  if (child == 0) {
    const thread_handle me = current<B>();
    testing::enter_sandbox();
    static_cast<void>(me.name());
    _exit(0);
  }
  out.note(wait_for_fork(child).c_str());
  return 0;
}
TYPED_TEST(sandbox, c132_a_name_is_one_call_more) {
  const outcome end = play<TypeParam>();
  EXPECT_EQ(end.trace, names{"signal " + std::to_string(SIGSYS) + "@main"}) << end.output;
}

}  // namespace
}  // namespace threadref::conformance
