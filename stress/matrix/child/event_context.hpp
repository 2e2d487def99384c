// SPDX-License-Identifier: MIT
// What an event works with, in a child process. It records what happens in memory that the parent
// reads afterwards, however the child ended.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <string_view>

#include "stress/engine/draw.hpp"
#include "stress/matrix/model/mechanism.hpp"

namespace threadref::stress {

class event_context;

enum class registration_status : std::uint8_t {
  unconfirmed,  // end_attach() was not called: the thread was cut off, or it may be lost
  accepted,
  refused,
  removed,  // in time: it must not run
};

// One registration. Atomic, since a thread may be cut off anywhere, and mechanisms may be broken.
struct registration {
  std::atomic<registration_status> status{registration_status::unconfirmed};
  std::atomic<std::uint8_t> ran{0};
  std::atomic<std::uint8_t> ran_in_fork{0};   // in a process that its own process forked
  std::atomic<bool> expected_in_fork{false};  // it must run there, too
  std::atomic<bool> on_other_thread{false};   // it ran on another thread than its own
  std::atomic<bool> after_join{false};        // it ran after its thread was joined
  std::atomic<pid_t> process{0};              // where it was registered
  std::atomic<std::uint32_t> thread{0};       // the number of its thread, from 1
  std::atomic<std::uint32_t> stamp{0};        // when it ran (see event_context::stamp); 0: never
  void (*then)(event_context&) = nullptr;     // called by the callback
};

// How the child means to end. An end that it does not announce is a crash, or came from outside.
struct announced_end {
  std::atomic<int> status{0};
  std::atomic<int> signal{0};
};

// What parent and child share. Its size is fixed, and the parent follows no pointer in it.
struct event_record {
  static constexpr std::size_t max_registrations = 40'000;
  static constexpr std::size_t max_threads = 12'000;
  std::atomic<std::uint32_t> used{0};  // how many registrations there are
  std::atomic<std::uint32_t> threads{0};
  std::atomic<std::uint32_t> stamps{0};
  std::atomic<std::uint32_t> violations{0};
  std::atomic<bool> misordered{false};
  std::atomic<bool> grows{false};
  std::atomic<bool> absent{false};
  announced_end end;
  std::array<char, 160> message{};  // the first violation, or why it is absent
  std::array<std::atomic<bool>, max_threads> joined{};
  std::array<registration, max_registrations> registrations{};
};

class event_context {
 public:
  event_context(event_record& record, const mechanism& m, std::size_t condition, std::uint64_t seed,
                bool smoke) noexcept;
  event_context(const event_context&) = delete;
  event_context& operator=(const event_context&) = delete;

  const mechanism& subject;
  generator choices;  // of the main thread
  [[nodiscard]] std::size_t condition() const noexcept { return condition_; }
  // `full`, or a twentieth of it in a smoke run.
  [[nodiscard]] int size(int full) const noexcept { return smoke_ ? (full + 19) / 20 : full; }

  // Registers a callback on the calling thread. The callback records that it runs, and then calls
  // `then`, if any. False: the mechanism refused, which is recorded. A mechanism that throws has
  // refused.
  bool attach(void (*then)(event_context&) = nullptr);
  void attach(int count, void (*then)(event_context&) = nullptr);
  // The same, where possible in time to find thread_locals.
  bool attach_early(void (*then)(event_context&) = nullptr);
  // The same by how(callback), for mechanisms that the event has loaded itself.
  template <class F>
  bool attach_by(F how, void (*then)(event_context&) = nullptr) {
    const attempt tried = begin_attach(then);
    const bool accepted = try_to([&] { return how(tried.what); });
    end_attach(tried, accepted);
    return accepted;
  }
  // The same, and returns a function that removes it. Empty: refused. What was removed must not
  // run.
  std::function<bool()> attach_detachable(void (*then)(event_context&) = nullptr);
  // For other ways of registering: begin_attach() says what to register, and end_attach() records
  // whether that was accepted. A callback without end_attach() may be lost.
  struct attempt {
    callback what;
    registration* entry;
  };
  attempt begin_attach(void (*then)(event_context&) = nullptr);
  static void end_attach(const attempt& tried, bool accepted) noexcept;

  // What the calling thread has pending must run once in the next forked process, too. Without this
  // nothing may run there.
  void expect_in_fork() noexcept;

  // The number of the calling thread in this event.
  std::uint32_t thread() noexcept;
  // The thread of this number was joined: all of its callbacks must have run by now.
  void note_joined(std::uint32_t thread) noexcept;
  // A greater stamp is later. For events that ask what came first.
  std::uint32_t stamp() noexcept { return record_.stamps.fetch_add(1) + 1; }
  // How many callbacks have run so far.
  [[nodiscard]] int ran() const noexcept;
  [[nodiscard]] event_record& record() noexcept { return record_; }

  // The mechanism touched what is not its own, or took one thread for another. The report shows the
  // first message.
  void record_violation(std::string_view message) noexcept;
  // Callbacks did not run newest first, or ran when what they need was gone.
  void record_misordered() noexcept { record_.misordered.store(true); }
  // Checks that the callbacks of one thread ran newest first. Those that never ran, or were
  // refused, are graded elsewhere.
  void expect_newest_first(std::uint32_t thread) noexcept;
  // Memory grows for as long as a thread lives.
  void record_growth() noexcept { record_.grows.store(true); }
  // This condition can't be run here, and why.
  void record_absent(std::string_view why) noexcept;
  // The process is about to end like this, on purpose.
  void will_exit_with(int status) noexcept { record_.end.status.store(status); }
  void will_die_by(int signal) noexcept { record_.end.signal.store(signal); }

  // The context of this process, for callbacks.
  static event_context& current() noexcept { return *current_; }
  static void set_current(event_context* ctx) noexcept { current_ = ctx; }

 private:
  // A mechanism that throws a std::exception has refused. Any other unwinding (pthread_exit,
  // cancellation) goes on.
  template <class F>
  static bool try_to(F attach) {
    try {
      return attach();
    } catch (const std::exception&) {
      return false;
    }
  }
  static void run_callback(void* entry);
  event_record& record_;
  std::size_t condition_;
  bool smoke_;
  static inline event_context* current_ = nullptr;
};

}  // namespace threadref::stress
