// SPDX-License-Identifier: MIT
// A value for each thread, of an object and not of the whole program as a thread_local is.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "threadref/finalize.hpp"

namespace threadref::workers {

// How a local<T> learns that a thread exits: attach(f) has f called then, and gives what cancels
// it.
template <backend B = default_backend>
struct by_finalize {
  template <class F>
  static finalizer<void, B> attach(F f) {
    return finalize<B>(std::move(f));
  }
};

// A number that no other thread has: readable to the very end of a thread, when a thread_local
// object is no more, and a pthread_t may already mean somebody else to the reader of a map.
inline std::uint64_t number_of_this_thread() noexcept {
  static constinit std::atomic<std::uint64_t> given{0};
  static constinit thread_local std::uint64_t mine = 0;
  if (mine == 0) mine = given.fetch_add(1) + 1;
  return mine;
}

// As many of these as one likes, in any place. A thread's value is made by its first get(), once,
// and destroyed by that thread's exit: as finalizers run newest first, values go in the reverse
// order of their first use, and whatever was registered after the first get() still finds it. If
// the object dies first, its destructor destroys the values that are left, and no thread's exit has
// anything to do with it any more. A thread whose exit has taken its value when that happens
// destroys it itself, perhaps later.
//
// The calls of one thread are its own: only it gets its value. A lock and a search each time, so
// keep the reference in a loop.
template <class T, class AtExit = by_finalize<>>
class local {
 public:
  local() : local([] { return T(); }) {}
  // make() gives each thread's value, on that thread; several may call it at once.
  explicit local(std::function<T()> make) : make_(std::move(make)) {}
  ~local() {
    values left;
    {
      const std::lock_guard lock(all_->m);
      left.swap(all_->of);
    }
    for (auto& [thread, its] : left) its.at_exit.cancel();
  }
  local(const local&) = delete;
  local& operator=(const local&) = delete;

  // The value of the calling thread. What make() throws is passed on, and what finalize() throws if
  // the exit can't be heard; then there is none.
  T& get() {
    if (T* const existing = find()) return *existing;
    const std::uint64_t me = number_of_this_thread();
    std::unique_ptr<T> made(new T(make_()));
    T& value = *made;
    auto at_exit = AtExit::attach([all = std::weak_ptr<shared>(all_), me] { destroy(all, me); });
    const std::lock_guard lock(all_->m);
    all_->of.insert_or_assign(me, one{std::move(made), std::move(at_exit)});
    return value;
  }
  // The same if it has one; else null.
  [[nodiscard]] T* find() const {
    const std::lock_guard lock(all_->m);
    const auto at = all_->of.find(number_of_this_thread());
    return at == all_->of.end() ? nullptr : at->second.value.get();
  }

 private:
  struct shared;
  static void destroy(const std::weak_ptr<shared>& of, std::uint64_t thread) {
    const std::shared_ptr<shared> all = of.lock();
    if (all == nullptr) return;
    std::unique_ptr<T> gone;  // without the lock: its destructor may use this object
    const std::lock_guard lock(all->m);
    const auto at = all->of.find(thread);
    if (at == all->of.end()) return;
    gone = std::move(at->second.value);
    all->of.erase(at);
  }

  struct one {
    std::unique_ptr<T> value;
    decltype(AtExit::attach(std::declval<std::function<void()>>())) at_exit;
  };
  using values = absl::flat_hash_map<std::uint64_t, one>;
  struct shared {
    std::mutex m;
    values of;
  };

  const std::function<T()> make_;
  const std::shared_ptr<shared> all_ = std::make_shared<shared>();
};

}  // namespace threadref::workers
