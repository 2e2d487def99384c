// SPDX-License-Identifier: MIT
#include "conformance/harness/incidents.hpp"

#include <exception>
#include <mutex>
#include <utility>

#include "conformance/harness/expect.hpp"

namespace threadref::conformance {

namespace {

std::mutex m;
std::vector<reported_incident> list;

std::string text_of(const std::exception_ptr& what) {
  if (what == nullptr) return {};
  try {
    std::rethrow_exception(what);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

void capture(const thread_handle& thread, std::exception_ptr what, incident kind) noexcept {
  const std::lock_guard lock(m);
  list.push_back({thread.serial(), kind, text_of(what)});
}

}  // namespace

captured_incidents::captured_incidents() : before_(set_unraisable_hook(&capture)) {
  const std::lock_guard lock(m);
  list.clear();
}
captured_incidents::~captured_incidents() {
  set_unraisable_hook(before_);
}

std::vector<reported_incident> captured_incidents::all() const {
  const std::lock_guard lock(m);
  return list;
}

reported_incident captured_incidents::only() const {
  const std::vector<reported_incident> found = all();
  EXPECT_EQ(found.size(), 1U);
  return found.empty() ? reported_incident{} : found.front();
}

void captured_incidents::note(std::string what) const {
  const std::lock_guard lock(m);
  list.push_back({.what = std::move(what)});
}

}  // namespace threadref::conformance
