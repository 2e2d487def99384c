// SPDX-License-Identifier: MIT
// Checks that end a process, or fork one: they do it in a process of their own, which is this
// program again. Never in a plain fork of it, where GoogleTest's threads would be missing.
//
//   THREADREF_SCENARIO(c086_main_returns_7) {       // in the child, before GoogleTest starts:
//     seen<B>(out, "m1");                           // `B` is the back end, `out` the ledger; what
//     it return 7;                                     // returns, main() returns
//   }
//   TYPED_TEST(process_end, c086_main_returns_7) {  // in the parent, which runs that of its name
//     const outcome end = play<TypeParam>();
//     EXPECT_EQ(end.trace, (names{"m1@main"})) << end.output;
//   }
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/harness/os_thread.hpp"
#include "conformance/harness/subjects.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// What children write and their parent reads, in memory that they share. An entry is one fact, in
// the order in which the facts came to be.
class ledger {
 public:
  struct entry {
    std::atomic<bool> written{false};  // a thread may be cut off while it writes
    pid_t pid = 0;
    pid_t tid = 0;
    char what[32] = {};
  };
  // Any thread of the child and of what it forks. No allocation, no lock.
  void note(const char* what) noexcept;
  void note(const char* what, std::uint64_t number) noexcept;
  // By the last destructor of a process that ends in an orderly way.
  void close_account(bool forked, const counters& all) noexcept;

  // The parent, after the end.
  [[nodiscard]] std::vector<const entry*> entries() const;
  [[nodiscard]] const counters& account() const { return own_; }
  [[nodiscard]] const counters& account_of_fork() const { return of_fork_; }

 private:
  std::atomic<std::uint32_t> used_{0};
  std::array<entry, 4096> entries_{};
  counters own_;
  counters of_fork_;
  std::atomic<bool> has_fork_{false};
};

using names = std::vector<std::string>;

// How a child ended, and what it has left.
struct outcome {
  pid_t pid = 0;
  std::string how;  // "status 0", "signal 9"; "no end in time": it was killed
  // What was noted: "m1@main" on the child's main thread, "w1@thread" on another, and "fork:
  // m1@main" in a process that it forked.
  names trace;
  counters stats;          // at its very end; all 0 if it did not end in an orderly way
  counters stats_of_fork;  // of the first process that it forked and that ended so
  std::string output;      // what it wrote to its standard output and error
};

// Runs the scenario that is named as the current check, with the back end, in a process of its own.
// What it left running is killed.
outcome play(const backend_info& of);
template <backend B>
outcome play() {
  return play(B::info);
}

// How often the trace has it.
std::size_t count(const outcome& end, std::string_view what);
// What it has of the child itself, or of the processes that it forked.
names trace_of(const outcome& end, bool forked);
// I1, with `pending` registrations that nobody ran: their threads still lived, or they did not want
// to run at the end of the process.
void expect_accounted(const counters& all, std::uint64_t pending);

// --- In main(): the status of the scenario that the arguments name; none: they name no scenario.
std::optional<int> run_as_child(int argc, char** argv);

// --- In scenarios.

// Runs when the exit stage is over, as the destructor of a static object that was there before the
// library.
void run_after_the_stage(std::function<void()> work);
[[noreturn]] void block_for_ever();
pid_t checked_fork();
// How the process ended, as in outcome::how.
std::string wait_for_fork(pid_t child);

// A finalizer that is noted under the name when it runs.
template <backend B>
finalizer<void, B> seen(ledger& out, const char* name) {
  return finalize<B>([&out, name] { out.note(name); });
}
// A thread that registers what is seen under the name, and then lives on.
template <backend B>
void start_blocked(ledger& out, const char* name) {
  gate ready;
  start_detached([&ready, &out, name] {
    seen<B>(out, name);
    ready.open();
    block_for_ever();
  });
  ready.wait();
}

using scenario_function = int (*)(ledger&);
void know_scenario(const char* name, const subject& of, scenario_function run);
template <class F>
bool know_scenario(const char* name, F /*of_each*/) {
  for_each_type(compiled_subjects{}, [name]<class B>() {
    for (const subject& of : subjects_of<B>()) {
      know_scenario(name, of, [](ledger& out) { return F{}.template operator()<B>(out); });
    }
  });
  return true;
}

}  // namespace threadref::conformance

// Begins the definition of a scenario: a function template over the back end `B`.
#define THREADREF_SCENARIO(name)                                                       \
  template <class B>                                                                   \
  int name(::threadref::conformance::ledger& out);                                     \
  const bool name##_is_known = ::threadref::conformance::know_scenario(                \
      #name, []<class B>(::threadref::conformance::ledger& l) { return name<B>(l); }); \
  template <class B>                                                                   \
  int name([[maybe_unused]] ::threadref::conformance::ledger& out)
