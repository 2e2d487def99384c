// SPDX-License-Identifier: MIT
// Workers with parents and children.
#include <absl/container/flat_hash_set.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "stress/matrix/child/staged_worker.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace of_worker_tree {
namespace {

namespace this_worker = workers::this_worker;
using workers::exit_step;
using workers::teardown;

constexpr int some = 8;  // callbacks of a thread

// What is reported to the parent of a worker, and when. The newest callback of the child waits
// until the parent knows of the child's end.
testing::gate parent_knows;

int parent_is_notified(event_context& ctx) {
  std::atomic<std::uint32_t> began{0};
  std::atomic<std::uint32_t> over{0};
  std::atomic<std::uint32_t> gone{0};
  std::optional<staged_worker> child;
  const std::string_view ends[] = {workers::events::child_done, workers::events::child_error,
                                   workers::events::child_stop};
  staged_worker parent(ctx, [&] {
    ctx.attach(some);
    child.emplace(
        ctx,
        [&ctx] {
          ctx.attach(some);
          ctx.attach([](event_context& /*in*/) { parent_knows.wait(); });
          if (ctx.condition() == 1) throw std::runtime_error("from a task");
          if (ctx.condition() == 2) this_worker::wait_forever();
        },
        workers::worker_options{.report_errors = false});
    const auto note = [&](std::string_view name, std::atomic<std::uint32_t>& at) {
      this_worker::listen(name, [&](const workers::event& e) {
        if (e.target == child->it() && at.load() == 0) at.store(ctx.stamp());
      });
    };
    note(workers::events::child_start, began);
    note(ends[ctx.condition()], over);
    note(workers::events::child_end, gone);
    (*child)->start();
    if (ctx.condition() == 2) (*child)->stop();
    this_worker::wait_event(workers::events::child_end, {}, child->it());
    expect(ctx, parent->children().empty(), "a child that ended is still listed as a child");
    parent_knows.open();
  });
  parent->start();
  parent.join();
  child->join();
  expect(ctx, began.load() != 0 && began.load() < over.load() && over.load() < gone.load(),
         "a parent was not notified of its child in the right order");
  must_precede_callbacks(ctx, child->stamp_of(exit_step::parent_told_end), child->thread());
  return 0;
}

// A tree of workers. Each node waits until it is stopped.
struct tree {
  event_context& ctx;
  teardown how;
  int fan_out;
  std::atomic<int> ready{0};
  // The worker comes before its children, so that they are destroyed first.
  struct node {
    std::optional<staged_worker> w;
    std::vector<std::unique_ptr<node>> children;
  };

  int grow(node& at, int depth) {
    int nodes = 1;
    if (depth > 1) {
      for (int i = 0; i != fan_out; ++i) at.children.push_back(std::make_unique<node>());
    }
    for (const auto& child : at.children) nodes += grow(*child, depth - 1);
    at.w.emplace(
        ctx, [this, &at] { live(at); }, workers::worker_options{.children = how});
    return nodes;
  }
  void live(const node& at) {
    ctx.attach(some / 2);
    for (const auto& child : at.children) {
      (*at.w)->adopt(child->w->it());
      (*child->w)->start();
    }
    ctx.attach(some / 2);
    ++ready;
    this_worker::wait_forever();
  }
  template <class F>
  static void each(node& from, F f) {
    for (const auto& child : from.children) {
      f(from, *child);
      each(*child, f);
    }
  }
};

int torn_down(event_context& ctx) {
  const bool alone = ctx.condition() >= 2;
  tree all{ctx, ctx.condition() % 2 == 0 ? teardown::serial : teardown::broadcast, 3};
  tree::node root;
  const int nodes = all.grow(root, 4);
  (*root.w)->start();
  wait_until([&] { return all.ready.load() == nodes; });
  if (alone) {
    generator from = ctx.choices;
    tree::each(root, [&](tree::node& /*parent*/, tree::node& child) {
      if (child.children.empty() && one_in(from, 2)) (*child.w)->stop();
    });
  }
  (*root.w)->stop();
  root.w->join();
  // All threads were joined: callbacks that run from now on are late.
  tree::each(
      root, [&](tree::node& /*parent*/, tree::node& child) { ctx.note_joined(child.w->thread()); });
  tree::each(root, [&](tree::node& parent, tree::node& child) {
    must_precede(ctx, child.w->thread(), parent.w->thread());
  });
  return 0;
}

int orphaned(event_context& ctx) {
  std::optional<staged_worker> orphan;
  testing::gate lives;
  {
    staged_worker creator(ctx, [&] {
      ctx.attach(some);
      const auto body = [&] {
        ctx.attach(some);
        lives.open();
        this_worker::wait_forever();
      };
      if (ctx.condition() == 0)
        orphan.emplace(ctx, body, workers::worker_options{.parent = nullptr});
      if (ctx.condition() == 1) {
        orphan.emplace(ctx, body);
        creator->disown(orphan->it());
      }
      (*orphan)->start();
    });
    creator->start();
    creator.join();
  }
  lives.wait();
  expect(ctx, (*orphan)->is_running() && (*orphan)->parent() == nullptr,
         "a worker without a parent ended with its creator");
  if (callbacks_of(ctx, orphan->thread()).first != 0) ctx.record_misordered();
  (*orphan)->stop();
  orphan->join();
  return 0;
}

// Children end before their parent. Each removes itself from a set that they share, under a lock.
std::mutex shared_lock;
absl::flat_hash_set<std::uint32_t> shared_set;

void leave_the_set(event_context& ctx) {
  const std::lock_guard lock(shared_lock);
  shared_set.erase(ctx.thread());
}

int end_before_parent(event_context& ctx) {
  testing::gate all_there;
  staged_worker parent(ctx);
  std::vector<std::unique_ptr<staged_worker>> children;
  for (int i = 0; i != ctx.size(100); ++i) {
    children.push_back(std::make_unique<staged_worker>(
        ctx,
        [&] {
          {
            const std::lock_guard lock(shared_lock);
            shared_set.insert(ctx.thread());
          }
          ctx.attach(&leave_the_set);
          ctx.attach(&run_slowly);
          all_there.wait();
        },
        workers::worker_options{.parent = parent.it()}));
  }
  parent->start();
  for (const auto& child : children) (*child)->start();
  expect(ctx, parent->children().size() == children.size(),
         "a running child is not listed as a child");
  all_there.open();
  wait_until([&] { return parent->children().empty(); });
  parent->stop();
  parent.join();  // which joins the threads of all children
  for (const auto& child : children) ctx.note_joined(child->thread());
  const std::lock_guard lock(shared_lock);
  const auto ran = static_cast<std::size_t>(ctx.ran());
  if (ran == 2 * children.size())
    expect(ctx, shared_set.empty(), "a callback removed another thread from the set");
  return 0;
}

// Events travel up and down the tree while it is torn down. None may arrive at a worker whose
// callbacks run.
int stormed(event_context& ctx) {
  tree all{ctx, ctx.condition() == 0 ? teardown::serial : teardown::broadcast, 2};
  tree::node root;
  const int nodes = all.grow(root, 3);
  std::atomic<int> received{0};
  const auto on_event = [&](const workers::event& /*e*/) {
    ++received;
    if (is_ending()) ctx.record_misordered();
    if (received.load() < 200) ctx.attach(&mark_ending);
  };
  (*root.w)->listen("storm", on_event);
  tree::each(root, [&](tree::node& /*parent*/, tree::node& child) {
    (*child.w)->listen("storm", on_event);
  });
  tree::node& leaf = *root.children.back()->children.back();
  (*root.w)->start();
  wait_until([&] { return all.ready.load() == nodes; });
  std::atomic<bool> over{false};
  std::atomic<int> sent{0};
  // Not faster than the workers handle them: a worker handles its whole queue before it ends.
  const auto storm = [&](tree::node& from, const workers::event& e) {
    for (; !over.load(); sched_yield()) {
      if (sent.load() > received.load() + 100) continue;
      (*from.w)->fire(e);
      ++sent;
    }
  };
  posix_thread down(ctx, [&] { storm(root, {.name = "storm", .broadcast = true}); });
  posix_thread up(ctx, [&] { storm(leaf, {.name = "storm", .bubble = true}); });
  wait_until([&] { return received.load() > 10 * nodes; });
  (*root.w)->stop();
  root.w->join();
  over.store(true);
  tree::each(root, [&](tree::node& parent, tree::node& child) {
    ctx.note_joined(child.w->thread());
    must_precede(ctx, child.w->thread(), parent.w->thread());
  });
  return 0;
}

constexpr event rows[] = {
    // Shows: PW-15, PW-48.
    {.name = "worker/notify_order",
     .asks = "do a worker's callbacks run after its parent knows of its end?",
     .run = &parent_is_notified,
     .conditions = {{{"it returns"}, {"it throws"}, {"it is stopped"}}}},
    // Shows: PW-16.
    {.name = "worker/tree_teardown",
     .asks = "have all of a child's run before the first of its parent's, in a tree of workers?",
     .run = &torn_down,
     .conditions = {{{"one by one"},
                     {"all at once"},
                     {"one by one, some gone before"},
                     {"all at once, some gone before"}}}},
    // Shows: PW-19.
    {.name = "worker/orphan",
     .asks = "do they run when a worker outlives the one that made it?",
     .run = &orphaned,
     .conditions = {{{"without a parent"}, {"disowned by its parent"}}}},
    // Shows: PW-20.
    {.name = "worker/self_detach",
     .asks = "do they, under a lock that all share, when children end before their parent?",
     .run = &end_before_parent},
    // Shows: PW-31.
    {.name = "worker/bubble_broadcast",
     .asks = "do no events arrive where they run, in a tree that ends in a storm of events?",
     .run = &stormed,
     .conditions = {{{"one by one"}, {"all at once"}}}},
};

}  // namespace
}  // namespace of_worker_tree

std::span<const event> worker_tree_events() {
  return of_worker_tree::rows;
}

}  // namespace threadref::stress
