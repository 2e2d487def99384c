// SPDX-License-Identifier: MIT
// Events that are sent to workers that end, their subscriptions, their timers and their results.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "stress/matrix/child/staged_worker.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "testing/gate.hpp"
#include "workers/async.hpp"
#include "workers/channel.hpp"
#include "workers/later.hpp"
#include "workers/this_worker.hpp"

namespace threadref::stress {

namespace of_worker_mail {
namespace {

namespace this_worker = workers::this_worker;

constexpr int some = 8;  // callbacks of a thread

// Mail to a worker that ends meanwhile: the worker handles each piece, or it is returned, once.
int fired_at_the_dying(event_context& ctx) {
  const int pieces = ctx.size(2'000);
  std::atomic<int> handled{0};
  std::atomic<int> returned{0};
  std::atomic<int> sent{0};
  staged_worker w(ctx, [&ctx] {
    ctx.attach(some, &mark_ending);
    this_worker::wait_forever();
  });
  w->listen("mail", [&](const workers::event& /*e*/) {
    ++handled;
    if (is_ending()) ctx.record_misordered();
  });
  const auto send = [&] {
    if (ctx.condition() == 0) {
      w->fire("mail");
    } else if (workers::event one{.name = "mail"}; !w->post(std::move(one))) {
      ++returned;
    }
    ++sent;
  };
  staged_worker sender(ctx, [&] {
    this_worker::listen(workers::events::event_reject, [&](const workers::event& e) {
      const auto& what = std::any_cast<const workers::rejection&>(e.data);
      if (what.refused.name == "mail" && what.by == w.it()) ++returned;
    });
    ctx.attach(some);
    for (int i = 0; i != pieces; ++i) {
      send();
      if (i % 16 == 0) this_worker::update();
    }
    w.join();
    for (int i = 0; i != some; ++i) send();  // the worker has ended
    this_worker::wait_forever();
  });
  const int enough = draw(ctx.choices, 0, pieces);
  w->start();
  sender->start();
  wait_until([&] { return sent.load() >= enough; });
  w->stop();
  wait_until([&] { return handled.load() + returned.load() >= pieces + some; });
  sender->stop();
  sender.join();
  expect(ctx, returned.load() >= some && handled.load() + returned.load() == pieces + some,
         "mail was handled and returned, or neither");
  return 0;
}

// A thread publishes while the subscribers end: nothing may reach one whose callbacks run.
int subscribers_die(event_context& ctx) {
  const workers::channel news("news");
  std::atomic<bool> over{false};
  std::atomic<int> received{0};
  posix_thread publisher(ctx, [&] {
    while (!over.load()) {
      news.publish();
      sched_yield();
    }
  });
  std::vector<std::unique_ptr<staged_worker>> subscribers;
  for (int i = 0; i != ctx.size(200); ++i) {
    subscribers.push_back(std::make_unique<staged_worker>(ctx, [&] {
      this_worker::listen("news", [&](const workers::event& /*e*/) {
        ++received;
        if (is_ending()) ctx.record_misordered();
      });
      ctx.attach(&mark_ending);
      news.subscribe();
      ctx.attach(&mark_ending);
      this_worker::wait_event("news");
    }));
    (*subscribers.back())->start();
  }
  for (const auto& each : subscribers) each->join();
  expect(ctx, news.subscribers() == 0, "a worker that ended is still a subscriber");
  over.store(true);
  publisher.join();
  expect(ctx, received.load() >= static_cast<int>(subscribers.size()),
         "a subscriber received nothing");
  return 0;
}

// A timer is a thread, whose callbacks run whether it fires or not.
int timer_is_cancelled(event_context& ctx) {
  std::atomic<int> called{0};
  std::atomic<std::uint32_t> number{0};
  testing::gate attached;
  staged_worker owner(ctx);
  owner->start();
  if (ctx.condition() == 3) {
    workers::later(
        owner.it(),
        [&] {
          ctx.attach(some);
          ++called;
        },
        std::chrono::milliseconds(1));
    wait_until([&] { return called.load() != 0; });
    owner->stop();
    owner.join();
    expect(ctx, called.load() == 1, "a timer fired twice");
    return 0;
  }
  const workers::pending_call call = workers::later(
      owner.it(), [&] { ++called; }, std::chrono::hours(1));
  const bool accepted = call.timer()->invoke([&] {
    number.store(ctx.thread());
    ctx.attach(some);
    attached.open();
  });
  expect(ctx, accepted, "a timer ended before its time");
  attached.wait();
  if (ctx.condition() == 0) expect(ctx, call.cancel(), "a pending timer could not be cancelled");
  if (ctx.condition() == 1) call.timer()->stop();
  if (ctx.condition() == 2) owner->stop();
  call.timer()->join();
  ctx.note_joined(number.load());
  expect(ctx, called.load() == 0 && !call.pending(), "a cancelled timer fired");
  return 0;
}

// The result is available before the callbacks run: the newest callback waits until it was seen. A
// join of the runner waits for the callbacks.
testing::gate seen;

int result_is_available(event_context& ctx) {
  std::atomic<std::uint32_t> number{0};
  kernel_end end;
  const auto work = [&] {
    end.begin();
    number.store(ctx.thread());
    ctx.attach(some);
    if (ctx.condition() != 1) ctx.attach([](event_context& /*in*/) { seen.wait(); });
    return 42;
  };
  std::optional<int> got;
  if (ctx.condition() == 2) {
    staged_worker w(ctx, [&] {
      ctx.attach(some);
      got = workers::await(work);
    });
    w->start();
    w.join();
  } else {
    const auto call = workers::async(work);
    got = call.get();
    if (ctx.condition() == 1) {
      call.runner()->join();
      ctx.note_joined(number.load());
      expect(ctx, call.get() == got, "a second get() returned another result");
    }
  }
  expect(ctx, got == 42, "get() did not return the result");
  seen.open();
  end.wait();
  ctx.note_joined(number.load());
  return 0;
}

constexpr event rows[] = {
    // Shows: PW-21, PW-22.
    {.name = "worker/fire_at_dead",
     .asks = "is each event to a worker that ends handled before they run, or returned?",
     .run = &fired_at_the_dying,
     .conditions = {{{"told by an event"}, {"told at once"}}}},
    // Shows: PW-43.
    {.name = "worker/channel_churn",
     .asks = "does nothing that is published reach a subscriber where they run?",
     .run = &subscribers_die},
    // Shows: PW-39.
    {.name = "worker/timer_cancel",
     .asks = "do they on the thread of a timer that is cancelled?",
     .run = &timer_is_cancelled,
     .conditions = {{{"the timer is cancelled"},
                     {"its thread is stopped"},
                     {"its owner is stopped"},
                     {"it fires"}}}},
    // Shows: PW-40, PW-41.
    {.name = "worker/result",
     .asks = "do they on the thread of a call whose result is there before?",
     .run = &result_is_available,
     .conditions = {{{"get()"}, {"get() and join"}, {"await()"}}}},
};

}  // namespace
}  // namespace of_worker_mail

std::span<const event> worker_mail_events() {
  return of_worker_mail::rows;
}

}  // namespace threadref::stress
