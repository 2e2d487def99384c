// SPDX-License-Identifier: MIT
// What an event has to work with: in a child process, on memory that the parent reads afterwards,
// however the child ended.
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

// One registration. Atomic, since a thread may be cut off anywhere, and mechanisms may be broken.
struct line {
  enum class promise : std::uint8_t { none, accepted, refused, taken };
  std::atomic<promise> made{promise::none};
  std::atomic<std::uint8_t> ran{0};
  std::atomic<std::uint8_t> ran_in_fork{0};  // in a process that its own forked
  std::atomic<bool> asked_of_fork{false};    // and it must have
  std::atomic<bool> elsewhere{false};
  std::atomic<bool> late{false};
  std::atomic<pid_t> process{0};           // where it was registered
  std::atomic<std::uint32_t> thread{0};    // of the scene, from 1: whose it is
  std::atomic<std::uint32_t> stamp{0};     // when it ran, in the order of the scene; 0: never
  void (*then)(event_context&) = nullptr;  // what it does besides
};

// How the child means to end. What it does not announce is a crash, or somebody else's doing.
struct announced_end {
  std::atomic<int> status{0};
  std::atomic<int> signal{0};
};

// What parent and child share. Fixed size, no pointers that the parent would follow.
struct event_record {
  static constexpr std::size_t max_registrations = 40'000;
  static constexpr std::size_t max_threads = 12'000;
  std::atomic<std::uint32_t> used{0};
  std::atomic<std::uint32_t> threads{0};
  std::atomic<std::uint32_t> stamps{0};
  std::atomic<std::uint32_t> misdeeds{0};
  std::atomic<bool> misordered{false};
  std::atomic<bool> grows{false};
  std::atomic<bool> absent{false};
  announced_end end;
  std::array<char, 160> said{};  // the first misdeed, or why it is absent
  std::array<std::atomic<bool>, max_threads> joined{};
  std::array<line, max_registrations> lines{};
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
  // `real`, or a small part of it where time is short.
  [[nodiscard]] int size(int real) const noexcept { return smoke_ ? (real + 19) / 20 : real; }

  // Registers one callback on the calling thread. `then`, if any, is what it does after it has
  // reported that it runs. False: the mechanism refused, and that is noted. A mechanism that throws
  // has refused.
  bool attach(void (*then)(event_context&) = nullptr);
  void attach(int count, void (*then)(event_context&) = nullptr);
  // The same by how(callback), for mechanisms that the event has loaded itself.
  template <class F>
  bool attach_by(F how, void (*then)(event_context&) = nullptr) {
    const offer o = begin(then);
    const bool yes = try_to([&] { return how(o.what); });
    accepted(o, yes);
    return yes;
  }
  // The same with a way back. Empty: refused. What is taken back must not run.
  std::function<bool()> attach_detachable(void (*then)(event_context&) = nullptr);
  // For other ways of registering: what to register and, afterwards, whether that was accepted. As
  // long as nobody says so, it may be lost.
  struct offer {
    callback what;
    line* at;
  };
  offer begin(void (*then)(event_context&) = nullptr);
  static void accepted(const offer& o, bool yes) noexcept;

  // What this thread has pending must also run, once, in the process that is forked next.
  // Without this nothing may run there.
  void ask_of_fork() noexcept;

  // The number of the calling thread in this scene.
  std::uint32_t thread() noexcept;
  // All that the thread of this number had must have run by now: it was joined.
  void joined(std::uint32_t thread) noexcept;
  // The order of what happened: greater is later. For events that ask what came first.
  std::uint32_t stamp() noexcept { return record_.stamps.fetch_add(1) + 1; }
  // How many callbacks have run so far.
  [[nodiscard]] int ran() const noexcept;
  [[nodiscard]] event_record& record() noexcept { return record_; }

  // Something that was not its own was touched, or a thread was taken for another. The sentence is
  // shown; the first one counts.
  void misdeed(std::string_view what) noexcept;
  // Callbacks ran in another order than newest first, or when what they need was gone.
  void misordered() noexcept { record_.misordered.store(true); }
  // Of one thread, newest first. What never ran, or was refused, is graded elsewhere.
  void expect_newest_first(std::uint32_t thread) noexcept;
  // Its memory grows for as long as a thread lives.
  void grows() noexcept { record_.grows.store(true); }
  // This condition can't be played here, and why.
  void absent(std::string_view why) noexcept;
  // The process is about to end so, on purpose.
  void will_exit_with(int status) noexcept { record_.end.status.store(status); }
  void will_die_by(int signal) noexcept { record_.end.signal.store(signal); }

  // The scene of this process, for callbacks.
  static event_context& current() noexcept { return *current_; }
  static void set_current(event_context* ctx) noexcept { current_ = ctx; }

 private:
  // A mechanism that throws has refused; an unwinding that is no exception goes on.
  template <class F>
  static bool try_to(F attach) {
    try {
      return attach();
    } catch (const std::exception&) {
      return false;
    }
  }
  static void fire(void* at);
  event_record& record_;
  std::size_t condition_;
  bool smoke_;
  static inline event_context* current_ = nullptr;
};

}  // namespace threadref::stress
