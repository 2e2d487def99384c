// SPDX-License-Identifier: MIT
#include <QThreadStorage>

#include "stress/peers/peer.hpp"

namespace {

using threadref::stress::callback;

// Qt deletes the object that a thread's stored pointer points to.
struct value {
  callback what;
  explicit value(callback c) noexcept : what(c) {}
  ~value() { what.run(what.with); }
  value(const value&) = delete;
  value& operator=(const value&) = delete;
};

// Never destroyed: a destroyed one leaks the values of other threads.
auto* make_storage() {
  return new QThreadStorage<value*>;
}

constexpr threadref::stress::mechanism m{.name = "peer_qt_thread_storage",
                                         .attach =
                                             [](callback c) {
                                               make_storage()->setLocalData(new value(c));
                                               return true;
                                             },
                                         .set_value =
                                             [](callback c) {
                                               static auto* const storage = make_storage();
                                               storage->setLocalData(new value(c));
                                               return true;
                                             }};

}  // namespace

const threadref::stress::mechanism* threadref_stress_mechanism() {
  return &m;
}
