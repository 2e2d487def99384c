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

scene::scene(shared_scene& memory, const mechanism& m, std::size_t condition, std::uint64_t seed,
             bool smoke) noexcept
    : subject(m), choices(seed), memory_(memory), condition_(condition), smoke_(smoke) {}

std::uint32_t scene::thread() noexcept {
  if (my_thread == 0) {
    my_thread = memory_.threads.fetch_add(1) + 1;
    THREADREF_CHECK(my_thread < shared_scene::threads_most, "a scene has too many threads");
  }
  return my_thread;
}

scene::offer scene::begin(void (*then)(scene&)) {
  const std::uint32_t id = memory_.used.fetch_add(1);
  THREADREF_CHECK(id < shared_scene::lines_most, "a scene registers too many callbacks");
  line& at = memory_.lines[id];
  at.process.store(getpid());
  at.thread.store(thread());
  at.then = then;
  return {{&fire, &at}, &at};
}

// It may have run before its registration returned, if that was called inside malloc.
void scene::accepted(const offer& o, bool yes) noexcept {
  o.at->made.store(yes ? line::promise::accepted : line::promise::refused);
}

bool scene::attach(void (*then)(scene&)) {
  return attach_by(subject.attach, then);
}

void scene::attach(int count, void (*then)(scene&)) {
  for (int i = 0; i != count; ++i) attach(then);
}

std::function<bool()> scene::attach_detachable(void (*then)(scene&)) {
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

void scene::fire(void* at) {
  auto& me = *static_cast<line*>(at);
  scene& s = here();
  (getpid() == me.process.load() ? me.ran : me.ran_in_fork).fetch_add(1);
  me.stamp.store(s.stamp());
  const std::uint32_t own = me.thread.load();
  if (s.thread() != own) me.elsewhere.store(true);
  if (s.memory_.joined[own].load()) me.late.store(true);
  if (me.then != nullptr) me.then(s);
}

void scene::ask_of_fork() noexcept {
  for (std::uint32_t i = 0; i != memory_.used.load(); ++i) {
    line& l = memory_.lines[i];
    if (l.thread.load() == thread() && l.ran.load() == 0) l.asked_of_fork.store(true);
  }
}

void scene::joined(std::uint32_t thread) noexcept {
  memory_.joined[thread].store(true);
}

int scene::ran() const noexcept {
  const std::size_t used = std::min<std::size_t>(memory_.used.load(), shared_scene::lines_most);
  int all = 0;
  for (std::size_t i = 0; i != used; ++i) all += memory_.lines[i].ran.load();
  return all;
}

void scene::expect_newest_first(std::uint32_t thread) noexcept {
  std::uint32_t newer = 0;
  for (std::uint32_t i = memory_.used.load(); i-- != 0;) {
    const std::uint32_t stamp = memory_.lines[i].stamp.load();
    if (memory_.lines[i].thread.load() != thread || stamp == 0) continue;
    if (stamp < newer) misordered();
    newer = stamp;
  }
}

void scene::misdeed(std::string_view what) noexcept {
  if (memory_.misdeeds.fetch_add(1) == 0) what.copy(memory_.said.data(), memory_.said.size() - 1);
}

void scene::absent(std::string_view why) noexcept {
  why.copy(memory_.said.data(), memory_.said.size() - 1);
  memory_.absent.store(true);
}

}  // namespace threadref::stress
