// SPDX-License-Identifier: MIT
// Checks that end or fork a process do so in a process of their own, which runs this program again.
// A plain fork would not do: GoogleTest's threads would be missing.
//
//   THREADREF_SCENARIO(c086_main_returns_7) {       // in the child, before GoogleTest starts:
//     seen<B>(out, "m1");                           // `B` is the back end, `out` the ledger
//     return 7;                                     // main() returns this
//   }
//   TYPED_TEST(process_end, c086_main_returns_7) {  // in the parent: runs that scenario
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

// Children write it and their parent reads it, in shared memory. An entry is one fact; entries are
// in the order in which the facts occurred.
class ledger {
 public:
  struct entry {
    std::atomic<bool> written{false};  // the process may end while a thread writes
    pid_t pid = 0;
    pid_t tid = 0;
    char what[32] = {};
  };
  // For any thread of the child and of processes that it forks. No allocation, no lock.
  void note(const char* what) noexcept;
  void note(const char* what, std::uint64_t number) noexcept;
  // Called by the last destructor of a process that ends in an orderly way.
  void close_account(bool forked, const counters& all) noexcept;

  // For the parent, after the end.
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

// How a child ended, and what it reported.
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

// Runs the scenario of the current check's name, with the back end, in a process of its own. Kills
// what is still running then.
outcome play(const backend_info& b);
template <backend B>
outcome play() {
  return play(B::info);
}

// How often it is in the trace.
std::size_t count(const outcome& end, std::string_view what);
// The trace of the child itself, or of the processes that it forked.
enum class process { child, forked };
names trace_of(const outcome& end, process p);
// I1, with `pending` registrations that did not run: their threads still lived, or they had
// atexit(false).
void expect_accounted(const counters& all, std::uint64_t pending);

// --- In main(): runs the scenario that the arguments name, and returns its status; none: they name
// no scenario.
std::optional<int> run_as_child(int argc, char** argv);

// --- In scenarios.

// `work` runs after the exit stage, in the destructor of a static object that is older than the
// library.
void run_after_the_stage(std::function<void()> work);
[[noreturn]] void block_for_ever();
pid_t checked_fork();
// How the process ended, as in outcome::how.
std::string wait_for_fork(pid_t child);

// A finalizer that notes the name when it runs.
template <backend B>
finalizer<void, B> seen(ledger& out, const char* name) {
  return finalize<B>([&out, name] { out.note(name); });
}
// A thread that registers such a finalizer, and then blocks.
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
void add_scenario(const char* name, const subject& of, scenario_function run);
template <class F>
bool add_scenario(const char* name, F /*of_each*/) {
  for_each_type(compiled_subjects{}, [name]<class B>() {
    for (const subject& of : subjects_of<B>()) {
      add_scenario(name, of, [](ledger& out) { return F{}.template operator()<B>(out); });
    }
  });
  return true;
}

}  // namespace threadref::conformance

// Begins the definition of a scenario: a function template over the back end `B`.
#define THREADREF_SCENARIO(name)                                                       \
  template <class B>                                                                   \
  int name(::threadref::conformance::ledger& out);                                     \
  const bool name##_is_known = ::threadref::conformance::add_scenario(                 \
      #name, []<class B>(::threadref::conformance::ledger& l) { return name<B>(l); }); \
  template <class B>                                                                   \
  int name([[maybe_unused]] ::threadref::conformance::ledger& out)
