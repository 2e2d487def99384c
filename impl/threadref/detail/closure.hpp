// SPDX-License-Identifier: MIT
// A callable with its arguments, type-erased to one function pointer and 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

inline constexpr std::size_t closure_bytes = 16;

enum class closure_op : unsigned char {
  run,       // call once and destroy; `other`: where the result goes, or null; returns false if
             // the call was ref_call::skipped
  destroy,   // destroy without calling
  relocate,  // move into the storage `other` and destroy; never throws
};
using closure_fn = bool (*)(void* storage, closure_op op, void* other);

// The result of a callable that may find nothing to do when its turn comes, like a ref callback
// whose last handle was dropped. Skipped ones count as dropped, not as run.
enum class ref_call : bool { skipped, ran };

// As std::invoke(), whose header <functional> takes a third as long to compile as <thread>.
template <class F, class... A>
decltype(auto) invoke(F&& f, A&&... a) {
  if constexpr (std::is_member_pointer_v<std::remove_cvref_t<F>>) {
    return std::apply(f, std::forward_as_tuple(std::forward<A>(a)...));
  } else {
    return std::forward<F>(f)(std::forward<A>(a)...);
  }
}

// A callable and its decay-copied arguments. Called once, with rvalues, so that move-only arguments
// can be passed on.
template <class F, class... A>
struct bound {
  template <class G, class... X>
  explicit bound(std::in_place_t /*tag*/, G&& f, X&&... a)
      : parts(std::forward<G>(f), std::forward<X>(a)...) {}
  std::tuple<F, A...> parts;
  decltype(auto) operator()() {
    return std::apply(
        [](F& f, A&... a) -> decltype(auto) {
          return detail::invoke(std::move(f), std::move(a)...);
        },
        parts);
  }
};

// Small callables are stored in place. Their move must not throw: it happens after a claim was won.
template <class T>
inline constexpr bool fits_inline =
    sizeof(T) <= closure_bytes &&
    alignof(T) <= alignof(std::uintptr_t) && std::is_nothrow_move_constructible_v<T>;

// Moved without running code. std::tuple moves trivial elements so, but its type traits deny it.
template <class T>
inline constexpr bool moves_trivially = std::is_trivially_move_constructible_v<T>;
template <class... A>
inline constexpr bool moves_trivially<bound<A...>> = (moves_trivially<A> && ...);

// Moving it into place may run user code: anything, including a registration.
template <class T>
inline constexpr bool runs_code_as_it_moves = fits_inline<T> && !moves_trivially<T>;

// Stored in place, with bytes that may be copied and dropped without running code; a flag of its
// node says so. (A type whose move runs a constructor template can be trivially copyable too; hence
// the second condition.)
template <class T>
inline constexpr bool is_plain_closure =
    fits_inline<T> && !runs_code_as_it_moves<T> && std::is_trivially_copyable_v<T>;

template <class T>
void destroy_quietly(T& object) noexcept(std::is_nothrow_destructible_v<T>) {
  if constexpr (std::is_nothrow_destructible_v<T>) {
    object.~T();
  } else {
    try {
      object.~T();
    } catch (...) {  // only the exception that is already in flight is reported
    }
  }
}

// How an object of type T is stored in the 16 bytes: in place, or by a pointer to a box.
template <class T>
struct closure_storage {
  static T& object(void* storage) noexcept {
    if constexpr (fits_inline<T>) {
      return *std::launder(static_cast<T*>(storage));
    } else {
      return **static_cast<T**>(storage);
    }
  }
  template <class... A>
  static void create(void* storage, A&&... a) noexcept requires fits_inline<T> {
    ::new (storage) T(std::forward<A>(a)...);
  }
  // Takes ownership of an object made by new.
  static void box(void* storage, T* object) noexcept requires(!fits_inline<T>) {
    ::new (storage) T*(object);
  }
  // Frees the memory of a boxed object that is already destroyed.
  struct box_guard {
    void* storage;
    ~box_guard() {
      if constexpr (!fits_inline<T>) {
        T* box = *static_cast<T**>(storage);
        if constexpr (alignof(T) > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
          ::operator delete (box, std::align_val_t{alignof(T)});
        } else {
          ::operator delete(box);  // unsized: clang 14 has no other by default
        }
      }
    }
  };
  static void destroy(void* storage) {
    const box_guard free_memory{storage};
    object(storage).~T();
  }
  static void destroy_while_unwinding(void* storage) {
    const box_guard free_memory{storage};
    destroy_quietly(object(storage));
  }
  static void relocate(void* from, void* to) noexcept {
    if constexpr (fits_inline<T>) {
      T& old = object(from);
      ::new (to) T(std::move(old));
      destroy_quietly(old);
    } else {
      std::memcpy(to, from, sizeof(T*));
    }
  }
};

// Owns a boxed object until a list takes it over. As std::unique_ptr, without its header <memory>:
// see counted.hpp.
template <class T>
class boxed {
 public:
  template <class... A>
  explicit boxed(std::in_place_t /*tag*/, A&&... a) : object_(new T(std::forward<A>(a)...)) {}
  boxed(const boxed&) = delete;
  boxed& operator=(const boxed&) = delete;
  ~boxed() { delete object_; }
  T* release() noexcept { return std::exchange(object_, nullptr); }

 private:
  T* object_;
};

template <class R, class T>
bool invoke_into(T& callable, [[maybe_unused]] void* result) {
  if constexpr (std::is_same_v<R, ref_call>) {
    return callable() == ref_call::ran;
  } else if constexpr (std::is_void_v<R>) {
    callable();
  } else if (result != nullptr) {
    static_cast<std::optional<R>*>(result)->emplace(callable());
  } else {
    static_cast<void>(callable());
  }
  return true;
}

// The function behind a stored T whose call returns an R.
template <class R, class T>
bool closure_model(void* storage, closure_op op, void* other) {
  using stored = closure_storage<T>;
  if (op == closure_op::run) [[likely]] {
    if constexpr (fits_inline<T> && std::is_trivially_destructible_v<T>) {
      return invoke_into<R>(stored::object(storage), other);
    } else {
      bool ran = true;
      try {
        ran = invoke_into<R>(stored::object(storage), other);
      } catch (...) {
        stored::destroy_while_unwinding(storage);
        throw;
      }
      stored::destroy(storage);
      return ran;
    }
  }
  if (op == closure_op::destroy) {
    stored::destroy(storage);
  } else {
    stored::relocate(storage, other);
  }
  return true;
}

// A closure outside a list, as detach() returns it. Owns the callable. Move-only.
class detached_closure {
 public:
  detached_closure() = default;
  detached_closure(detached_closure&& other) noexcept { take(other); }
  detached_closure& operator=(detached_closure&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  detached_closure(const detached_closure&) = delete;
  detached_closure& operator=(const detached_closure&) = delete;
  ~detached_closure() { reset(); }

  // Moves the callable out of `storage`, which the caller owns by a claim.
  void take_from(closure_fn fn, void* storage) noexcept {
    fn(storage, closure_op::relocate, bytes_);
    fn_ = fn;
  }
  // The same for a plain closure, by copying its bytes. Runs no user code, so a lock may be held.
  void copy_from(closure_fn fn, const void* storage) noexcept {
    std::memcpy(bytes_, storage, closure_bytes);
    fn_ = fn;
  }
  bool run(void* result) {
    const closure_fn fn = std::exchange(fn_, nullptr);
    return fn != nullptr && fn(bytes_, closure_op::run, result);
  }
  // A user's destructor that throws here ends the program, as for any other object.
  void reset() noexcept {
    if (const closure_fn fn = std::exchange(fn_, nullptr)) fn(bytes_, closure_op::destroy, nullptr);
  }

 private:
  void take(detached_closure& other) noexcept {
    if (const closure_fn fn = std::exchange(other.fn_, nullptr)) take_from(fn, other.bytes_);
  }
  closure_fn fn_ = nullptr;
  alignas(std::uintptr_t) std::byte bytes_[closure_bytes];
};

}  // namespace threadref::inline THREADREF_ABI::detail
