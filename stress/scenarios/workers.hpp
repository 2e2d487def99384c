// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "stress/engine/scenario.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

// Do all finalizers run, a child's before its parent's, in trees of workers that end in every way?
//
//   stress_threadref --filter=^workers/
//
// A real run (2 CPUs of an Intel Xeon beside other work, Release, 2026-11-21): 27,904 threads in 6
// rounds, 4,000 of them alive at once, and 251,460 finalizers in 11 s, all `once`. With
// --threads=10000 in 23 s: 69,729 threads, 626,237 finalizers, all `once`.
//
// The trees, up to four workers deep, are drawn from the seed: which worker has which parent, how
// each one ends (stopped, returns, calls exit(), fails), which are daemons, and whether a tree is
// torn down serially or all at once. Some leaves are started a second time first. Then half of the
// workers that end by themselves are asked to, children before or after their parents, and all
// roots.
template <backend B>
struct body<scenarios::id::workers, B> {
  // A worker registers one itself, on the default back end: the oldest of its thread.
  static constexpr std::uint64_t own_finalizers = std::is_same_v<B, default_backend> ? 1 : 0;
  // Leaves may live twice.
  static std::size_t threads_in_all(const round& r) { return 2 * r.size(); }

  static void run(round& r, finalizer_ledger& ledger) {
    forest all{r, ledger};
    all.plant();
    all.threads.wait_until_ready();
    all.restart_some();
    all.threads.wait_until_ready();
    all.end();
    r.figures.seen.add("parent_first", all.parent_first.load());
  }

 private:
  enum class ending { stopped, returns, exits, fails };

  struct node {
    node* parent = nullptr;
    int depth = 1;
    ending ends_by = ending::stopped;
    bool lives_twice = false;
    bool is_leaf = true;
    const thread_group::member* member = nullptr;  // of its last life
    std::vector<const node*> children{};           // those that it waits for
    workers::worker_ptr it{};
  };

  struct forest {
    static constexpr int deepest = 4;
    static constexpr int largest = 64;

    forest(round& r, finalizer_ledger& ledger)
        : played(r), threads(r, ledger, threads_in_all(r), nullptr, this), refs(ledger.threads()) {}

    void plant() {
      int left = 0;
      auto how = workers::teardown::serial;
      std::vector<node*> tree;
      while (nodes.size() != played.size() && !round::stopping()) {
        node& n = nodes.emplace_back();
        if (left-- == 0) {
          left = draw(from, 0, largest - 1);
          how = one_in(from, 2) ? workers::teardown::serial : workers::teardown::broadcast;
          tree.clear();
        } else {
          n.parent = tree[draw(from, std::size_t{0}, tree.size() - 1)];
          n.depth = n.parent->depth + 1;
        }
        make(n, how);
        if (!start(n)) return nodes.pop_back();
        if (n.depth != deepest) tree.push_back(&n);
        if (n.parent == nullptr) continue;
        n.parent->is_leaf = false;
        if (!n.it->is_daemon()) n.parent->children.push_back(&n);
      }
    }

    void make(node& n, workers::teardown how) {
      n.ends_by = static_cast<ending>(draw(from, 0, static_cast<int>(ending::fails)));
      n.lives_twice = one_in(from, 4);
      n.it = workers::worker::make(
          [this, &n](const std::any& at) { live(n, *std::any_cast<thread_group::member*>(at)); },
          {.daemon = one_in(from, 8),
           .report_errors = false,
           .parent = n.parent == nullptr ? nullptr : n.parent->it,
           .children = how,
           .stack_bytes = stack_bytes()});
    }
    bool start(node& n) {
      return threads.start_as([&n](thread_group::member& m) {
        n.member = &m;
        n.it->start(&m);
      });
    }

    // Only leaves: the children of any other worker would end with it, and a worker that is started
    // after its parent has ended is never stopped.
    void restart_some() {
      for (node& n : nodes) {
        if (!n.lives_twice || !n.is_leaf || round::stopping()) continue;
        n.it->stop();
        n.it->join();
        threads.count_joined(n.member->index);
        if (!start(n)) return n.member = nullptr, void();
      }
    }

    void end() {
      for (node& n : nodes) {
        if (n.parent != nullptr && n.ends_by != ending::stopped && one_in(from, 2))
          n.it->fire("end");
      }
      for (node& n : nodes) {
        if (n.parent != nullptr) continue;
        n.ends_by == ending::stopped ? n.it->stop() : n.it->fire("end");
      }
      // Roots come before their descendants, so most of these have been joined already.
      for (node& n : nodes) {
        n.it->join();
        if (n.member != nullptr) threads.count_joined(n.member->index);
      }
    }

    // On the node's thread.
    void live(node& n, const thread_group::member& me) {
      me.enter();
      self = this;
      mine = &n;
      me.r->then = &look_at_children;
      if (!one_in(me.r->choices, 4)) refs.watch(*me.r);
      attach_some<B>(*me.r);
      me.ready();
      if (n.ends_by == ending::stopped) workers::this_worker::wait_forever();
      workers::this_worker::wait_event("end");
      if (n.ends_by == ending::exits) workers::this_worker::exit();
      if (n.ends_by == ending::fails) throw std::runtime_error("the worker's own error");
    }

    // In each finalizer: those of all children that this worker waits for must have run.
    static void look_at_children(record& /*r*/) {
      if (mine == nullptr) return;  // on another thread, which is a fault of its own
      for (const node* child : mine->children) {
        const thread_group::member* const at = child->member;
        if (at != nullptr && at->r->ran_at_exit.load() < at->r->registered.load())
          ++self->parent_first;
      }
    }

    round& played;
    generator from{mix(played.seed, "trees")};
    thread_group threads;
    thread_refs<B> refs;
    std::atomic<std::uint64_t> parent_first{0};
    std::deque<node> nodes;
    // Trivially destructible, so readable in finalizers.
    static inline constinit thread_local forest* self = nullptr;
    static inline constinit thread_local const node* mine = nullptr;
  };
};

}  // namespace threadref::stress
