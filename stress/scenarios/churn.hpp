// SPDX-License-Identifier: MIT
#pragma once

#include "stress/engine/scenario.hpp"

namespace threadref::stress {

// Do all finalizers run, once each and newest first, when threads come and go?
//
//   stress_threadref --filter=^churn/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), on each back end: 64,000 threads, 4,000
// of them alive at once, 2.3 million finalizers in 7.7 s, all of them `once`.
//
// Four times as many threads start as are alive at once, so blocks, slots and pthread_t values are
// reused while older threads still wait. How many finalizers a thread registers, and in which of
// the three shapes, is drawn per thread.
template <backend B>
struct body<scenarios::id::churn, B> {
  static std::size_t threads_in_all(const round& r) { return 4 * r.size(); }

  static void run(round& r, finalizer_ledger& ledger) {
    thread_refs<B> refs(ledger.threads());
    thread_group threads(r, ledger, threads_in_all(r), &live, &refs);
    threads.churn(r.size());
  }

 private:
  static void* live(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    me.enter();
    // The library first sees a thread without a ref when it registers a finalizer.
    if (!one_in(me.r->choices, 4)) static_cast<thread_refs<B>*>(me.shared)->watch(*me.r);
    attach_some<B>(*me.r);
    me.ready_and_wait();
    return nullptr;
  }
};

}  // namespace threadref::stress
