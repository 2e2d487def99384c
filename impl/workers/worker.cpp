// SPDX-License-Identifier: MIT
#include "workers/worker.hpp"

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>

#include <system_error>

#include "workers/frame.hpp"
#include "workers/incarnation.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {

namespace {

std::uint64_t next_number() {
  static constinit std::atomic<std::uint64_t> last{0};
  return ++last;
}

worker_options named(worker_options how, std::uint64_t number) {
  if (how.name.empty()) how.name = absl::StrCat("worker-", number);
  // By default a root is not a parent.
  if (!how.parent) {
    const worker_ptr maker = this_worker::try_current();
    how.parent = maker != nullptr && !maker->is_root() ? maker : nullptr;
  }
  return how;
}

}  // namespace

worker::worker(task what, worker_options how, bool root)
    : what_(std::move(what)),
      number_(next_number()),
      root_(root),
      how_(named(std::move(how), number_)),
      daemon_(how_.daemon.value_or(*how_.parent != nullptr && (*how_.parent)->is_daemon())),
      parent_(*how_.parent) {
  // A child must not keep its parent alive. Parents keep children alive, and only while these run.
  how_.parent.reset();
}

worker::~worker() = default;

worker_ptr worker::make(task what, worker_options how) {
  return worker_ptr(new worker(std::move(what), std::move(how), false));
}

std::shared_ptr<incarnation> worker::last() const {
  const std::scoped_lock lock(m_);
  return last_;
}

// Returns null if it runs already. Requires `starting_`.
std::shared_ptr<incarnation> worker::prepare(bool has_thread) {
  if (queue_.is_open()) return nullptr;
  // So the lives of a worker never overlap: its listeners, its result and its place in the parent's
  // teardown belong to one life.
  if (const auto before = last()) before->join();
  auto run = std::make_shared<incarnation>(has_thread);
  {
    const std::scoped_lock lock(m_);
    last_ = run;
  }
  queue_.open();
  enlist();
  return run;
}

struct worker::launch {
  worker_ptr self;
  std::shared_ptr<incarnation> run;
  std::any argument;
};

// Called before `starting_` is taken, because its holder may be joining the calling thread.
bool worker::may_start() const {
  if (queue_.is_open()) return false;
  if (const auto before = last()) before->refuse_own_thread();
  return true;
}

worker& worker::start(std::any argument) {
  if (!may_start()) return *this;
  const std::scoped_lock lock(starting_);
  const auto run = prepare(true);
  if (run == nullptr) return *this;
  auto launched = std::make_unique<launch>(launch{shared_from_this(), run, std::move(argument)});
  absl::Cleanup call_off = [this, &run] {
    queue_.close();
    refuse_rest();
    run->left();
    leave_parent(run);
  };
  run->launch(how_.stack_bytes, &worker::begin, launched.get());
  std::move(call_off).Cancel();
  static_cast<void>(launched.release());  // its thread owns it now
  return *this;
}

void* worker::begin(void* launched) {
  const std::unique_ptr<launch> mine(static_cast<launch*>(launched));
  pthread_setname_np(pthread_self(), mine->self->name().substr(0, 15).c_str());
  mine->self->live(mine->run, mine->argument);
  return nullptr;
}

worker& worker::start_overlay(const std::any& argument) {
  if (!may_start()) return *this;
  std::shared_ptr<incarnation> run;
  {
    const std::scoped_lock lock(starting_);
    run = prepare(false);
  }
  const worker_ptr self = shared_from_this();
  if (run != nullptr) live(run, argument);
  return *this;
}

worker& worker::join() {
  if (const auto run = last()) run->join();
  return *this;
}

bool worker::join_for(steady::duration at_most) {
  const auto run = last();
  return run == nullptr || run->join_until(steady::now() + at_most);
}

bool worker::is_running() const {
  return queue_.is_open();
}
bool worker::is_paused() const {
  return paused_.load();
}

worker_state worker::state() const {
  const auto run = last();
  if (run == nullptr) return worker_state::idle;
  return queue_.is_open() ? worker_state::running : run->state();
}

outcome worker::ended_with() const {
  const auto run = last();
  return run != nullptr ? run->what() : outcome{};
}
std::exception_ptr worker::error() const {
  return ended_with().error;
}
std::any worker::result() const {
  return ended_with().result;
}

thread_handle worker::thread() const {
  const auto run = last();
  return run != nullptr ? run->thread() : thread_handle{};
}

}  // namespace threadref::workers
