// SPDX-License-Identifier: MIT
// A value per thread and object, whereas a thread_local is per thread and program.
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

// How a local<T> is notified of a thread's exit: attach(f) registers f, and returns a handle that
// can cancel it.
template <backend B = default_backend>
struct by_finalize {
  template <class F>
  static finalizer<void, B> attach(F f) {
    return finalize<B>(std::move(f));
  }
};

// A unique number of the calling thread. It can be read until the very end of a thread, after
// thread_local objects have been destroyed. A pthread_t would not do: the system reuses it.
inline std::uint64_t number_of_this_thread() noexcept {
  static constinit std::atomic<std::uint64_t> given{0};
  static constinit thread_local std::uint64_t mine = 0;
  if (mine == 0) mine = given.fetch_add(1) + 1;
  return mine;
}

// There may be any number of these, anywhere. A thread's first get() creates its value, and that
// thread's exit destroys it. Finalizers run newest first, so values are destroyed in the reverse
// order of their first use, and finalizers registered after the first get() can still use them. If
// the object is destroyed first, its destructor destroys the remaining values, and the exits of
// threads have nothing left to do. A thread whose exit is just destroying its value then completes
// that itself, perhaps later.
//
// A thread can reach only its own value. Each call takes a lock and searches, so keep the reference
// in a loop.
template <class T, class AtExit = by_finalize<>>
class local {
 public:
  local() : local([] { return T(); }) {}
  // make() creates each thread's value, on that thread; several threads may call it at once.
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

  // The value of the calling thread. Throws what make() throws, and what finalize() throws; then
  // there is no value.
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
  // The same if it exists, else null.
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
    std::unique_ptr<T> gone;  // destroyed after the lock: its destructor may use this object
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
