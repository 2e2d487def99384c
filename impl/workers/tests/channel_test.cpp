// SPDX-License-Identifier: MIT
// Subscribers that are alive get everything that is published, and dead ones get nothing.
#include "workers/channel.hpp"

#include <gtest/gtest.h>

#include <any>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "testing/scale.hpp"
#include "threadref/finalize.hpp"
#include "workers/tests/fixture.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {
namespace {

using channel_test = worker_test;
// A worker that has subscribed and waits until it is stopped. It adds up what it receives.
worker_ptr subscriber(const channel& to, std::atomic<int>& sum) {
  std::latch subscribed(1);
  worker_ptr made = this_worker::create_worker([&sum, to, first = &subscribed] {
    this_worker::listen(to.name(), [&](const event& e) { sum += std::any_cast<int>(e.data); });
    to.subscribe();
    first->count_down();
    this_worker::wait_forever();
  });
  subscribed.wait();
  return made;
}

// Shows: PW-43.
TEST_F(channel_test, reaches_all_who_have_subscribed) {
  const channel news("news");
  std::atomic<int> sum{0};
  EXPECT_EQ(news.publish(100), 0U);
  const worker_ptr a = subscriber(news, sum);
  EXPECT_EQ(news.publish(10), 1U);
  const worker_ptr b = subscriber(news, sum);
  EXPECT_EQ(news.publish(1), 2U);
  EXPECT_EQ(news.subscribers(), 2U);
  a->stop().join();  // events before the stop are handled first
  b->stop().join();
  EXPECT_EQ(sum, 12);
}

// Shows: PW-43, PW-21.
TEST_F(channel_test, an_event_is_about_who_published_it) {
  const channel news("news");
  const worker_ptr reader = worker::make([&] {
    news.subscribe();
    news.subscribe();  // once is enough
    return this_worker::wait_event("news");
  });
  const worker_ptr writer = worker::make([&] {
    while (news.publish(5) == 0) std::this_thread::yield();
  });
  worker_ptr about;
  reader->listen("news", [&](const event& e) { about = e.target; });
  reader->start();
  writer->start().join();
  reader->join();
  const auto got = std::any_cast<std::optional<std::any>>(reader->result());
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(std::any_cast<int>(*got), 5);
  EXPECT_EQ(about, writer);
}

// Shows: PW-43.
TEST_F(channel_test, the_end_of_its_thread_unsubscribes) {
  const channel news("news");
  std::size_t behind = 99;
  const worker_ptr who = worker::make([&] {
    finalize([&] { behind = news.subscribers(); });  // older, so it runs later
    news.subscribe();
  });
  who->start().join();
  EXPECT_EQ(behind, 0U);
  EXPECT_EQ(news.subscribers(), 0U);
  EXPECT_EQ(news.publish(1), 0U);
}

// Shows: PW-43, PW-03.
// Differs: PW-43: a worker that is started again has to subscribe again, since a subscription
// belongs to the thread that made it and ends by that thread's finalizer; in the original it
// stays in a weak set for as long as the object lives.
TEST_F(channel_test, a_restarted_worker_is_no_subscriber) {
  const channel news("news");
  bool subscribes = true;
  std::atomic<int> received{0};
  const worker_ptr who = worker::make([&] {
    if (subscribes) news.subscribe();
    this_worker::wait_forever();
  });
  who->listen("news", [&](const event& /*e*/) { ++received; });
  who->start();
  while (news.publish() == 0) std::this_thread::yield();
  who->stop().join();
  EXPECT_EQ(received, 1);
  subscribes = false;
  who->start();
  EXPECT_EQ(news.publish(), 0U);
  who->stop().join();
  EXPECT_EQ(received, 1);
}

// Shows: PW-43.
TEST_F(channel_test, who_has_unsubscribed_is_sent_nothing_more) {
  const channel news("news");
  std::atomic<int> sum{0};
  const worker_ptr who = subscriber(news, sum);
  EXPECT_EQ(news.publish(1), 1U);
  news.unsubscribe(who);
  EXPECT_EQ(news.publish(10), 0U);
  EXPECT_THROW(news.unsubscribe(who), std::out_of_range);
  who->stop().join();
  EXPECT_EQ(sum, 1);
  const worker_ptr other = this_worker::create_worker([&] {
    EXPECT_THROW(news.unsubscribe(), std::out_of_range);
    news.subscribe();
    EXPECT_EQ(news.subscribers(), 1U);
    news.unsubscribe();
    EXPECT_EQ(news.subscribers(), 0U);
  });
  other->join();
}

// Shows: PW-43.
TEST_F(channel_test, it_keeps_no_worker_and_no_worker_keeps_it) {
  std::optional<channel> news("news");
  std::atomic<int> sum{0};
  worker_ptr who = subscriber(*news, sum);
  const std::weak_ptr<worker> watched = who;
  who->stop().join();
  who.reset();
  EXPECT_TRUE(watched.expired());
  auto data = std::make_shared<int>();
  const std::weak_ptr<int> published = data;
  std::latch gone(1);
  std::latch subscribed(1);
  const worker_ptr outlives = worker::make([&] {
    news->subscribe();
    subscribed.count_down();
    gone.wait();
  });
  outlives->start();
  subscribed.wait();
  EXPECT_EQ(news->publish(std::move(data)), 1U);
  news.reset();
  gone.count_down();
  outlives->join();  // its finalizer finds no channel
  EXPECT_TRUE(published.expired());
}

// Shows: PW-43.
TEST_F(channel_test, a_dying_thread_does_not_end_what_another_has_begun) {
  const channel news("news");
  const worker_ptr who = worker::make([&] { news.subscribe(); });
  const int rounds = testing::scaled(100'000, 100);
  for (int i = 0; i != rounds; ++i) {
    std::latch begun(1);
    std::thread first([&] {
      who->start_overlay();
      begun.count_down();
    });
    begun.wait();
    who->start_overlay();
    first.join();
    ASSERT_EQ(news.subscribers(), 1U);
    news.unsubscribe(who);
  }
}

// Shows: PW-43.
TEST_F(channel_test, no_finalizer_is_left_of_a_subscription_that_is_over) {
  const channel news("news");
  this_worker::create_worker([&] {
    const counters before = stats();
    for (int i = 0; i != 3; ++i) news.subscribe();
    news.unsubscribe();
    EXPECT_EQ(stats().registered - before.registered, 3U);
    EXPECT_EQ(stats().detached - before.detached, 3U);
    channel("another").subscribe();  // which is gone at once
    EXPECT_EQ(stats().detached - before.detached, 4U);
  })->join();
}

// Shows: PW-43, PW-04.
TEST_F(channel_test, an_overlay_that_has_gone_is_forgotten) {
  const channel news("news");
  std::thread([&] {
    worker::make([&] { news.subscribe(); })->start_overlay();
    EXPECT_EQ(news.subscribers(), 1U) << "its thread has not ended";
    EXPECT_EQ(news.publish(), 0U);
    EXPECT_EQ(news.subscribers(), 0U);
  }).join();
}

// Shows: PW-43, PW-04.
TEST_F(channel_test, a_subscription_made_again_is_that_of_the_new_thread) {
  const channel news("news");
  bool keeps = false;
  gate again;
  gate subscribed;
  const worker_ptr who = worker::make([&] {
    news.subscribe();
    if (!keeps) return;
    subscribed.open();
    this_worker::wait_forever();
  });
  gate first_ends;
  std::thread first([&] {
    who->start_overlay();
    again.open();
    first_ends.wait();
  });
  again.wait();
  keeps = true;
  who->start();
  subscribed.wait();
  first_ends.open();
  first.join();
  EXPECT_EQ(news.subscribers(), 1U) << "ended with a thread that no longer had it";
  EXPECT_EQ(news.publish(), 1U);
  who->stop().join();
  EXPECT_EQ(news.subscribers(), 0U);
}

// Shows: PW-43.
TEST_F(channel_test, publishing_while_thousands_die) {
  const channel news("news");
  const int total = testing::scaled(100'000, 300);
  constexpr int at_once = 100;
  std::atomic<int> received{0};
  std::atomic<int> late{0};
  std::atomic<bool> over{false};
  std::atomic<std::size_t> sent{0};
  std::vector<std::weak_ptr<worker>> all;
  const auto publish = [&] {
    while (!over) sent += news.publish();
  };
  std::thread one(publish);
  std::thread another(publish);
  for (int begun = 0; begun < total; begun += at_once) {
    std::vector<worker_ptr> some;
    for (int i = 0; i != at_once; ++i) {
      some.push_back(this_worker::create_worker([&, ended = false]() mutable {
        finalize([&] { ended = true; });
        this_worker::listen("news", [&](const event& /*e*/) {
          ++received;
          if (ended) ++late;
        });
        news.subscribe();
        this_worker::wait_event("news");
      }));
      all.emplace_back(some.back());
    }
    for (const worker_ptr& each : some) each->join();
  }
  over = true;
  one.join();
  another.join();
  EXPECT_GE(received, total);
  EXPECT_EQ(sent, static_cast<std::size_t>(received)) << "accepted, and never handled";
  EXPECT_EQ(late, 0) << "handled by a thread that was already draining";
  EXPECT_EQ(news.subscribers(), 0U);
  for (const std::weak_ptr<worker>& each : all) ASSERT_TRUE(each.expired());
}

}  // namespace
}  // namespace threadref::workers
