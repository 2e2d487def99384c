// SPDX-License-Identifier: MIT
#include "stress/matrix/child/event_context.hpp"

#include <unistd.h>

#include <algorithm>

#include "testing/check.hpp"

namespace threadref::stress {

namespace {

// Trivially destructible, and so readable to the very end of a thread.
constinit thread_local std::uint32_t my_thread = 0;

}  // namespace

event_context::event_context(event_record& record, const mechanism& m, std::size_t condition,
                             std::uint64_t seed, bool smoke) noexcept
    : subject(m), choices(seed), record_(record), condition_(condition), smoke_(smoke) {}

std::uint32_t event_context::thread() noexcept {
  if (my_thread == 0) {
    my_thread = record_.threads.fetch_add(1) + 1;
    THREADREF_CHECK(my_thread < event_record::max_threads, "an event starts too many threads");
  }
  return my_thread;
}

event_context::offer event_context::begin(void (*then)(event_context&)) {
  const std::uint32_t id = record_.used.fetch_add(1);
  THREADREF_CHECK(id < event_record::max_registrations, "an event registers too many callbacks");
  line& at = record_.lines[id];
  at.process.store(getpid());
  at.thread.store(thread());
  at.then = then;
  return {{&fire, &at}, &at};
}

// It may have run before its registration returned, if that was called inside malloc.
void event_context::accepted(const offer& o, bool yes) noexcept {
  o.at->made.store(yes ? line::promise::accepted : line::promise::refused);
}

bool event_context::attach(void (*then)(event_context&)) {
  return attach_by(subject.attach, then);
}

void event_context::attach(int count, void (*then)(event_context&)) {
  for (int i = 0; i != count; ++i) attach(then);
}

std::function<bool()> event_context::attach_detachable(void (*then)(event_context&)) {
  const offer o = begin(then);
  std::function<bool()> detach;
  const bool yes = try_to([&] {
    detach = subject.attach_detachable(o.what);
    return detach != nullptr;
  });
  accepted(o, yes);
  if (!yes) return nullptr;
  return [o, detach] {
    if (!detach()) return false;
    o.at->made.store(line::promise::taken);
    return true;
  };
}

void event_context::fire(void* at) {
  auto& me = *static_cast<line*>(at);
  event_context& ctx = current();
  (getpid() == me.process.load() ? me.ran : me.ran_in_fork).fetch_add(1);
  me.stamp.store(ctx.stamp());
  const std::uint32_t own = me.thread.load();
  if (ctx.thread() != own) me.elsewhere.store(true);
  if (ctx.record_.joined[own].load()) me.late.store(true);
  if (me.then != nullptr) me.then(ctx);
}

void event_context::ask_of_fork() noexcept {
  for (std::uint32_t i = 0; i != record_.used.load(); ++i) {
    line& l = record_.lines[i];
    if (l.thread.load() == thread() && l.ran.load() == 0) l.asked_of_fork.store(true);
  }
}

void event_context::joined(std::uint32_t thread) noexcept {
  record_.joined[thread].store(true);
}

int event_context::ran() const noexcept {
  const std::size_t used =
      std::min<std::size_t>(record_.used.load(), event_record::max_registrations);
  int all = 0;
  for (std::size_t i = 0; i != used; ++i) all += record_.lines[i].ran.load();
  return all;
}

void event_context::expect_newest_first(std::uint32_t thread) noexcept {
  std::uint32_t newer = 0;
  for (std::uint32_t i = record_.used.load(); i-- != 0;) {
    const std::uint32_t stamp = record_.lines[i].stamp.load();
    if (record_.lines[i].thread.load() != thread || stamp == 0) continue;
    if (stamp < newer) misordered();
    newer = stamp;
  }
}

void event_context::misdeed(std::string_view what) noexcept {
  if (record_.misdeeds.fetch_add(1) == 0) what.copy(record_.said.data(), record_.said.size() - 1);
}

void event_context::absent(std::string_view why) noexcept {
  why.copy(record_.said.data(), record_.said.size() - 1);
  record_.absent.store(true);
}

}  // namespace threadref::stress
