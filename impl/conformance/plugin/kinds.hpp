// SPDX-License-Identifier: MIT
// One finalizer of each kind; their code and types belong to the plugin that includes this.
#pragma once

#include <sched.h>

#include <array>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "conformance/plugin/plugin.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// Counts its destruction, unless it was moved from.
class token {
 public:
  explicit token(plugin_tally& tally) noexcept : tally_(&tally) {}
  token(const token& other) = default;
  token& operator=(const token&) = delete;
  token(token&& other) noexcept : tally_(std::exchange(other.tally_, nullptr)) {}
  ~token() {
    if (tally_ != nullptr) ++tally_->destroyed;
  }
  void operator()() const { ++tally_->ran; }

 private:
  plugin_tally* tally_;
};

// Too large to be stored in place.
struct boxed_token {
  token held;
  std::array<std::byte, 64> more{};
  void operator()() const { held(); }
};

inline void count_plainly(plugin_tally* tally) {
  ++tally->ran;
}
inline void count_value(void* value) {
  ++static_cast<plugin_tally*>(value)->ran;
}
// Hidden: else g++ makes it the same variable in all plugins.
[[gnu::visibility("hidden")]] inline constinit thread_local void* variable = nullptr;

template <backend B>
bool register_kinds(plugin_tally& tally) {
  finalize<B>(&count_plainly, &tally);
  finalize<B>(token(tally));
  finalize<B>(boxed_token{token(tally), {}});
  // A copy of the token would count itself.
  std::function<void()> function = [held = std::make_shared<token>(tally)] { (*held)(); };
  finalize<B>(std::move(function));
  variable = &tally;
  return register_destructor<B>(&variable, &count_value) == std::error_code{};
}

template <backend B>
bool register_slow(plugin_tally& tally, bool call) {
  const auto made = finalize<B>([&tally] {
    ++tally.running;
    while (tally.destroyed != tally.wait_for) sched_yield();
    // A caller that does not wait for the end of this has every chance to overtake it.
    for (int i = 0; i != 1'000; ++i) sched_yield();
    ++tally.finished;
  });
  return !call || made();
}

// Calls f.template operator()<B>() for the back end of that name. False: there is no such back end.
template <class F>
bool with_backend(const char* name, F&& f) {
  bool done = false;
  for_each_type(backends{}, [&]<class B>() {
    if (B::info.name == std::string_view(name)) done = f.template operator()<B>();
  });
  return done;
}

inline bool use(const char* backend, plugin_tally& tally) {
  return with_backend(backend, [&tally]<class B>() { return register_kinds<B>(tally); });
}
inline std::uint64_t registered(const char* backend) {
  std::uint64_t count = 0;
  with_backend(backend, [&count]<class B>() {
    count = stats<B>().registered;
    return true;
  });
  return count;
}
inline std::errc try_one(const char* backend, plugin_tally& tally) {
  std::errc error{};
  with_backend(backend, [&]<class B>() {
    error = try_finalize<B>(&count_plainly, &tally).error;
    return true;
  });
  return error;
}
inline bool use_slow(const char* backend, plugin_tally& tally, bool call) {
  return with_backend(backend, [&]<class B>() { return register_slow<B>(tally, call); });
}

}  // namespace threadref::conformance
