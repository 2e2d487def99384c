// SPDX-License-Identifier: MIT
#include "stress/matrix/child/staged_worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace {

// Trivially destructible, and so readable to the very end of a thread.
constinit thread_local bool ends = false;

}  // namespace

void say_it_ends(scene& /*in*/) {
  ends = true;
}
bool this_thread_ends() noexcept {
  return ends;
}

void take_its_time(scene& /*in*/) {
  usleep(2'000);
}

ran_between callbacks_of(scene& s, std::uint32_t thread) {
  ran_between all;
  const shared_scene& m = s.memory();
  const std::size_t used = std::min<std::size_t>(m.used.load(), shared_scene::lines_most);
  for (std::size_t i = 0; i != used; ++i) {
    const std::uint32_t stamp = m.lines[i].stamp.load();
    if (m.lines[i].thread.load() != thread || stamp == 0) continue;
    all.first = all.first == 0 ? stamp : std::min(all.first, stamp);
    all.last = std::max(all.last, stamp);
  }
  return all;
}

void must_precede_callbacks(scene& s, std::uint32_t stamp, std::uint32_t thread) {
  const ran_between ran = callbacks_of(s, thread);
  if (ran.first != 0 && stamp >= ran.first) s.misordered();
}

void must_precede(scene& s, std::uint32_t thread, std::uint32_t other) {
  must_precede_callbacks(s, callbacks_of(s, thread).last, other);
}

void expect(scene& s, bool kept, std::string_view otherwise) {
  if (!kept) s.misdeed(otherwise);
}

staged_worker::staged_worker(scene& s, std::function<void()> body, workers::worker_options how)
    : scene_(s) {
  how.on_step = [this](workers::exit_step step) {
    steps_[static_cast<std::size_t>(step)].store(scene_.stamp());
  };
  it_ = workers::worker::make(
      [this, play = std::move(body)] {
        thread_.store(scene_.thread());
        play != nullptr ? play() : workers::this_worker::wait_forever();
      },
      std::move(how));
}

staged_worker::~staged_worker() {
  it_->stop();
  join();
}

void staged_worker::join() {
  it_->join();
  if (thread() != 0) scene_.joined(thread());
}

}  // namespace threadref::stress
