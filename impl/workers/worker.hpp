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

// What a worker does: called on each start with the argument of that start. What it returns is
// result(), what it throws error().
using task = absl::AnyInvocable<std::any(const std::any& argument)>;

// Small enough for tens of thousands at once; sanitizers need more.
inline constexpr std::size_t default_stack_bytes =
    detail::under_tsan || detail::under_asan ? std::size_t{1} << 20U : std::size_t{1} << 18U;

struct worker_options {
  std::string name{};            // empty: worker-<number>
  std::optional<bool> daemon{};  // absent: as the parent
  bool report_errors = true;     // a task that throws is told to the error hook
  // Absent: the current worker of the thread that makes it, unless that is a root. Null: none.
  std::optional<worker_ptr> parent{};
  teardown children = teardown::serial;
  std::size_t stack_bytes = default_stack_bytes;
  // Called on the worker's thread after each step of its end; must not throw.
  std::function<void(exit_step)> on_step{};
};

// Unless said otherwise: any thread may call anything, and it takes a lock or two for a moment.
class worker : public std::enable_shared_from_this<worker> {
 public:
  // No task: it waits for events until it is stopped.
  static worker_ptr make(task what = nullptr, worker_options how = {});
  // A callable that takes nothing or a std::any, and returns nothing, a std::any or any value that
  // can be copied.
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

  // On a new thread; nothing if it runs. It takes events before this returns. If it ran before, the
  // thread of that time is joined first, so that its finalizers have run. Throws std::system_error:
  // no thread to be had, or (resource_deadlock_would_occur) called on the thread that is to be
  // joined. Like all that return it: a reference to this worker.
  worker& start(std::any argument = {});
  // On the calling thread, on top of its current worker; returns when it has ended, whichever way.
  // The thread's finalizers are none of its business: they run when the thread ends.
  worker& start_overlay(const std::any& argument = {});
  // Asks it to end when it has come to this in its queue. Lost if it does not run.
  worker& stop();
  // Asks it to handle events (listeners are called) without going on with its task, until resume().
  // A wait that was interrupted sees afterwards what came meanwhile, or else the next one does.
  worker& pause();
  worker& resume();
  // Returns when its thread has ended natively, finalizers included; at once if it has none. Any
  // number of threads. Throws std::system_error (resource_deadlock_would_occur) on that thread.
  worker& join();
  // The same, at most for so long. False: its finalizers have not all run.
  [[nodiscard]] bool join_for(steady::duration at_most);

  // --- how it stands --------------------------------------------------------------------------

  [[nodiscard]] const std::string& name() const noexcept { return how_.name; }
  [[nodiscard]] bool is_running() const;  // takes events
  [[nodiscard]] worker_state state() const;
  [[nodiscard]] bool is_daemon() const noexcept { return daemon_; }
  [[nodiscard]] bool is_root() const noexcept { return root_; }
  [[nodiscard]] bool is_paused() const;
  // Of the last start. Null, empty: not over, or there was none.
  [[nodiscard]] std::exception_ptr error() const;
  [[nodiscard]] std::any result() const;
  [[nodiscard]] outcome ended_with() const;
  // The thread of the last start, once that thread has begun; its record stays readable.
  [[nodiscard]] thread_handle thread() const;

  // --- parent and children --------------------------------------------------------------------

  [[nodiscard]] worker_ptr parent() const;  // null: none, or it is gone
  // Those that run, or are about to be joined in the teardown.
  [[nodiscard]] std::vector<worker_ptr> children() const;
  // From now on `child` is a child of this worker, of nobody's else; stopped with it.
  worker& adopt(const worker_ptr& child);
  // From now on `child` has no parent. Nothing if it was not a child of this worker.
  worker& disown(const worker_ptr& child);

  // --- events ---------------------------------------------------------------------------------

  // Into its queue; then, if the event asks for it, to all ancestors, to all descendants. An event
  // without a target is about the current worker of the calling thread. A worker that does not run
  // drops it, and the target is sent event_reject.
  worker& fire(event e);
  worker& fire(std::string_view name, std::any data = {});
  // The same without this worker itself: to ancestors, to descendants.
  worker& bubble(event e);
  worker& bubble(std::string_view name, std::any data = {});
  worker& broadcast(event e);
  worker& broadcast(std::string_view name, std::any data = {});
  // One level.
  worker& parent_fire(event e);
  worker& parent_fire(std::string_view name, std::any data = {});
  worker& children_fire(event e);
  worker& children_fire(std::string_view name, std::any data = {});
  // Into its queue, and no more. False: it does not run, and the event was not moved from.
  [[nodiscard]] bool post(event&& e) { return queue_.post(e); }
  // Has it called on the worker's thread, by its event loop. What it throws is reported, and ends
  // nothing. False: it does not run.
  bool invoke(std::function<void()> call);

  // See emitter. On the worker itself listeners are permanent unless said otherwise.
  listener_id listen(std::string_view name, listener call, listen_options how = {}) {
    return listeners_.listen(name, std::move(call), std::move(how));
  }
  void unlisten(listener_id id) { listeners_.unlisten(id); }
  [[nodiscard]] std::size_t listener_count() const { return listeners_.count(); }

  // The worker's own account of an error: to the error hook.
  void report(std::string_view where, const std::exception_ptr& error) const;

 private:
  friend class root;
  friend struct loop;
  enum class ending : std::uint8_t { done, stopped, failed };
  struct enlisted {
    worker_ptr who;
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
  void notify(const worker_ptr& who, std::string_view name, std::any data);
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

  // Locks: starting_, then one link_, then one m_; a link_ is the child's.
  std::mutex starting_;  // one start at a time
  mutable std::mutex link_;
  std::weak_ptr<worker> parent_;
  mutable std::mutex m_;
  std::shared_ptr<incarnation> last_;
  // By number, which is the order in which they were made.
  absl::btree_map<std::uint64_t, enlisted> children_;
  // Threads of children that are no longer among them and were not joined yet.
  std::vector<std::shared_ptr<incarnation>> leaving_;
  std::size_t join_ended_at_ = 16;

  // Of the loop, on the worker's thread.
  std::atomic<bool> paused_{false};
  std::deque<event> missed_;  // seen while paused
  int waits_ = 0;             // one inside the other
};

// What a task, a listener or a call of invoke() threw, where, and by whose. The default writes a
// line to stderr. Returns the one before; null: the default.
using error_hook =
    std::function<void(const worker& by, std::string_view where, const std::exception_ptr& error)>;
error_hook set_error_hook(error_hook hook);

}  // namespace threadref::workers
