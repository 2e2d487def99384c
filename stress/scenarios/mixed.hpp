// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include "stress/engine/scenario.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

// Do all finalizers run whether a thread returns, throws, calls pthread_exit, is cancelled,
// detached or stopped?
//
//   stress_threadref --filter=^mixed/
//
// A real run (2 CPUs of an AMD EPYC, Release, 2026-11-20), on each back end: about 51,000 threads
// and 916,000 finalizers in 6.3 s, all `once`.
//
// How each thread ends is drawn from the seed. Two ways affect the drain: a finalizer that calls
// pthread_exit itself (the others must still run), and a cancellation that arrives while the thread
// exits, with finalizers that are all cancellation points.
template <backend B>
struct body<scenarios::id::mixed, B> {
  static void run(round& r, finalizer_ledger& ledger) {
    shared_state all(ledger, r.seed);
    thread_group threads(r, ledger, r.size(), &live, &all);
    std::vector<std::unique_ptr<std::jthread>> stoppable(ledger.threads());
    for (std::size_t i = 0; i != r.size() && !round::stopping(); ++i) {
      if (all.endings[i] == ending::stopped
              ? !threads.start_as([&](thread_group::member& m) {
                  stoppable[i] = std::make_unique<std::jthread>(&live_until_stopped, &m);
                })
              : !threads.start_next(all.endings[i] == ending::detached ? joining::detached
                                                                       : joining::joinable))
        break;
    }
    threads.wait_until_ready();
    all.go.open();
    for (std::size_t i = 0; i != threads.started(); ++i) end(threads, i, all, stoppable[i]);
    wait_for_detached(threads, all);
  }

 private:
  enum class ending {
    returns,
    throws,
    exits,
    exits_in_finalizer,
    cancelled,
    cancelled_late,
    detached,
    stopped,
  };
  struct shared_state {
    shared_state(const finalizer_ledger& ledger, std::uint64_t seed)
        : refs(ledger.threads()), endings(ledger.threads()), handles(ledger.threads()) {
      generator from(mix(seed, "ways"));
      for (ending& e : endings)
        e = static_cast<ending>(draw(from, 0, static_cast<int>(ending::stopped)));
    }
    thread_refs<B> refs;
    std::vector<ending> endings;
    std::vector<thread_handle> handles;  // only of detached threads, to see when they have ended
    testing::gate go;
  };

  static void register_all(const thread_group::member& me) {
    auto& all = *static_cast<shared_state*>(me.shared);
    me.enter();
    all.refs.watch(*me.r);
    attach_some<B>(*me.r);
    if (all.endings[me.index] == ending::detached) all.handles[me.index] = current<B>();
    me.ready();
  }

  // An object to unwind in each frame.
  struct must_unwind {
    explicit must_unwind(int& count) noexcept : c(count) { ++c; }
    ~must_unwind() { --c; }
    must_unwind(const must_unwind&) = delete;
    must_unwind& operator=(const must_unwind&) = delete;
    int& c;
  };
  static int leave(int depth, ending how, int& frames) {
    const must_unwind frame(frames);
    if (depth > 0) return leave(depth - 1, how, frames) + 1;
    if (how == ending::exits) pthread_exit(nullptr);
    throw std::runtime_error("the thread's own error");
  }

  // Under ThreadSanitizer not in a blocking call: after a forced unwind out of one, gcc 12's
  // runtime ignores all locks of this thread and reports races where there are none.
  static void wait_to_be_cancelled(const thread_group::member& me) {
    if (detail::under_tsan) me.turn.wait();
    for (;;) {
      pthread_testcancel();
      pause();
    }
  }

  static void* live(void* at) {
    const auto& me = *static_cast<thread_group::member*>(at);
    auto& all = *static_cast<shared_state*>(me.shared);
    record& r = *me.r;
    const ending how = all.endings[me.index];
    if (how == ending::cancelled_late) r.then = [](record& /*self*/) { pthread_testcancel(); };
    if (how == ending::exits_in_finalizer) {
      r.then = [](record& self) {
        self.then = nullptr;
        pthread_exit(nullptr);
      };
    }
    register_all(me);
    if (how == ending::cancelled) wait_to_be_cancelled(me);
    all.go.wait();
    int frames = 0;
    const int depth = one_in(r.choices, 8) ? 100 : draw(r.choices, 0, 3);
    if (how == ending::exits) leave(depth, how, frames);
    if (how == ending::throws) {
      try {
        leave(depth, how, frames);
      } catch (const std::runtime_error&) {  // every thread should have such a handler
        THREADREF_CHECK(frames == 0, "an exception did not unwind all frames");
      }
    }
    return nullptr;
  }

  static void live_until_stopped(const std::stop_token& stop, thread_group::member* at) {
    register_all(*at);
    const std::stop_callback on_stop(stop, [at] { at->turn.open(); });
    at->turn.wait();
  }

  static void end(thread_group& threads, std::size_t i, shared_state& all,
                  std::unique_ptr<std::jthread>& j) {
    switch (all.endings[i]) {
      case ending::detached:
        return;
      case ending::stopped:
        j->request_stop();
        j->join();
        threads.count_joined(i);
        return;
      case ending::cancelled:
      case ending::cancelled_late:
        THREADREF_CHECK_CALL(pthread_cancel(threads.at(i).id));
        threads.at(i).turn.open();
        break;
      default:
        break;
    }
    threads.join(i);
  }

  // A detached thread can't be joined. The library reports when it has ended, and then all its
  // writes are visible. The ledger counts the finalizers of one that does not end in time as lost.
  static void wait_for_detached(thread_group& threads, shared_state& all) {
    int tries = 300'000;  // many, because threads take longer on a busy machine
    for (std::size_t i = 0; i != threads.started(); ++i) {
      if (all.endings[i] != ending::detached) continue;
      while (all.handles[i].state() != thread_state::ended && tries-- > 0) usleep(100);
      threads.count_joined(i);
    }
  }
};

}  // namespace threadref::stress
