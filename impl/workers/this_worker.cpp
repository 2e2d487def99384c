// SPDX-License-Identifier: MIT
#include "workers/this_worker.hpp"

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "threadref/threadref.hpp"
#include "workers/frame.hpp"
#include "workers/incarnation.hpp"
#include "workers/loop.hpp"

namespace threadref::workers {

// The worker of a thread that was not started as a worker. It is created when it is first needed,
// and the exit of that thread destroys it.
class root {
 public:
  static worker_ptr make() {
    auto mine = std::make_unique<root>();
    worker_ptr self = mine->self_;
    finalize([mine = std::move(mine)] { mine->end(); });
    return self;
  }
  root() : self_(new worker(nullptr, named(), true)), here_(self_) {
    run_ = self_->prepare(false);
    run_->began(threadref::current());
  }

 private:
  static worker_options named() {
    worker_options how;
    how.name = absl::StrCat("root-", gettid());
    how.parent = nullptr;
    return how;
  }
  void end() {
    self_->queue_.close();
    self_->refuse_rest();
    for (const worker_ptr& waiting : run_->done()) {
      self_->notify(waiting, events::worker_done, outcome{});
    }
    self_->end_children();
    run_->left();
  }
  worker_ptr self_;
  frame here_;
  std::shared_ptr<incarnation> run_;
};

namespace this_worker {

worker_ptr try_current() noexcept {
  return frame::innermost != nullptr ? frame::innermost->self : nullptr;
}

worker_ptr current_or_root() {
  worker_ptr here = try_current();
  return here != nullptr ? here : root::make();
}

worker_ptr current() {
  if (is_main()) return current_or_root();
  worker_ptr here = try_current();
  if (here == nullptr) throw std::logic_error("the calling thread has no worker");
  return here;
}

bool is_main() noexcept {
  return gettid() == getpid();
}

void exit() {
  loop::exit(*current());
}
void update() {
  loop::update(*current_or_root());
}

std::optional<event> wait_until(absl::FunctionRef<bool(const event&)> condition,
                                timeout_t timeout) {
  return loop::wait(*current_or_root(), condition, timeout);
}
void wait_timeout(steady::duration timeout) {
  wait_until([](const event&) { return false; }, timeout);
}
void wait_forever() {
  wait_until([](const event&) { return false; });
}

std::optional<std::any> wait_event(std::string_view name, timeout_t timeout,
                                   const worker_ptr& target) {
  auto found = wait_until(
      [&](const event& e) { return e.name == name && (target == nullptr || e.target == target); },
      timeout);
  if (!found) return std::nullopt;
  return std::move(found->data);
}

std::optional<outcome> wait_thread(const worker_ptr& other, timeout_t timeout) {
  const worker_ptr self = current_or_root();
  const auto run = loop::last_life(*other);
  if (run == nullptr) return outcome{};
  if (self == other) {
    throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                            "a worker would wait for itself");
  }
  if (!run->add_waiter(self)) return run->what();
  const absl::Cleanup no_longer = [&] { run->remove_waiter(self); };
  // Checks the state and not the event, which a listener that waits for the same worker may take.
  wait_until([&run](const event&) { return run->is_done(); }, timeout);
  if (!run->is_done()) return std::nullopt;
  return run->what();
}

listener_id listen(std::string_view name, listener call, listen_options how) {
  how.permanent = false;
  return current_or_root()->listen(name, std::move(call), std::move(how));
}
void unlisten(listener_id id) {
  current_or_root()->unlisten(id);
}
void fire(event e) {
  current_or_root()->fire(std::move(e));
}
void fire(std::string_view name, std::any data) {
  current_or_root()->fire(name, std::move(data));
}
void bubble(event e) {
  current_or_root()->bubble(std::move(e));
}
void bubble(std::string_view name, std::any data) {
  current_or_root()->bubble(name, std::move(data));
}
void broadcast(event e) {
  current_or_root()->broadcast(std::move(e));
}
void broadcast(std::string_view name, std::any data) {
  current_or_root()->broadcast(name, std::move(data));
}
void parent_fire(event e) {
  current_or_root()->parent_fire(std::move(e));
}
void parent_fire(std::string_view name, std::any data) {
  current_or_root()->parent_fire(name, std::move(data));
}
void children_fire(event e) {
  current_or_root()->children_fire(std::move(e));
}
void children_fire(std::string_view name, std::any data) {
  current_or_root()->children_fire(name, std::move(data));
}

}  // namespace this_worker

}  // namespace threadref::workers
