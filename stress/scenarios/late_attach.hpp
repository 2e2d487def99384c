// SPDX-License-Identifier: MIT
#pragma once

#include <pthread.h>

#include <algorithm>

#include "stress/engine/scenario.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

// Does what finalizers register while their thread exits still run, in the same exit?
//
//   stress_threadref --filter=^late_attach/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), on each back end: about 72,000 threads
// and 2.0 million finalizers in 6.2 s, all `once`.
//
// There are three kinds of late: in a finalizer; in the destructor of a thread_local, which may run
// before or after the back end's own hook; and in the destructor of a pthread key, which runs after
// the hook in the first round of keys. The order is judged among what is pending at each moment.
template <backend B>
struct body<scenarios::id::late_attach, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    static_cast<void>(foreign_key());
    thread_refs<B> refs(ledger.threads());
    thread_group threads(r, ledger, r.size(), &live, &refs);
    threads.start_all();
    threads.wait_until_ready();
    threads.release_all();
    threads.join_all();
  }

 private:
  // Attaches a finalizer when it is destroyed.
  struct attaching_local {
    record* r = nullptr;
    ~attaching_local() {
      if (r != nullptr) attach<B>(*r);
    }
  };
  static inline thread_local attaching_local local;

  static pthread_key_t foreign_key() {
    static const pthread_key_t key = [] {
      pthread_key_t made{};
      THREADREF_CHECK_CALL(
          pthread_key_create(&made, [](void* r) { attach<B>(*static_cast<record*>(r)); }));
      return made;
    }();
    return key;
  }

  // What each finalizer does: registers none, one or two more, as long as some are left. A ref made
  // now must read null at once.
  static void register_more(record& r) {
    for (int n = draw(r.choices, 0, 2); n > 0 && r.late_left > 0; --n, --r.late_left) {
      std::uint32_t id = no_id;
      attach<B>(r, id);
      if (!one_in(r.choices, 4) || id == no_id) continue;
      if (!basic_ref<B>().expired()) r.ledger->record_fault(r, id, fault::seen_alive);
    }
  }

  static void* live(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    record& r = *me.r;
    me.enter();
    const int limit = static_cast<int>(r.ledger->finalizers());
    const int before = draw(r.choices, 1, std::max(limit / 2, 1));
    const bool has_local = one_in(r.choices, 2);
    const bool has_key = one_in(r.choices, 2);
    const bool local_is_older = one_in(r.choices, 2);
    r.late_left = static_cast<std::uint32_t>(std::max(limit - before - 2, 0));
    r.then = &register_more;
    if (has_local && local_is_older) local.r = &r;
    static_cast<thread_refs<B>*>(me.shared)->watch(r);
    for (int i = 0; i != before; ++i) attach<B>(r);
    if (has_local && !local_is_older) local.r = &r;
    if (has_key) THREADREF_CHECK_CALL(pthread_setspecific(foreign_key(), &r));
    me.ready_and_wait();
    return nullptr;
  }
};

}  // namespace threadref::stress
