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
// Three kinds of late: in a finalizer; in the destructor of a thread_local, which may come before
// or after the back end's own hook; in the destructor of a pthread key, which comes after the hook
// in the first round of keys. The order is judged among what is pending at each moment.
template <backend B>
struct body<scenarios::id::late_attach, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    static_cast<void>(foreign_key());
    watches<B> refs(ledger.threads());
    thread_group threads(r, ledger, r.size(), &live, &refs);
    threads.start_all();
    threads.wait_until_ready();
    threads.release_all();
    threads.join_all();
  }

 private:
  // Attaches when it is destroyed.
  struct last_wish {
    record* r = nullptr;
    ~last_wish() {
      if (r != nullptr) attach<B>(*r);
    }
  };
  static inline thread_local last_wish wish;

  static pthread_key_t foreign_key() {
    static const pthread_key_t key = [] {
      pthread_key_t made{};
      THREADREF_CHECK_CALL(
          pthread_key_create(&made, [](void* r) { attach<B>(*static_cast<record*>(r)); }));
      return made;
    }();
    return key;
  }

  // What a finalizer does besides counting itself: none, one or two more, until the rest is used
  // up. A ref made now must read null at once.
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
    const int room = static_cast<int>(r.ledger->finalizers());
    const int before = draw(r.choices, 1, std::max(room / 2, 1));
    const bool wishes = one_in(r.choices, 2);
    const bool has_key = one_in(r.choices, 2);
    const bool wish_is_older = one_in(r.choices, 2);
    r.late_left = static_cast<std::uint32_t>(std::max(room - before - 2, 0));
    r.then = &register_more;
    if (wishes && wish_is_older) wish.r = &r;
    static_cast<watches<B>*>(me.shared)->watch(r);
    for (int i = 0; i != before; ++i) attach<B>(r);
    if (wishes && !wish_is_older) wish.r = &r;
    if (has_key) THREADREF_CHECK_CALL(pthread_setspecific(foreign_key(), &r));
    me.ready_and_wait();
    return nullptr;
  }
};

}  // namespace threadref::stress
