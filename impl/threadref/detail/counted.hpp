// SPDX-License-Identifier: MIT
// Intrusive reference counts. As std::shared_ptr and std::weak_ptr, whose header <memory> takes a
// fifth as long to compile as <thread>; every file that includes threadref.hpp would pay for that.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

// The base of a counted object. Made by `new` and passed to an owned_ptr. perish() is called when
// the last owner is gone; the memory is freed with the last observer.
class counted {
 public:
  counted() = default;
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;

 protected:
  virtual ~counted() = default;
  // Called once, when no owner can be added any more.
  virtual void perish() noexcept = 0;

 private:
  template <class T>
  friend class owned_ptr;
  template <class T>
  friend class observed_ptr;

  // Call these only as an owner or observer.
  void own() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
  void observe() noexcept { observers_.fetch_add(1, std::memory_order_relaxed); }
  bool own_if_alive() noexcept {
    std::uint32_t owners = owners_.load(std::memory_order_relaxed);
    while (owners != 0) {
      if (owners_.compare_exchange_weak(owners, owners + 1, std::memory_order_acquire,
                                        std::memory_order_relaxed))
        return true;
    }
    return false;
  }
  // Release: what an owner did happens before the end, which the last owner brings about.
  void disown() noexcept {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    perish();
    overlook();
  }
  void overlook() noexcept {
    if (observers_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  std::atomic<std::uint32_t> owners_{1};
  std::atomic<std::uint32_t> observers_{1};  // all owners together count as one
};

// A pointer that owns its object, or null.
template <class T>
class owned_ptr {
 public:
  owned_ptr() = default;
  explicit owned_ptr(T* made) noexcept : object_(made) {}
  owned_ptr(const owned_ptr& other) noexcept : object_(other.object_) {
    if (object_ != nullptr) base().own();
  }
  owned_ptr(owned_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  owned_ptr& operator=(owned_ptr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~owned_ptr() {
    if (object_ != nullptr) base().disown();
  }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  template <class U>
  friend class observed_ptr;
  counted& base() const noexcept { return *object_; }
  T* object_ = nullptr;
};

// A pointer that observes its object. lock() makes an owner of it while there still is one. Null
// once moved from.
template <class T>
class observed_ptr {
 public:
  explicit observed_ptr(const owned_ptr<T>& of) noexcept : object_(of.object_) { base().observe(); }
  observed_ptr(observed_ptr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  observed_ptr(const observed_ptr&) = delete;
  observed_ptr& operator=(const observed_ptr&) = delete;
  observed_ptr& operator=(observed_ptr&&) = delete;
  ~observed_ptr() {
    if (object_ != nullptr) base().overlook();
  }
  [[nodiscard]] owned_ptr<T> lock() const noexcept {
    return owned_ptr<T>(base().own_if_alive() ? object_ : nullptr);
  }

 private:
  counted& base() const noexcept { return *object_; }
  T* object_;
};

}  // namespace threadref::inline THREADREF_ABI::detail
