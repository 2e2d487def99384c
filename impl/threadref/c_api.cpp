// SPDX-License-Identifier: MIT
// The C interface over the C++ one. It only translates, and decides nothing.
#include <cxxabi.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "threadref/config.hpp"
#include "threadref/threadref.h"
#include "threadref/threadref.hpp"

struct threadref_ref {
  threadref::ref value;
};

namespace {

using namespace threadref;
using handle = finalizer<void>;

static_assert(sizeof(threadref_finalizer) == sizeof(handle));
static_assert(std::is_trivially_copyable_v<handle>);
static_assert(sizeof(threadref_exit_node) == sizeof(exit_node));
static_assert(alignof(threadref_exit_node) == alignof(exit_node));
static_assert(sizeof(threadref_thread::name) == sizeof(detail::block::name));

constexpr bool same(exit_phase a, threadref_phase b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(same(exit_phase::early, THREADREF_EARLY) && same(exit_phase::last, THREADREF_LAST) &&
              same(exit_phase::very_last, THREADREF_VERY_LAST));
constexpr bool same(thread_state a, threadref_thread_state b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(same(thread_state::running, THREADREF_RUNNING) &&
              same(thread_state::draining, THREADREF_DRAINING) &&
              same(thread_state::ended, THREADREF_ENDED));

threadref_status status_of(std::errc error) noexcept {
  return static_cast<threadref_status>(error);
}

// 16 bytes, so it is stored in place, and detach_all() sees both words.
struct plain_call {
  void (*fn)(void*);
  void* arg;
  void operator()() const { fn(arg); }
};

struct plain_ref_call {
  void (*fn)(const threadref_ref*, void*);
  void* arg;
  void operator()(const threadref::ref& self) const {
    const threadref_ref borrowed{self};
    fn(&borrowed, arg);
  }
};

threadref_thread describe(const thread_handle& of) {
  threadref_thread t{};
  t.serial = of.serial();
  t.tid = of.tid();
  of.name().copy(t.name, sizeof t.name - 1);
  t.is_main = of.is_main();
  t.state = static_cast<threadref_thread_state>(of.state());
  return t;
}

// Turns what the C++ interface throws into a status.
template <class F>
threadref_status status_of_call(F&& f) noexcept {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    return THREADREF_NO_MEMORY;
  } catch (const std::system_error& e) {
    return static_cast<threadref_status>(e.code().value());
  } catch (...) {
    return THREADREF_INVALID;  // std::invalid_argument: nothing else is thrown
  }
}

threadref_status make_ref(threadref_ref** made, auto&&... callback) noexcept {
  if (made == nullptr) return THREADREF_INVALID;
  *made = nullptr;
  return status_of_call([&] {
    // status_of_call() catches it. NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
    *made = new threadref_ref{threadref::ref(callback...)};
    return THREADREF_OK;
  });
}

// A zeroed C struct is an exit_node that is not attached: all its members are null or zero.
exit_node& node_in(threadref_exit_node& storage) noexcept {
  return *std::launder(reinterpret_cast<exit_node*>(&storage));
}

}  // namespace

const char* threadref_strerror(int status) noexcept {
  switch (status) {
    case THREADREF_OK:
      return "no error";
    case THREADREF_INVALID:
      return "an argument is null or out of range, or the exit node is not attached";
    case THREADREF_NO_MEMORY:
      return "there is not enough memory";
    case THREADREF_NO_RESOURCE:
      return "no thread-specific key is left, or too many threads are alive";
    case THREADREF_NOT_PERMITTED:
      return "the thread has ended, or the exit node belongs to another thread";
    case THREADREF_BUSY:
      return "the exit node is already attached";
    case THREADREF_UNSUPPORTED:
      return "registering here could call malloc, or the library is in a namespace of its own";
    case THREADREF_DEADLOCK:
      return "the thread would wait for itself";
    case THREADREF_GONE:
      return "the finalizer has run or been claimed, or its thread is exiting";
    case THREADREF_THREW:
      return "the finalizer ran and ended with a C++ exception";
    default:
      return "unknown status";
  }
}

threadref_status threadref_current(threadref_thread* thread) noexcept {
  if (thread == nullptr) return THREADREF_INVALID;
  return status_of_call([thread] {
    const thread_handle me = current();
    if (!me) return THREADREF_NOT_PERMITTED;
    *thread = describe(me);
    return THREADREF_OK;
  });
}

bool threadref_ensure() noexcept {
  return ensure();
}

threadref_status threadref_enumerate(threadref_thread* threads, size_t capacity,
                                     size_t* count) noexcept {
  if (count == nullptr || (threads == nullptr && capacity != 0)) return THREADREF_INVALID;
  return status_of_call([&] {
    const std::vector<thread_handle> all = enumerate();
    *count = all.size();
    const auto wanted = static_cast<std::ptrdiff_t>(std::min(capacity, all.size()));
    std::transform(all.begin(), all.begin() + wanted, threads, &describe);
    return THREADREF_OK;
  });
}

threadref_status threadref_finalize_in(threadref_phase phase, void (*fn)(void*), void* arg,
                                       threadref_finalizer* handle) noexcept {
  if (handle != nullptr) *handle = {};
  const bool known =
      phase == THREADREF_EARLY || phase == THREADREF_LAST || phase == THREADREF_VERY_LAST;
  if (fn == nullptr || !known) return THREADREF_INVALID;
  const auto made = try_finalize_in(static_cast<exit_phase>(phase), plain_call{fn, arg});
  if (made && handle != nullptr) *handle = std::bit_cast<threadref_finalizer>(made.handle);
  return status_of(made.error);
}

// Not by way of threadref_finalize_in(): this is the one that is timed.
threadref_status threadref_finalize(void (*fn)(void*), void* arg,
                                    threadref_finalizer* handle) noexcept {
  if (handle != nullptr) *handle = {};
  if (fn == nullptr) return THREADREF_INVALID;
  const auto made = try_finalize(plain_call{fn, arg});
  if (made && handle != nullptr) *handle = std::bit_cast<threadref_finalizer>(made.handle);
  return status_of(made.error);
}

THREADREF_CATCHES_UNWINDING threadref_status threadref_call(threadref_finalizer handle) {
  const auto wanted = std::bit_cast<::handle>(handle);
  // Pins the thread's block for the report, since the thread may end during the call.
  const std::optional<thread_handle> on = wanted.peek();
  if (!on) return THREADREF_GONE;
  try {
    return wanted() ? THREADREF_OK : THREADREF_GONE;
  } catch (abi::__forced_unwind&) {
    throw;
  } catch (...) {
    report(*std::bit_cast<detail::registration>(wanted).on, std::current_exception(),
           incident::threw);
    return THREADREF_THREW;
  }
}

threadref_status threadref_cancel(threadref_finalizer handle) noexcept {
  return std::bit_cast<::handle>(handle).cancel() ? THREADREF_OK : THREADREF_GONE;
}

bool threadref_alive(threadref_finalizer handle) noexcept {
  return std::bit_cast<::handle>(handle).alive();
}

bool threadref_atexit(threadref_finalizer handle) noexcept {
  return std::bit_cast<::handle>(handle).atexit();
}

void threadref_set_atexit(threadref_finalizer handle, bool wanted) noexcept {
  std::bit_cast<::handle>(handle).atexit(wanted);
}

// Calls the core and not the handle, which would throw what is a status here.
threadref_status threadref_wait(threadref_finalizer handle) {
  return status_of(default_backend::list::wait(std::bit_cast<detail::registration>(handle)));
}

threadref_status threadref_ref_make(threadref_ref** made) noexcept {
  return make_ref(made);
}

threadref_status threadref_ref_make_with(void (*fn)(const threadref_ref* self, void* arg),
                                         void* arg, threadref_ref** made) noexcept {
  if (made != nullptr) *made = nullptr;
  if (fn == nullptr) return THREADREF_INVALID;
  return make_ref(made, plain_ref_call{fn, arg});
}

threadref_status threadref_ref_copy(const threadref_ref* of, threadref_ref** made) noexcept {
  if (made == nullptr) return THREADREF_INVALID;
  *made = of != nullptr ? new (std::nothrow) threadref_ref(*of) : nullptr;
  return of != nullptr && *made == nullptr ? THREADREF_NO_MEMORY : THREADREF_OK;
}

void threadref_ref_drop(threadref_ref* ref) noexcept {
  delete ref;
}

bool threadref_ref_expired(const threadref_ref* ref) noexcept {
  return ref == nullptr || ref->value.expired();
}

bool threadref_ref_lock(const threadref_ref* ref, threadref_thread* thread) noexcept {
  if (ref == nullptr) return false;
  const thread_handle t = ref->value.lock();
  if (!t) return false;
  if (thread != nullptr) *thread = describe(t);
  return true;
}

bool threadref_ref_equal(const threadref_ref* a, const threadref_ref* b) noexcept {
  if (a == nullptr || b == nullptr) return a == b;
  return a->value == b->value;
}

threadref_status threadref_exit_node_attach(threadref_exit_node* node, void (*fn)(void*),
                                            void* arg) noexcept {
  if (node == nullptr) return THREADREF_INVALID;
  return status_of(node_in(*node).attach(fn, arg));
}

threadref_status threadref_exit_node_attach_inside_malloc(threadref_exit_node* node,
                                                          void (*fn)(void*), void* arg) noexcept {
  if (node == nullptr) return THREADREF_INVALID;
  return status_of(node_in(*node).attach_inside_malloc(fn, arg));
}

threadref_status threadref_exit_node_detach(threadref_exit_node* node) noexcept {
  return node != nullptr ? status_of(node_in(*node).detach()) : THREADREF_INVALID;
}

threadref_status threadref_register_destructor(void** variable, void (*fn)(void*)) noexcept {
  return static_cast<threadref_status>(register_destructor(variable, fn).value());
}

bool threadref_unregister_destructor(void** variable) noexcept {
  return unregister_destructor(variable);
}

threadref_counters threadref_stats() noexcept {
  const counters now = stats();
  return {.registered = now.registered,
          .ran_at_exit = now.ran_at_exit,
          .ran_by_call = now.ran_by_call,
          .detached = now.detached,
          .dropped = now.dropped,
          .ran_at_process_exit = now.ran_at_process_exit,
          .forgotten = now.forgotten,
          .abandoned = now.abandoned};
}

void threadref_trim() noexcept {
  trim();
}

void threadref_keep_loaded(const void* address_in_object) noexcept {
  detail::keep_object(address_in_object);
}

size_t threadref_detach_all(const void* address_in_object) noexcept {
  return default_backend::list::detach_all(detail::object_with(address_in_object),
                                           __builtin_return_address(0));
}
