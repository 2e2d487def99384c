// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <algorithm>
#include <numeric>

#include "stress/engine/scenario.hpp"

namespace threadref::stress {

// Is each finalizer claimed exactly once when other threads detach, cancel and call it during exit?
//
//   stress_threadref --filter=^detach_race/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), 112,000 threads on one back end:
//   taken    587,925  16.0 %  acceptable  another thread detached, cancelled or called it in time
//   once   3,076,391  84.0 %  acceptable  every finalizer ran exactly once, on its own thread
//
// Three threads go over the handles of all owners, each in its own order, and remove registrations
// while the owners remove some themselves and exit. When all are joined, every handle must report
// "gone" and claim nothing.
template <backend B>
struct body<scenarios::id::detach_race, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    race all(r, ledger);
    thread_group owners(r, ledger, r.size(), &own, &all);
    owners.start_all();
    owners.wait_until_ready();
    pthread_t ids[removers];
    remover them[removers];
    int started = 0;
    for (remover& t : them) {
      t = {&all, mix(r.seed, 1'000'000 + static_cast<std::uint64_t>(started)), owners.started()};
      if (start_thread(ids[started], &remove_all, &t) != 0) break;
      ++started;
    }
    all.go.open();
    owners.join_all();
    for (int t = 0; t != started; ++t) THREADREF_CHECK_CALL(pthread_join(ids[t], nullptr));
    try_stale(all, owners.started());
  }

 private:
  static constexpr int removers = 3;
  struct target {
    finalizer<void, B> handle;
    std::uint32_t id;
  };
  struct race {
    race(const round& r, finalizer_ledger& l)
        : ledger(l), refs(l.threads()), targets(l.threads()), seed(r.seed) {}
    finalizer_ledger& ledger;
    thread_refs<B> refs;
    std::vector<std::vector<target>> targets;  // per owner, written before it is ready
    std::uint64_t seed;
    testing::gate go;
  };
  struct remover {
    race* in = nullptr;
    std::uint64_t seed = 0;
    std::size_t owners = 0;
  };

  // One attempt. Some only look, which must change nothing.
  static void attempt(generator& from, record& r, const target& t) {
    finalizer_ledger& ledger = *r.ledger;
    explicit_run run(r, t.id);
    switch (draw(from, 0, 9)) {
      case 0:
      case 1:
      case 2:
        if (t.handle()) {
          ledger.called(r, t.id, run.ran);
        } else if (run.ran != 0) {
          ledger.ran_unclaimed(r, t.id);
        }
        return;
      case 3:
      case 4: {
        auto detached = t.handle.detach();
        if (!detached) return;
        ledger.detached(r, t.id);
        if (one_in(from, 2)) return;  // dropped without a call
        static_cast<void>((*detached)());
        static_cast<void>((*detached)());  // returns nothing the second time
        if (run.ran != 1) ledger.record_fault(r, t.id, fault::corrupt);
        return;
      }
      case 5:
      case 6:
      case 7:
        if (!t.handle.cancel()) return;
        ledger.detached(r, t.id);
        if (ledger.holds_token(r, t.id))
          ledger.record_fault(r, t.id, fault::corrupt);  // destroyed at once
        return;
      case 8:
        static_cast<void>(t.handle.peek());
        return;
      default:
        static_cast<void>(t.handle.alive());
        if (my_number == r.number || !one_in(from, 16)) return;
        t.handle.wait();
        if (t.handle.state() != finalizer_state::gone) ledger.record_fault(r, t.id, fault::corrupt);
    }
  }

  static void* own(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    auto& all = *static_cast<race*>(me.shared);
    record& r = *me.r;
    me.enter();
    all.refs.watch(r);
    std::vector<target>& mine = all.targets[me.index];
    const int n = draw(r.choices, 1, static_cast<int>(r.ledger->finalizers()));
    for (int i = 0; i != n; ++i) {
      std::uint32_t id = no_id;
      const finalizer<void, B> handle = attach<B>(r, id);
      mine.push_back({handle, id});
    }
    me.ready();
    all.go.wait();
    // Some race at once, some give the removers a head start.
    for (int i = draw(r.choices, 0, 3); i > 0; --i) sched_yield();
    if (one_in(r.choices, 2)) {
      for (const target& t : mine) {
        if (one_in(r.choices, 4)) attempt(r.choices, r, t);
      }
    }
    return nullptr;
  }

  static void* remove_all(void* at) {
    const remover& me = *static_cast<remover*>(at);
    race& all = *me.in;
    generator from(me.seed);
    std::vector<std::size_t> order(me.owners);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), from);
    all.go.wait();
    for (const std::size_t owner : order) {
      std::vector<target>& theirs = all.targets[owner];
      record& r = all.ledger.at(owner);
      // The exit goes from the newest to the oldest; go the same way or the other.
      const bool newest_first = one_in(from, 2);
      for (std::size_t i = 0; i != theirs.size(); ++i)
        attempt(from, r, theirs[newest_first ? theirs.size() - 1 - i : i]);
    }
    return nullptr;
  }

  // All owners are joined: their handles report "gone" and claim nothing.
  static void try_stale(race& all, std::size_t owners) {
    for (std::size_t owner = 0; owner != owners; ++owner) {
      record& r = all.ledger.at(owner);
      for (const target& t : all.targets[owner]) {
        if (t.handle.state() != finalizer_state::gone || t.handle.cancel() || t.handle())
          r.ledger->record_fault(r, t.id, fault::after_join);
      }
    }
  }
};

}  // namespace threadref::stress
