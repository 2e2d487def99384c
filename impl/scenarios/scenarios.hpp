// SPDX-License-Identifier: MIT
// THE TABLE OF SCENARIOS. bench_threadref, stress_threadref, the tests, --describe and the
// dashboard all read it; nothing repeats it. A row that names a tool does not compile without a
// body there.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "scenarios/scenario.hpp"

namespace threadref::scenarios {

inline constexpr scenario table[] = {
    {.key = id::registration,
     .name = "finalize/registration",
     .asks = "what does registering one more finalizer cost on a thread that has some?",
     .tools = tool::bench,
     .finalizers = {1, 4, 16, 256, 4096}},

    {.key = id::first_registration,
     .name = "finalize/first_registration",
     .asks = "what does the first finalizer of a thread cost, arming included?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::exit_solo,
     .name = "finalize/exit",
     .asks =
         "how long after a thread's last statement has its last finalizer run, and is it joined?",
     .tools = tool::bench,
     .finalizers = {1, 4, 16, 256, 4096}},

    {.key = id::exit_mixed,
     .name = "finalize/exit_mixed",
     .asks = "how long does the same take when the finalizers are of eight kinds, in random order?",
     .tools = tool::bench,
     .finalizers = {256, 4096}},

    {.key = id::exit_under_churn,
     .name = "finalize/exit_under_churn",
     .asks = "how long does the same take while other threads come and go?",
     .tools = tool::bench,
     .finalizers = {16},
     .threads = {64, 4000}},

    {.key = id::ordering,
     .name = "finalize/ordering",
     .asks = "where do finalizers run among stack objects, thread_locals, keys, Boost's and the "
             "join?",
     .tools = tool::bench,
     .finalizers = {2}},

    {.key = id::cancel_owner,
     .name = "finalize/cancel_owner",
     .asks = "what does a finalizer cost that its own thread registers and cancels?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::detach_owner,
     .name = "finalize/detach_owner",
     .asks = "what does a finalizer cost that its own thread registers and detaches?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::call_owner,
     .name = "finalize/call_owner",
     .asks = "what does a finalizer cost that its own thread registers and calls early?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::cancel_foreign,
     .name = "finalize/cancel_foreign",
     .asks = "what does it cost to cancel a finalizer of another thread?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::detach_foreign,
     .name = "finalize/detach_foreign",
     .asks = "what does it cost to detach a finalizer of another thread?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::call_foreign,
     .name = "finalize/call_foreign",
     .asks = "what does it cost to call a finalizer of another thread early?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::ensure,
     .name = "finalize/ensure",
     .asks = "what does it cost to see that this thread is registered already?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::ref_check,
     .name = "ref/check",
     .asks = "what does it cost to ask whether a thread still runs?",
     .tools = tool::bench,
     .finalizers = {1}},

    {.key = id::ref_lock,
     .name = "ref/lock",
     .asks = "what does it cost to take hold of a thread by a ref, and to let it go?",
     .tools = tool::bench,
     .finalizers = {1}},

    // Before all rows with more threads: enumerate() visits every block that was ever used.
    {.key = id::ref_enumerate,
     .name = "ref/enumerate",
     .asks = "what does a list of all live threads cost, for each of them?",
     .tools = tool::bench,
     .finalizers = {16, 1000, 10000},
     .parameter = alive},

    {.key = id::churn_rate,
     .name = "finalize/churn",
     .asks = "how many threads with 16 finalizers can come and go in a second beside others?",
     .tools = tool::bench,
     .finalizers = {1, 1000, 10000},
     .parameter = alive},

    {.key = id::memory_thread,
     .name = "memory/thread",
     .asks = "how much memory do a thread and a finalizer take, and what is left after a peak?",
     .tools = tool::bench,
     .finalizers = {1000, 10000},
     .parameter = alive},

    {.key = id::memory_burst,
     .name = "memory/herd",
     .asks = "how much do they take when all threads register at once?",
     .tools = tool::bench,
     .finalizers = {1000, 10000},
     .parameter = alive},

    {.key = id::fork_after,
     .name = "fork/after",
     .asks = "what does fork() cost when that many threads have registered, and ended?",
     .tools = tool::bench,
     .finalizers = {1, 500, 8000},
     .parameter = alive},

    {.key = id::fork_beside,
     .name = "fork/beside",
     .asks = "what does fork() cost beside that many threads that have registered?",
     .tools = tool::bench,
     .finalizers = {1, 500, 8000},
     .parameter = alive},

    teardown(id::teardown_serial, "worker/teardown_serial", {15, 85, 400},
             "how long does it take to tear down a tree of workers, one after the other?"),
    teardown(id::teardown_broadcast, "worker/teardown_broadcast", {15, 85, 400},
             "how long does it take where all are told to stop before the first one is joined?"),
    teardown(id::teardown_serial_waiting, "worker/teardown_serial_waiting", {15, 85},
             "how long, one after the other, when a finalizer of each waits for 200 us?"),
    teardown(id::teardown_broadcast_waiting, "worker/teardown_broadcast_waiting", {15, 85},
             "how long, all at once, when a finalizer of each waits for 200 us?"),

    {.key = id::timer_cancel,
     .name = "worker/timer_cancel",
     .asks = "what does a timer cost that is cancelled before it is due, on a thread of its own?",
     .tools = tool::bench,
     .finalizers = {16}},

    {.key = id::later_cancel,
     .name = "worker/later_cancel",
     .asks = "what does a call cost that a worker is to make later, and that is cancelled before?",
     .tools = tool::bench,
     .finalizers = {16}},

    {.key = id::pool_task,
     .name = "worker/pool_task",
     .asks = "how long until a task that is handed to a oneTBB worker has registered finalizers?",
     .tools = tool::bench,
     .finalizers = {1, 16}},

    sweep(id::sweep_n_registration, "sweep/n_registration", "n",
          {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536},
          "does registering one more get dearer the more there are?"),
    sweep(id::sweep_n_exit, "sweep/n_exit", "n", {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536},
          "does the end of a thread grow in proportion to its finalizers?"),
    sweep(id::sweep_callable_registration, "sweep/callable_registration", "bytes",
          {8, 16, 24, 64, 256}, "what does registering a larger function object cost?"),
    sweep(id::sweep_callable_exit, "sweep/callable_exit", "bytes", {8, 16, 24, 64, 256},
          "what does running and destroying a larger function object cost?"),
    sweep(id::sweep_keys_registration, "sweep/keys_registration", "keys", {0, 8, 32, 128, 900},
          "does registering depend on how many other keys have values on the thread?"),
    sweep(id::sweep_keys_exit, "sweep/keys_exit", "keys", {0, 8, 32, 128, 900},
          "does the end of a thread depend on how many other keys have values on it?"),
    // These two continue in powers of two, up to all CPUs that the process may use.
    sweep(id::sweep_at_once_registration, "sweep/at_once_registration", "cores", {1},
          "do threads that register at the same time hinder each other?"),
    sweep(id::sweep_at_once_exit, "sweep/at_once_exit", "cores", {1},
          "do threads that end at the same time hinder each other?"),
    sweep(id::sweep_burst, "sweep/herd", "created", {8, 64, 10000},
          "how fast do threads come and go that nobody waits for in between?"),
    sweep(id::sweep_live_threads_registration, "sweep/live_threads_registration", "alive",
          {1, 100, 1000, 4000, 10000},
          "does registering depend on how many other threads are registered?"),
    sweep(id::sweep_live_threads_exit, "sweep/live_threads_exit", "alive",
          {1, 100, 1000, 4000, 10000},
          "does the end of a thread depend on how many others are registered?"),
    sweep(id::sweep_loaded_objects_registration, "sweep/loaded_objects_registration", "objects",
          {0, 16, 64, 256, 1024}, "does registering depend on how many shared objects are loaded?"),
    sweep(id::sweep_loaded_objects_exit, "sweep/loaded_objects_exit", "objects",
          {0, 16, 64, 256, 1024},
          "does the end of a thread depend on how many shared objects are loaded?"),
    sweep(id::sweep_access_inline_ensure, "sweep/access_inline_ensure", "n", {1024},
          "what does it cost the program itself to ask whether its thread is registered?"),
    sweep(id::sweep_access_inline_registration, "sweep/access_inline_registration", "n", {256},
          "what does registering cost the program itself?"),
    sweep(id::sweep_access_shared_ensure, "sweep/access_shared_ensure", "n", {1024},
          "what does the same cost a shared library that uses the program's copy of the library?"),
    sweep(
        id::sweep_access_shared_registration, "sweep/access_shared_registration", "n", {256},
        "what does registering cost a shared library that uses the program's copy of the library?"),
    sweep(id::sweep_access_dlopened_ensure, "sweep/access_dlopened_ensure", "n", {1024},
          "what does the same cost a plugin with the library in it?"),
    sweep(id::sweep_access_dlopened_registration, "sweep/access_dlopened_registration", "n", {256},
          "what does registering cost a plugin with the library in it?"),

    // Shows: PM-01, PM-02.
    {.key = id::churn,
     .name = "churn",
     .asks = "do all finalizers run, once each and newest first, when threads come and go?",
     .tools = tool::stress,
     .finalizers = {4, 64},
     .threads = {64, 4000},
     .outcomes = every_id()},

    {.key = id::burst,
     .name = "burst",
     .asks = "do they still when all threads exit at once?",
     .tools = tool::stress,
     .finalizers = {4, 16},
     .threads = {64, 4000},
     .outcomes = every_id()},

    {.key = id::late_attach,
     .name = "late_attach",
     .asks = "does what finalizers register while their thread exits still run, in the same exit?",
     .tools = tool::stress,
     .finalizers = {8, 32},
     .threads = {64, 1000},
     .outcomes = every_id_beyond_libc()},

    {.key = id::detach_race,
     .name = "detach_race",
     .asks = "is each finalizer taken exactly once when other threads detach, cancel and call "
             "against the exit?",
     .tools = tool::stress,
     .finalizers = {16, 64},
     .threads = {4, 64},
     .outcomes = every_id(
         {"taken", grade::acceptable, "another thread detached, cancelled or called it in time"},
         {"after_detach", grade::forbidden, "it ran although a detach or cancel had taken it"})},

    {.key = id::deref_storm,
     .name = "deref_storm",
     .asks = "do refs stay safe, and callbacks on their thread, while others hammer refs of dying "
             "threads?",
     .tools = tool::stress,
     .finalizers = {4, 16},
     .threads = {16, 256},
     .outcomes = every_id(
         {"dropped", grade::acceptable, "the last handle of a ref went before its thread did"},
         {"after_drop", grade::forbidden,
          "a ref callback started after its last handle was dropped"},
         {"revived", grade::forbidden, "a ref read null and later a thread again"})},

    {.key = id::mixed,
     .name = "mixed",
     .asks = "do they run whether a thread returns, throws, calls pthread_exit, is cancelled, "
             "detached or stopped?",
     .tools = tool::stress,
     .finalizers = {4, 32},
     .threads = {64, 2000},
     .outcomes = every_id_beyond_libc()},

    {.key = id::waves,
     .name = "waves",
     .asks = "do they when threads of all these ends come in waves, each gone before the next?",
     .tools = tool::stress,
     .finalizers = {4, 32},
     .threads = {256, 4096},
     .outcomes = every_id_beyond_libc()},

    // Shows: PW-03, PW-06, PW-07, PW-14, PW-16, PW-17.
    {.key = id::workers,
     .name = "workers",
     .asks = "do they in trees of workers, a child's before its parent's, however these end?",
     .tools = tool::stress,
     .finalizers = {4, 16},
     .threads = {64, 4000},
     .outcomes = every_id({"parent_first", grade::forbidden,
                           "a finalizer ran while one of its worker's children had some left"})},

    {.key = id::pool,
     .name = "pool",
     .asks = "do finalizers on oneTBB workers run, with and without an orderly end of the pool?",
     .tools = tool::stress,
     .finalizers = {4, 64},
     .threads = {4, 16},
     .outcomes = every_id(
         {"cut_off", grade::interesting,
          "the process ended while its pool's workers lived: their finalizers never ran"})},
};

consteval bool sound() {
  for (int i = 0; const scenario& s : table) {
    if (static_cast<int>(s.key) != i++ || s.name.empty() || s.asks.back() != '?') return false;
    if (s.finalizers.empty()) return false;
    if (in(s.tools, tool::stress) && (s.outcomes[0].name.empty() || s.threads.empty()))
      return false;
    if (in(s.tools, tool::bench) && s.name.find('/') == std::string_view::npos) return false;
  }
  return true;
}
static_assert(
    sound(),
    "rows must be in id order; each needs a question and a size; stress rows need outcomes");

constexpr const scenario& row(id k) {
  return table[static_cast<std::size_t>(k)];
}

// The declared outcome of that name; null: it is forbidden.
constexpr const outcome* find_outcome(const scenario& s, std::string_view name) {
  for (const outcome& o : s.outcomes) {
    if (!name.empty() && o.name == name) return &o;
  }
  return nullptr;
}

// Calls f.template operator()<key>() for every row that names the tool.
template <tool T, class F>
constexpr void for_each_row(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...> /*rows*/) {
    (
        [&] {
          if constexpr (in(table[I].tools, T)) f.template operator()<table[I].key>();
        }(),
        ...);
  }
  (std::make_index_sequence<std::size(table)>{});
}

}  // namespace threadref::scenarios
