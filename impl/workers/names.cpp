// SPDX-License-Identifier: MIT
#include "workers/names.hpp"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <pthread.h>

#include <array>
#include <atomic>

#include "testing/check.hpp"

namespace threadref::workers {

namespace {

constexpr std::size_t name_length = 15;  // and a zero: the limit of Linux

// Short names are padded to a column, so that a log is easy to read.
std::string prefixed(std::string_view name, std::string_view what) {
  return absl::StrFormat("(%-10s) %s", name, what);
}

}  // namespace

std::string next_thread_name() {
  static std::atomic<unsigned> given{0};
  return absl::StrCat("Thread-", given.fetch_add(1) + 1);
}

void name_this_thread(const std::string& name) {
  THREADREF_CHECK_CALL(pthread_setname_np(pthread_self(), name.substr(0, name_length).c_str()));
}

std::string this_thread_name() {
  std::array<char, name_length + 1> name{};
  THREADREF_CHECK_CALL(pthread_getname_np(pthread_self(), name.data(), name.size()));
  return name.data();
}

std::string log_line(std::string_view what) {
  return prefixed(this_thread_name(), what);
}

std::string log_line(const thread_handle& thread, std::string_view what) {
  return prefixed(thread.name(), what);
}

}  // namespace threadref::workers
