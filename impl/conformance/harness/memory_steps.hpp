// SPDX-License-Identifier: MIT
// One registration of each kind, on a thread where any allocation may fail; and the result of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "testing/check.hpp"
#include "testing/memory_hooks.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

enum class step : unsigned char {
  small,     // in place
  boxed,     // too large for that
  copying,   // with an argument that allocates when it is copied
  callback,  // of a ref
  destructor,
  node,
  very_last,
  many,   // small ones, more than one mapping of the library holds
  early,  // which has a thread_local of its own
  last = early
};
inline constexpr std::size_t steps = static_cast<std::size_t>(step::last) + 1;

class copies_allocate {
 public:
  copies_allocate() : memory_(std::make_unique<int>(0)) { ++alive; }
  copies_allocate(const copies_allocate& other) : memory_(std::make_unique<int>(*other.memory_)) {
    ++alive;
  }
  copies_allocate& operator=(const copies_allocate&) = delete;
  ~copies_allocate() { --alive; }
  static inline int alive = 0;

 private:
  std::unique_ptr<int> memory_;
};

// A direct back end may run them in another order than they were made in, and needs memory for
// each.
template <backend B>
inline constexpr bool one_list = !detail::direct_hook<B>;

template <backend B>
class registrations {
 public:
  // Makes all steps, on the calling thread. `now` is the current step, which the parent reads if
  // the process ends.
  void make(volatile step& now) {
    for (std::size_t i = 0; i != steps; ++i) {
      now = static_cast<step>(i);
      const counters before = stats<B>();
      made_[i] = now == step::many ? make_many() : (succeeds(now) ? 1 : 0);
      THREADREF_CHECK(stats<B>().registered - before.registered == made_[i],
                      "a registration was counted but failed, or the other way round");
      THREADREF_CHECK(copies_allocate::alive == 1 + static_cast<int>(made(step::copying)),
                      "a refused registration left a copy, or one that succeeded has none");
      THREADREF_CHECK(callback_.has_value() == (made(step::callback) != 0),
                      "a ref exists but failed to register, or the other way round");
      THREADREF_CHECK(node_.is_attached() == (made(step::node) != 0),
                      "an exit_node is attached but failed to register, or the other way round");
    }
  }
  // From the first one that runs on, `watch` sees the thread's allocations.
  void watch_exit(testing::memory_watch& watch) noexcept { at_exit_ = &watch; }

  // After the exit: exactly what was registered ran, once, and was counted as `counted`.
  void judge(std::uint64_t counters::*counted) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i != steps; ++i) {
      THREADREF_CHECK(ran_[i] >= made_[i], "a registration did not run");
      THREADREF_CHECK(ran_[i] <= made_[i], "a refused registration ran, or one ran twice");
      sum += made_[i];
    }
    THREADREF_CHECK(in_order_ || !one_list<B>, "finalizers did not run newest first");
    const counters all = stats<B>();
    THREADREF_CHECK(all.registered == sum && all.*counted == sum, "miscounted");
    THREADREF_CHECK(copies_allocate::alive == 1, "a copy of an argument was not destroyed");
    THREADREF_CHECK(!node_.is_attached(), "an exit_node that ran is still attached");
  }
  [[nodiscard]] std::uint64_t made(step s) const { return made_[static_cast<std::size_t>(s)]; }

 private:
  bool succeeds(step s) {
    try {
      const std::errc error = make_one(s);
      return error == std::errc{} || is_refused(error);
    } catch (const std::bad_alloc&) {
      return false;
    } catch (const std::system_error& e) {
      return is_refused(static_cast<std::errc>(e.code().value()));
    } catch (...) {
      testing::die("an exception that is not documented for failed allocations", __FILE__, __LINE__,
                   0);
    }
  }
  // Without memory, a block is unavailable too.
  static bool is_refused(std::errc error) {
    THREADREF_CHECK(
        error == std::errc::not_enough_memory || error == std::errc::resource_unavailable_try_again,
        "an error that is not documented for failed allocations");
    return false;
  }
  std::errc make_one(step s) {
    switch (s) {
      case step::small:
        return try_finalize<B>([this] { note(step::small); }).error;
      case step::boxed:
        finalize<B>([this, more = std::array<std::byte, 64>{}] {
          static_cast<void>(more);
          note(step::boxed);
        });
        return {};
      case step::copying:
        finalize<B>([this](const copies_allocate&) { note(step::copying); }, original_);
        return {};
      case step::callback:
        callback_.emplace([this](const basic_ref<B>&) { note(step::callback); });
        return {};
      case step::destructor:
        variable_ = this;
        return static_cast<std::errc>(
            register_destructor<B>(&variable_, &run<step::destructor>).value());
      case step::node:
        return node_.attach(&run<step::node>, this);
      case step::very_last:
        return try_finalize_in<B>(exit_phase::very_last, [this] { note(step::very_last); }).error;
      case step::early:
        return try_finalize_in<B>(exit_phase::early, [this] { note(step::early); }).error;
      case step::many:
        break;
    }
    return std::errc::invalid_argument;
  }
  std::uint64_t make_many() {
    std::uint64_t count = 0;
    for (int i = 0; i != (one_list<B> ? 50'000 : 50); ++i) {
      const std::errc error = try_finalize<B>([this] { note(step::many); }).error;
      if (error == std::errc{} || is_refused(error)) ++count;
    }
    return count;
  }

  template <step S>
  static void run(void* self) {
    static_cast<registrations*>(self)->note(S);
  }
  void note(step s) noexcept {
    if (at_exit_ != nullptr) testing::watch_memory(std::exchange(at_exit_, nullptr));
    ++ran_[static_cast<std::size_t>(s)];
    if (s == step::destructor || s == step::very_last || s == step::early) return;
    in_order_ = in_order_ && s <= newest_left_;
    newest_left_ = s;
  }

  testing::memory_watch* at_exit_ = nullptr;
  std::array<std::uint64_t, steps> made_{};
  std::array<std::uint64_t, steps> ran_{};
  step newest_left_ = step::last;
  bool in_order_ = true;
  copies_allocate original_;
  void* variable_ = nullptr;
  std::optional<basic_ref<B>> callback_;
  basic_exit_node<B> node_;
};

}  // namespace threadref::conformance
