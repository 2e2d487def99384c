// SPDX-License-Identifier: MIT
#include "stress/matrix/child/staged_worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace {

// Trivially destructible, and so readable until the very end of a thread.
constinit thread_local bool ending = false;

}  // namespace

void mark_ending(event_context& /*in*/) {
  ending = true;
}
bool is_ending() noexcept {
  return ending;
}

void run_slowly(event_context& /*in*/) {
  usleep(2'000);
}

callback_span callbacks_of(event_context& ctx, std::uint32_t thread) {
  callback_span all;
  const event_record& m = ctx.record();
  const std::size_t used = std::min<std::size_t>(m.used.load(), event_record::max_registrations);
  for (std::size_t i = 0; i != used; ++i) {
    const std::uint32_t stamp = m.registrations[i].stamp.load();
    if (m.registrations[i].thread.load() != thread || stamp == 0) continue;
    all.first = all.first == 0 ? stamp : std::min(all.first, stamp);
    all.last = std::max(all.last, stamp);
  }
  return all;
}

void must_precede_callbacks(event_context& ctx, std::uint32_t stamp, std::uint32_t thread) {
  const callback_span ran = callbacks_of(ctx, thread);
  if (ran.first != 0 && stamp >= ran.first) ctx.record_misordered();
}

void must_precede(event_context& ctx, std::uint32_t thread, std::uint32_t other) {
  must_precede_callbacks(ctx, callbacks_of(ctx, thread).last, other);
}

void expect(event_context& ctx, bool holds, std::string_view violation) {
  if (!holds) ctx.record_violation(violation);
}

staged_worker::staged_worker(event_context& ctx, std::function<void()> body,
                             workers::worker_options how)
    : ctx_(ctx) {
  how.on_step = [this](workers::exit_step step) {
    steps_[static_cast<std::size_t>(step)].store(ctx_.stamp());
  };
  it_ = workers::worker::make(
      [this, run = std::move(body)] {
        thread_.store(ctx_.thread());
        run != nullptr ? run() : workers::this_worker::wait_forever();
      },
      std::move(how));
}

staged_worker::~staged_worker() {
  it_->stop();
  join();
}

void staged_worker::join() {
  it_->join();
  if (thread() != 0) ctx_.note_joined(thread());
}

}  // namespace threadref::stress
