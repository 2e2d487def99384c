// SPDX-License-Identifier: MIT
#include "stress/matrix/child/event_context.hpp"

#include <unistd.h>

#include <algorithm>

#include "testing/check.hpp"

namespace threadref::stress {

namespace {

// Trivially destructible, and so readable until the very end of a thread.
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

event_context::attempt event_context::begin_attach(void (*then)(event_context&)) {
  const std::uint32_t id = record_.used.fetch_add(1);
  THREADREF_CHECK(id < event_record::max_registrations, "an event registers too many callbacks");
  registration& entry = record_.registrations[id];
  entry.process.store(getpid());
  entry.thread.store(thread());
  entry.then = then;
  return {{&run_callback, &entry}, &entry};
}

// By now the callback may have run, if the registration was made inside malloc.
void event_context::end_attach(const attempt& tried, bool accepted) noexcept {
  tried.entry->status.store(accepted ? registration_status::accepted
                                     : registration_status::refused);
}

bool event_context::attach(void (*then)(event_context&)) {
  return attach_by(subject.attach, then);
}

bool event_context::attach_early(void (*then)(event_context&)) {
  return attach_by(subject.attach_early != nullptr ? subject.attach_early : subject.attach, then);
}

void event_context::attach(int count, void (*then)(event_context&)) {
  for (int i = 0; i != count; ++i) attach(then);
}

std::function<bool()> event_context::attach_detachable(void (*then)(event_context&)) {
  const attempt tried = begin_attach(then);
  std::function<bool()> detach;
  const bool accepted = try_to([&] {
    detach = subject.attach_detachable(tried.what);
    return detach != nullptr;
  });
  end_attach(tried, accepted);
  if (!accepted) return nullptr;
  return [tried, detach] {
    if (!detach()) return false;
    tried.entry->status.store(registration_status::removed);
    return true;
  };
}

void event_context::run_callback(void* entry) {
  auto& me = *static_cast<registration*>(entry);
  event_context& ctx = current();
  (getpid() == me.process.load() ? me.ran : me.ran_in_fork).fetch_add(1);
  me.stamp.store(ctx.stamp());
  const std::uint32_t own = me.thread.load();
  if (ctx.thread() != own) me.on_other_thread.store(true);
  if (ctx.record_.joined[own].load()) me.after_join.store(true);
  if (me.then != nullptr) me.then(ctx);
}

void event_context::expect_in_fork() noexcept {
  for (std::uint32_t i = 0; i != record_.used.load(); ++i) {
    registration& r = record_.registrations[i];
    if (r.thread.load() == thread() && r.ran.load() == 0) r.expected_in_fork.store(true);
  }
}

void event_context::note_joined(std::uint32_t thread) noexcept {
  record_.joined[thread].store(true);
}

int event_context::ran() const noexcept {
  const std::size_t used =
      std::min<std::size_t>(record_.used.load(), event_record::max_registrations);
  int all = 0;
  for (std::size_t i = 0; i != used; ++i) all += record_.registrations[i].ran.load();
  return all;
}

void event_context::expect_newest_first(std::uint32_t thread) noexcept {
  std::uint32_t newer = 0;
  for (std::uint32_t i = record_.used.load(); i-- != 0;) {
    const std::uint32_t stamp = record_.registrations[i].stamp.load();
    if (record_.registrations[i].thread.load() != thread || stamp == 0) continue;
    if (stamp < newer) record_misordered();
    newer = stamp;
  }
}

void event_context::record_violation(std::string_view message) noexcept {
  if (record_.violations.fetch_add(1) == 0)
    message.copy(record_.message.data(), record_.message.size() - 1);
}

void event_context::record_absent(std::string_view why) noexcept {
  why.copy(record_.message.data(), record_.message.size() - 1);
  record_.absent.store(true);
}

}  // namespace threadref::stress
