// SPDX-License-Identifier: MIT
#include "bench/order/order_trace.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <utility>

#include "testing/check.hpp"

namespace threadref::bench {

namespace {

pthread_key_t lower_key;
pthread_key_t higher_key;

// Runs before the constructors without a priority, in which back ends create their keys.
[[gnu::constructor(101)]] void create_lower_key() {
  THREADREF_CHECK_CALL(pthread_key_create(
      &lower_key, [](void* t) { static_cast<order_trace*>(t)->note(event::lower_key); }));
}

// The position of an event, or the end.
std::size_t position_of(const order_trace& t, event e) {
  return static_cast<std::size_t>(std::find(t.seen.begin(), t.seen.end(), e) - t.seen.begin());
}
std::size_t count_of(const order_trace& t, event e) {
  return static_cast<std::size_t>(std::count(t.seen.begin(), t.seen.end(), e));
}

constexpr std::string_view names[] = {"stack",
                                      "older thread_local",
                                      "younger thread_local",
                                      "lower key",
                                      "higher key",
                                      "Boost at_thread_exit",
                                      "Boost thread_specific_ptr",
                                      "promise ready",
                                      "1",
                                      "2",
                                      "1",
                                      "2",
                                      "join"};

// What is printed before the numbers of a stage of ours; nothing for other events.
constexpr std::string_view stage_of(event e) {
  if (e == event::finalizer_1 || e == event::finalizer_2) return "finalizers ";
  if (e == event::destructor_1 || e == event::destructor_2) return "destructors ";
  return {};
}

void require_once(const order_trace& t, std::initializer_list<event> events, verdict& v) {
  for (const event e : events) {
    v.lost += count_of(t, e) == 0 ? 1U : 0U;
    v.doubled += count_of(t, e) > 1 ? 1U : 0U;
  }
}

}  // namespace

void mark::operator()() const {
  if (at->is_alive && at->is_alive()) ++at->alive_in_finalizer;
  at->note(what);
}

void order_trace::note(event e) {
  if (future.valid() && future.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    future = {};
    seen.push_back(event::promise);
  }
  seen.push_back(e);
}

void add_promise(order_trace& t) {
  t.future = t.promised.get_future();
  t.promised.set_value_at_thread_exit();
}

void create_higher_key() {
  THREADREF_CHECK_CALL(pthread_key_create(
      &higher_key, [](void* t) { static_cast<order_trace*>(t)->note(event::higher_key); }));
}

void add_older_thread_local(order_trace& t) {
  thread_local const marker here(t, event::older);
}
void add_younger_thread_local(order_trace& t) {
  thread_local const marker here(t, event::younger);
}
void add_keys(order_trace& t) {
  THREADREF_CHECK_CALL(pthread_setspecific(lower_key, &t));
  THREADREF_CHECK_CALL(pthread_setspecific(higher_key, &t));
}

std::string to_text(const std::vector<event>& seen) {
  std::string text;
  for (std::size_t i = 0; i != seen.size(); ++i) {
    const std::string_view stage = stage_of(seen[i]);
    const bool goes_on = i != 0 && !stage.empty() && stage == stage_of(seen[i - 1]);
    if (i != 0) text += goes_on ? "," : " > ";
    if (!goes_on) text += stage;
    text += names[static_cast<std::size_t>(seen[i])];
  }
  return text;
}

verdict judge(const order_trace& t, const expected& of) {
  verdict v;
  require_once(t, {event::finalizer_1, event::finalizer_2}, v);
  if (of.has_destructors) require_once(t, {event::destructor_1, event::destructor_2}, v);
  if (!v.good()) return v;  // then their order means nothing
  std::size_t first = position_of(t, event::finalizer_2);
  std::size_t last = position_of(t, event::finalizer_1);
  if (of.is_oldest_first) std::swap(first, last);
  const std::size_t older = position_of(t, event::older);
  const std::size_t younger = position_of(t, event::younger);
  const auto must = [&v](bool holds) { v.misordered += holds ? 0U : 1U; };
  must(position_of(t, event::stack) == 0);
  must(first < last);
  must(t.seen.back() == event::joined);
  must(t.alive_in_finalizer == 0);
  if (of.has_destructors) {
    must(last < position_of(t, event::destructor_1));
    must(position_of(t, event::destructor_1) < position_of(t, event::destructor_2));
  }
  const capability claims = of.claims;
  if (has(claims, capability::after_thread_locals)) must(older < first && younger < first);
  if (has(claims, capability::among_thread_locals)) {
    must(last < older);
    // They were registered in this order: finalizer 1, the younger thread_local, finalizer 2.
    must(has(claims, capability::interleaved) ? first < younger && younger < last
                                              : younger < first);
  }
  return v;
}

}  // namespace threadref::bench
