// SPDX-License-Identifier: MIT
// worker: a thread with an event loop, a parent and children.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/functional/any_invocable.h>

#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "threadref/config.hpp"
#include "threadref/thread_info.hpp"
#include "workers/emitter.hpp"
#include "workers/event.hpp"
#include "workers/event_queue.hpp"
#include "workers/outcome.hpp"
#include "workers/worker_exit.hpp"

namespace threadref::workers {

class incarnation;

// Called on each start with the argument of that start. What it returns becomes result(), what it
// throws becomes error().
using task = absl::AnyInvocable<std::any(const std::any& argument)>;

// Small enough for tens of thousands of threads; sanitizers need more.
inline constexpr std::size_t default_stack_bytes =
    detail::under_tsan || detail::under_asan ? std::size_t{1} << 20U : std::size_t{1} << 18U;

struct worker_options {
  std::string name{};            // empty: worker-<number>
  std::optional<bool> daemon{};  // absent: like the parent
  bool report_errors = true;     // if the task throws, call the error hook
  // Absent: the current worker of the creating thread, unless that is a root. Null: no parent.
  std::optional<worker_ptr> parent{};
  teardown children = teardown::serial;
  std::size_t stack_bytes = default_stack_bytes;
  // Called on the worker's thread after each step of its end; must not throw.
  std::function<void(exit_step)> on_step{};
};

// Unless documented otherwise, any thread may call any function, which takes a lock or two briefly.
class worker : public std::enable_shared_from_this<worker> {
 public:
  // Without a task it waits for events until it is stopped.
  static worker_ptr make(task what = nullptr, worker_options how = {});
  // Takes a callable that takes nothing or a std::any, and returns nothing, a std::any or any
  // copyable value.
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, task> &&
           (std::is_invocable_v<std::decay_t<F>&> ||
            std::is_invocable_v<std::decay_t<F>&, const std::any&>)) static worker_ptr
      make(F&& what, worker_options how = {}) {
    return make(as_task(std::forward<F>(what)), std::move(how));
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker();

  // --- its life -------------------------------------------------------------------------------

  // Starts it on a new thread, unless it already runs. It takes events before this returns. If it
  // has run before, its old thread is joined first, so that its finalizers have run. Throws
  // std::system_error if the system refuses a thread, or (resource_deadlock_would_occur) if it is
  // called on the thread that would be joined. Returns this worker, as the functions below do.
  worker& start(std::any argument = {});
  // Runs it on the calling thread, on top of its current worker; returns when it has ended, in any
  // way. The finalizers of the thread are not affected: they run when the thread ends.
  worker& start_overlay(const std::any& argument = {});
  // Asks it to end when it gets to this request in its queue. Ignored if it does not run.
  worker& stop();
  // Asks it to handle events (listeners are called) without continuing its task, until resume().
  // The wait that was interrupted, or else the next one, sees the events that came meanwhile.
  worker& pause();
  worker& resume();
  // Returns when its thread has ended natively, after its finalizers; at once if it has no thread.
  // Any number of threads may call it. Throws std::system_error (resource_deadlock_would_occur) on
  // that thread.
  worker& join();
  // The same with a timeout. False: its finalizers have not all run.
  [[nodiscard]] bool join_for(steady::duration at_most);

  // --- its state -----------------------------------------------------------------------------

  [[nodiscard]] const std::string& name() const noexcept { return how_.name; }
  [[nodiscard]] bool is_running() const;  // takes events
  [[nodiscard]] worker_state state() const;
  [[nodiscard]] bool is_daemon() const noexcept { return daemon_; }
  [[nodiscard]] bool is_root() const noexcept { return root_; }
  [[nodiscard]] bool is_paused() const;
  // Of the last start. Null or empty: it is not over, or there was none.
  [[nodiscard]] std::exception_ptr error() const;
  [[nodiscard]] std::any result() const;
  [[nodiscard]] outcome ended_with() const;
  // The thread of the last start, once that thread has begun. It can be read after the thread's
  // end.
  [[nodiscard]] thread_handle thread() const;

  // --- parent and children --------------------------------------------------------------------

  [[nodiscard]] worker_ptr parent() const;  // null: there is none any more
  // The children that run, or are about to be joined in the teardown.
  [[nodiscard]] std::vector<worker_ptr> children() const;
  // Makes `child` a child of this worker, and of no other; it is stopped with this worker.
  worker& adopt(const worker_ptr& child);
  // Removes `child` from its parent, if that is this worker.
  worker& disown(const worker_ptr& child);

  // --- events ---------------------------------------------------------------------------------

  // Puts it into the queue, and if the event asks for it also into those of all ancestors or all
  // descendants. An event without a target gets the current worker of the calling thread as its
  // target. A worker that does not run drops the event, and event_reject is sent to the target.
  worker& fire(event e);
  worker& fire(std::string_view name, std::any data = {});
  // The same without this worker itself: only to ancestors, or only to descendants.
  worker& bubble(event e);
  worker& bubble(std::string_view name, std::any data = {});
  worker& broadcast(event e);
  worker& broadcast(std::string_view name, std::any data = {});
  // Only to the parent, or only to the children.
  worker& parent_fire(event e);
  worker& parent_fire(std::string_view name, std::any data = {});
  worker& children_fire(event e);
  worker& children_fire(std::string_view name, std::any data = {});
  // Puts it into the queue, and no more. False: the worker does not run, and the event is
  // unchanged.
  [[nodiscard]] bool post(event&& e) { return queue_.post(e); }
  // The worker's event loop calls the function, on its thread. What it throws is reported and ends
  // nothing. False: the worker does not run.
  bool invoke(std::function<void()> call);

  // See emitter. Listeners of a worker are permanent by default.
  listener_id listen(std::string_view name, listener call, listen_options how = {}) {
    return listeners_.listen(name, std::move(call), std::move(how));
  }
  void unlisten(listener_id id) { listeners_.unlisten(id); }
  [[nodiscard]] std::size_t listener_count() const { return listeners_.count(); }

  // Reports an error of this worker to the error hook.
  void report(std::string_view where, const std::exception_ptr& error) const;

 private:
  friend class root;
  friend struct loop;
  enum class ending : std::uint8_t { done, stopped, failed };
  struct enlisted {
    worker_ptr child;
    bool stop_requested = false;
  };
  struct launch;
  struct life;
  worker(task what, worker_options how, bool root);

  std::shared_ptr<incarnation> last() const;
  bool may_start() const;
  std::shared_ptr<incarnation> prepare(bool has_thread);
  static void* begin(void* launched);
  void live(const std::shared_ptr<incarnation>& run, const std::any& argument);
  std::any perform(const std::any& argument);
  void finish(life& mine, ending how, const outcome& what);
  void finish_drained(life& mine);
  void notify_ending(ending how, const outcome& what);
  void at_thread_exit();
  void step(exit_step done) const;

  void enlist();
  void leave_parent(const std::shared_ptr<incarnation>& run);
  void join_ended();
  void stop_descendants();
  void end_children();
  bool end_one_child();
  bool join_leaving();

  void deliver(event e);
  void refuse(event e);
  void refuse_rest();
  void notify(const worker_ptr& to, std::string_view name, std::any data);
  void notify_parent(std::string_view name, std::any data) {
    notify(parent(), name, std::move(data));
  }
  void send_up(const event& e);
  void send_down(const event& e);
  void to_children(const event& e);

  template <class F>
  static task as_task(F&& what) {
    return [call = std::forward<F>(what)](const std::any& argument) mutable -> std::any {
      auto run = [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<std::decay_t<F>&, const std::any&>) {
          return std::invoke(call, argument);
        } else {
          return std::invoke(call);
        }
      };
      if constexpr (std::is_void_v<decltype(run())>) {
        run();
        return {};
      } else {
        return run();
      }
    };
  }

  task what_;
  const std::uint64_t number_;
  const bool root_;
  worker_options how_;
  const bool daemon_;
  event_queue queue_;
  emitter listeners_;

  // Lock order: starting_, then one link_, then one m_. The link_ is always the child's.
  std::mutex starting_;  // one start at a time
  mutable std::mutex link_;
  std::weak_ptr<worker> parent_;
  mutable std::mutex m_;
  std::shared_ptr<incarnation> last_;
  // By number, which is the order of their creation.
  absl::btree_map<std::uint64_t, enlisted> children_;
  // Threads of former children that have not been joined yet.
  std::vector<std::shared_ptr<incarnation>> leaving_;
  std::size_t join_ended_at_ = 16;

  // State of the loop, used on the worker's thread.
  std::atomic<bool> paused_{false};
  std::deque<event> missed_;  // seen while paused
  int waits_ = 0;             // how deep waits are nested
};

// Called with what a task, a listener or a call of invoke() threw, and where. The default writes a
// line to stderr. set_error_hook() returns the previous hook; null means the default.
using error_hook =
    std::function<void(const worker& by, std::string_view where, const std::exception_ptr& error)>;
error_hook set_error_hook(error_hook hook);

}  // namespace threadref::workers
