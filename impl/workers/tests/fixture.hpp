// SPDX-License-Identifier: MIT
// Shared by the tests of workers.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "testing/gate.hpp"
#include "threadref/threadref.hpp"
#include "workers/this_worker.hpp"

namespace threadref::workers {

using testing::gate;

// Yields until the condition holds. If it never does, the test hangs until ctest ends it.
inline void yield_until(const std::function<bool()>& holds) {
  while (!holds()) std::this_thread::yield();
}

// Records what happened, in one order, on any thread.
class event_log {
 public:
  void add(std::string what) {
    const std::scoped_lock lock(m_);
    entries_.push_back(std::move(what));
  }
  [[nodiscard]] std::vector<std::string> entries() const {
    const std::scoped_lock lock(m_);
    return entries_;
  }

 private:
  mutable std::mutex m_;
  std::vector<std::string> entries_;
};
using lines = std::vector<std::string>;

inline std::string message_of(const std::exception_ptr& error) {
  if (error == nullptr) return "none";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "something";
  }
}

template <class T>
T as(const std::any& value) {
  return std::any_cast<T>(value);
}

// Collects errors. At the end of a test it waits until no thread of a worker is left.
class worker_test : public ::testing::Test {
 public:
  worker_test(const worker_test&) = delete;
  worker_test& operator=(const worker_test&) = delete;

 protected:
  worker_test() {
    previous_ = set_error_hook(
        [this](const worker& by, std::string_view where, const std::exception_ptr& error) {
          reported.add(by.name() + ": " + std::string(where) + ": " + message_of(error));
        });
  }
  ~worker_test() override { set_error_hook(std::move(previous_)); }
  void TearDown() override {
    // The main thread may be registered by now.
    yield_until([] {
      for (const thread_handle& one : enumerate()) {
        if (!one.is_main()) return false;
      }
      return true;
    });
  }

  event_log reported;
  event_log seen;
  // A listener that records the event it was called for.
  listener note() {
    return [this](const event& e) { seen.add(e.name); };
  }

 private:
  error_hook previous_;
};

}  // namespace threadref::workers
