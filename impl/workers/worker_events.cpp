// SPDX-License-Identifier: MIT
// Sends events: to a worker, its ancestors or its descendants.
#include <utility>

#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

namespace threadref::workers {

namespace {

event plain(std::string_view name, std::any data) {
  return {.name = std::string(name), .data = std::move(data)};
}

event about_caller(event e) {
  if (e.target == nullptr) e.target = this_worker::try_current();
  return e;
}

}  // namespace

void worker::refuse(event e) {
  // A worker sends no rejection to itself, and none for a rejection: that would never end.
  if (e.target == nullptr || e.target.get() == this || e.name == events::event_reject) return;
  const worker_ptr sender = e.target;
  const worker_ptr self = shared_from_this();
  static_cast<void>(sender->post({.name = std::string(events::event_reject),
                                  .data = rejection{std::move(e), self},
                                  .target = self}));
}

void worker::deliver(event e) {
  if (!queue_.post(e)) refuse(std::move(e));
}

void worker::refuse_rest() {
  while (auto e = queue_.take_now()) refuse(*std::move(e));
}

void worker::send_up(const event& e) {
  for (worker_ptr to = parent(); to != nullptr; to = to->parent()) to->deliver(e);
}

void worker::to_children(const event& e) {
  for (const worker_ptr& to : children()) to->deliver(e);
}

void worker::send_down(const event& e) {
  for (const worker_ptr& to : children()) {
    to->deliver(e);
    to->send_down(e);
  }
}

worker& worker::fire(event e) {
  e = about_caller(std::move(e));
  deliver(e);
  if (e.bubble) send_up(e);
  if (e.broadcast) send_down(e);
  return *this;
}
worker& worker::bubble(event e) {
  e = about_caller(std::move(e));
  e.bubble = true;
  send_up(e);
  return *this;
}
worker& worker::broadcast(event e) {
  e = about_caller(std::move(e));
  e.broadcast = true;
  send_down(e);
  return *this;
}
worker& worker::parent_fire(event e) {
  if (const worker_ptr to = parent()) to->deliver(about_caller(std::move(e)));
  return *this;
}
worker& worker::children_fire(event e) {
  to_children(about_caller(std::move(e)));
  return *this;
}

worker& worker::fire(std::string_view name, std::any data) {
  return fire(plain(name, std::move(data)));
}
worker& worker::bubble(std::string_view name, std::any data) {
  return bubble(plain(name, std::move(data)));
}
worker& worker::broadcast(std::string_view name, std::any data) {
  return broadcast(plain(name, std::move(data)));
}
worker& worker::parent_fire(std::string_view name, std::any data) {
  return parent_fire(plain(name, std::move(data)));
}
worker& worker::children_fire(std::string_view name, std::any data) {
  return children_fire(plain(name, std::move(data)));
}

// Requests to this worker. If it does not run, they are dropped silently.
worker& worker::stop() {
  static_cast<void>(post(plain(events::stop, {})));
  return *this;
}
worker& worker::pause() {
  static_cast<void>(post(plain(events::pause, {})));
  return *this;
}
worker& worker::resume() {
  static_cast<void>(post(plain(events::resume, {})));
  return *this;
}
bool worker::invoke(std::function<void()> call) {
  return post(plain(events::invoke, std::move(call)));
}

void worker::notify(const worker_ptr& to, std::string_view name, std::any data) {
  event e = plain(name, std::move(data));
  e.target = shared_from_this();
  if (to != nullptr) static_cast<void>(to->post(std::move(e)));
}

}  // namespace threadref::workers
