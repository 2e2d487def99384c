// SPDX-License-Identifier: MIT
// One back end that stands for several, one after the other: the checks, and what the library
// inlines into them, are compiled once for all of these, and call each through a table.
//
// This does not test how the compiler inlines a back end's find() and exit_list::add() into a
// user's code. The back ends that are compiled by themselves do: see subjects.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include "threadref/threadref.hpp"

namespace threadref::conformance {

// A closure that is being added to a list that does not know its type.
struct erased_closure {
  detail::closure_fn fn;
  bool is_plain;
  alignas(std::uintptr_t) std::byte bytes[detail::closure_bytes] = {};
  void* moved_to = nullptr;  // its place in the list; null: it is still in `bytes`
};

// What the list stores in its place: either plain bytes, or an object whose move constructor calls
// the closure's.
struct plain_stand_in {
  std::uintptr_t words[2];
  void operator()() const {}
};
class moving_stand_in {
 public:
  // Lives while the calling thread adds that closure, whose move may add another one.
  class adding {
   public:
    explicit adding(erased_closure& what) : outer_(std::exchange(current, &what)) {}
    adding(const adding&) = delete;
    adding& operator=(const adding&) = delete;
    ~adding() { current = outer_; }

   private:
    erased_closure* const outer_;
  };
  moving_stand_in() noexcept {}  // NOLINT(modernize-use-equals-default): leaves the bytes alone
  moving_stand_in(moving_stand_in&& /*other*/) noexcept {
    current->fn(current->bytes, detail::closure_op::relocate, bytes_);
    current->moved_to = this;
  }
  // Destroys a closure that could not be registered after all.
  ~moving_stand_in() {
    if (current != nullptr && current->moved_to == this)
      current->fn(bytes_, detail::closure_op::destroy, nullptr);
  }
  void operator()() const {}

 private:
  static inline constinit thread_local erased_closure* current = nullptr;
  alignas(std::uintptr_t) std::byte bytes_[detail::closure_bytes];
};

template <class B>
detail::added add_erased(detail::exit_place place, erased_closure& what) {
  detail::added in;
  if (what.is_plain) {
    plain_stand_in bytes{};
    std::memcpy(&bytes, what.bytes, sizeof bytes);
    in = B::list::template add<void, plain_stand_in>(place, bytes);
  } else {
    const moving_stand_in::adding now(what);
    in = B::list::template add<void, moving_stand_in>(place);
    if (what.moved_to == nullptr) what.fn(what.bytes, detail::closure_op::destroy, nullptr);
  }
  if (in.error != std::errc{}) return in;
  // Another thread's detach_all() may have claimed it already.
  const std::lock_guard lock(in.at.on->m);
  if (in.at.at->seen_by(in.at.generation) == detail::node::armed) in.at.at->fn = what.fn;
  return in;
}

// The functions of an exit list that headers of the library call.
struct list_table {
  const backend_info& info;
  detail::domain& (*all)() noexcept;
  detail::block* (*own)() noexcept;
  detail::attached (*attach)() noexcept;
  bool (*ended)() noexcept;
  detail::added (*add)(detail::exit_place place, erased_closure& what);
  std::errc (*add_node)(detail::intrusive_node& n, void (*fn)(void*), void* arg,
                        exit_phase phase) noexcept;
  std::errc (*remove_node)(detail::intrusive_node& n) noexcept;
  void (*end_node)(detail::intrusive_node& n) noexcept;
  bool (*call)(detail::registration r, void* result);
  bool (*detach)(detail::registration r, detail::detached_closure& into) noexcept;
  bool (*cancel)(detail::registration r, std::atomic<std::uint64_t> detail::tally::*count) noexcept;
  detail::node::state (*state)(const detail::registration& r) noexcept;
  bool (*peek)(const detail::registration& r) noexcept;
  bool (*runs_at_process_exit)(const detail::registration& r) noexcept;
  void (*set_process_exit)(const detail::registration& r, bool wanted) noexcept;
  std::errc (*wait)(const detail::registration& r);
  bool (*remove_destructors)(bool (*wanted)(void* of, const void* closure), void* of) noexcept;
  std::size_t (*detach_all)(const detail::code_range& code, const void* caller) noexcept;
  bool (*can_register_inside_malloc)() noexcept;
  bool is_direct;
};

template <class B>
bool remove_wanted_destructors(bool (*wanted)(void* of, const void* closure), void* of) noexcept {
  return B::list::remove_destructors([=](const void* closure) { return wanted(of, closure); });
}

template <backend B, class L = typename B::list>
inline constexpr list_table table_of{.info = B::info,
                                     .all = &L::all,
                                     .own = &L::own,
                                     .attach = &L::attach,
                                     .ended = &L::ended,
                                     .add = &add_erased<B>,
                                     .add_node = &L::add_node,
                                     .remove_node = &L::remove_node,
                                     .end_node = &L::end_node,
                                     .call = &L::call,
                                     .detach = &L::detach,
                                     .cancel = &L::cancel,
                                     .state = &L::state,
                                     .peek = &L::peek,
                                     .runs_at_process_exit = &L::runs_at_process_exit,
                                     .set_process_exit = &L::set_process_exit,
                                     .wait = &L::wait,
                                     .remove_destructors = &remove_wanted_destructors<B>,
                                     .detach_all = &L::detach_all,
                                     .can_register_inside_malloc = &can_register_inside_malloc<B>,
                                     .is_direct = detail::direct_hook<B>};

// An exit_list, as far as the library's headers and the checks use it.
class any_list {
 public:
  using registration = detail::registration;
  static inline const list_table* selected = nullptr;

  static detail::domain& all() noexcept { return selected->all(); }
  static detail::block* own() noexcept { return selected->own(); }
  static detail::attached attach() noexcept { return selected->attach(); }
  static bool ended() noexcept { return selected->ended(); }
  // As exit_list::add(): constructs the closure when the thread is known, before it has a place.
  template <class R, class Stored, class... A>
  static detail::added add(detail::exit_place place, A&&... a) {
    const auto [b, error] = attach();
    if (b == nullptr) return {{}, error};
    erased_closure what{&detail::closure_model<R, Stored>, detail::is_plain_closure<Stored>};
    if constexpr (detail::fits_inline<Stored>) {
      ::new (static_cast<void*>(what.bytes)) Stored(std::forward<A>(a)...);
    } else {
      auto box = std::make_unique<Stored>(std::forward<A>(a)...);
      detail::closure_storage<Stored>::box(what.bytes, box.release());
    }
    return selected->add(place, what);
  }
  static std::errc add_node(detail::intrusive_node& n, void (*fn)(void*), void* arg,
                            exit_phase phase) noexcept {
    return selected->add_node(n, fn, arg, phase);
  }
  static std::errc remove_node(detail::intrusive_node& n) noexcept {
    return selected->remove_node(n);
  }
  static void end_node(detail::intrusive_node& n) noexcept { selected->end_node(n); }
  static bool call(const registration& r, void* result) { return selected->call(r, result); }
  static bool detach(const registration& r, detail::detached_closure& into) noexcept {
    return selected->detach(r, into);
  }
  static bool cancel(const registration& r, std::atomic<std::uint64_t> detail::tally::*count =
                                                &detail::tally::detached) noexcept {
    return selected->cancel(r, count);
  }
  static detail::node::state state(const registration& r) noexcept { return selected->state(r); }
  static bool peek(const registration& r) noexcept { return selected->peek(r); }
  static bool runs_at_process_exit(const registration& r) noexcept {
    return selected->runs_at_process_exit(r);
  }
  static void set_process_exit(const registration& r, bool wanted) noexcept {
    selected->set_process_exit(r, wanted);
  }
  static std::errc wait(const registration& r) { return selected->wait(r); }
  template <class F>
  static bool remove_destructors(F&& wanted) noexcept {
    return selected->remove_destructors(
        [](void* of, const void* closure) { return (*static_cast<F*>(of))(closure); }, &wanted);
  }
  static std::size_t detach_all(const detail::code_range& code, const void* caller) noexcept {
    return selected->detach_all(code, caller);
  }
};

struct any_backend {
  static inline backend_info info{};
  using list = any_list;
  static void become(const list_table& table) {
    info = table.info;
    list::selected = &table;
  }
  // What the concept `backend` requires. Only exit_list calls more than the first.
  static detail::block* find() noexcept { return list::own(); }
  static std::errc arm(detail::block& b) noexcept;
  static void forget() noexcept;
};

// Does the back end register each finalizer with the system separately?
template <backend B>
bool is_direct() {
  return detail::direct_hook<B>;
}
template <>
inline bool is_direct<any_backend>() {
  return any_list::selected->is_direct;
}

}  // namespace threadref::conformance

template <>
inline bool threadref::can_register_inside_malloc<threadref::conformance::any_backend>() noexcept {
  return conformance::any_list::selected->can_register_inside_malloc();
}
