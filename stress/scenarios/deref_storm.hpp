// SPDX-License-Identifier: MIT
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>

#include "stress/engine/scenario.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

// Do refs stay safe, and callbacks on their thread, while others hammer refs of dying threads?
//
//   stress_threadref --filter=^deref_storm/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), 159,000 threads on one back end:
//   dropped  286,076  22.5 %  acceptable  the last handle of a ref went before its thread did
//   once     986,220  77.5 %  acceptable  every finalizer ran exactly once, on its own thread
//
// Three threads dereference and copy the refs of all other threads while these end one after
// another. A ref that has read null must read null forever, and a handle must name its own thread.
// Each thread also makes refs with a callback. The thread itself drops the last handle of a third
// of them, a hammering thread drops another third at any moment, and the rest stays.
template <backend B>
struct body<scenarios::id::deref_storm, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    storm all(ledger);
    thread_group owners(r, ledger, r.size(), &own, &all);
    owners.start_all();
    owners.wait_until_ready();
    pthread_t ids[hammers];
    hammer them[hammers];
    int hammering = 0;
    for (hammer& h : them) {
      h.in = &all;
      h.index = hammering;
      h.choices = generator(mix(r.seed, 1'000'000 + static_cast<std::uint64_t>(hammering)));
      h.seen_null.assign(owners.started(), false);
      if (start_thread(ids[hammering], &hammer_refs, &h) != 0) break;
      ++hammering;
    }
    all.hammering = hammering;
    all.go.open();
    owners.release_all();
    owners.join_all();
    all.over.open();
    for (int h = 0; h != hammering; ++h) {
      THREADREF_CHECK_CALL(pthread_join(ids[h], nullptr));
      r.figures.seen.add("revived", them[h].revived);
      r.figures.seen.add("mistaken", them[h].mistaken);
    }
  }

 private:
  static constexpr int hammers = 3;
  static constexpr int none = -1;
  struct called_ref {
    std::optional<basic_ref<B>> handle;
    std::uint32_t id = no_id;
    int dropper = none;  // which hammering thread
  };
  struct storm {
    explicit storm(finalizer_ledger& l)
        : ledger(l), refs(l.threads()), serials(l.threads()), called(l.threads()) {}
    finalizer_ledger& ledger;
    thread_refs<B> refs;
    std::vector<std::uint64_t> serials;
    std::vector<std::vector<called_ref>> called;  // per owner, written before it is ready
    testing::gate go;
    testing::gate over;
    int hammering = 0;
  };
  struct hammer {
    storm* in = nullptr;
    int index = 0;
    generator choices;
    std::vector<bool> seen_null;
    std::uint64_t revived = 0;
    std::uint64_t mistaken = 0;
  };

  static void attach_ref(record& r, called_ref& to) {
    to.id = r.ledger->push(r, mark::is_ref);
    if (to.id == no_id) return;
    try {
      to.handle.emplace([&r, id = to.id](const basic_ref<B>& self) {
        run_finalizer(r, id);
        if (!self.expired() || self.lock()) r.ledger->record_fault(r, id, fault::seen_alive);
      });
    } catch (const std::exception&) {
      r.ledger->refused(r, to.id);
    }
  }
  static void drop(record& r, called_ref& c) {
    if (!c.handle) return;
    c.handle.reset();
    r.ledger->dropped(r, c.id);  // from now on its callback must not start
  }

  static void* own(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    auto& all = *static_cast<storm*>(me.shared);
    record& r = *me.r;
    me.enter();
    all.refs.watch(r);
    all.serials[me.index] = current<B>().serial();
    std::vector<called_ref>& mine = all.called[me.index];
    const int most = static_cast<int>(r.ledger->finalizers());
    mine.resize(static_cast<std::size_t>(draw_some(r, std::max(most / 2, 1))));
    std::vector<std::size_t> to_drop;
    for (std::size_t i = 0; i != mine.size(); ++i) {
      attach_ref(r, mine[i]);
      const int fate = draw(r.choices, 0, 2);
      if (fate == 0) to_drop.push_back(i);
      if (fate == 1) mine[i].dropper = draw(r.choices, 0, hammers - 1);
      attach<B>(r);
    }
    me.ready_and_wait();
    for (int i = draw(r.choices, 0, 7); i > 0; --i) sched_yield();
    for (const std::size_t i : to_drop) drop(r, mine[i]);
    return nullptr;
  }

  static void look(hammer& me, std::size_t owner) {
    const basic_ref<B>& shared = me.in->refs.at(owner);
    const basic_ref<B> copy = one_in(me.choices, 4) ? shared : basic_ref<B>(shared);
    const thread_handle handle = copy.lock();
    const bool dead = !handle;
    if (!dead && me.seen_null[owner]) ++me.revived;
    if (!dead && (handle.serial() != me.in->serials[owner] || handle.tid() == 0)) ++me.mistaken;
    if (dead) me.seen_null[owner] = true;
    if (dead && !copy.expired()) ++me.revived;
  }

  static void* hammer_refs(void* at) {
    hammer& me = *static_cast<hammer*>(at);
    storm& all = *me.in;
    all.go.wait();
    const std::size_t owners = me.seen_null.size();
    for (bool last = false;;) {
      for (int i = 0; i != 64 && owners != 0; ++i) {
        const std::size_t owner = draw(me.choices, std::size_t{0}, owners - 1);
        look(me, owner);
        for (called_ref& c : all.called[owner]) {
          if (c.dropper == me.index && one_in(me.choices, 2)) drop(all.ledger.at(owner), c);
        }
      }
      if (last) return nullptr;
      last = all.over.is_open();  // one more look at the dead
      sched_yield();
    }
  }
};

}  // namespace threadref::stress
