// SPDX-License-Identifier: MIT
#include "threadref/detail/process.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include "threadref/config.hpp"
#include "threadref/detail/domain.hpp"
#include "threadref/detail/memory.hpp"
#include "threadref/detail/word_lock.hpp"

extern "C" void* __dso_handle;

namespace threadref::inline THREADREF_ABI {

namespace detail {

namespace {

// A shared object that dlclose() does not unload.
struct kept {
  std::uintptr_t address;  // in it
  void* handle;            // of a dlopen() of ours
  kept* next;
};

// Constant-initialised and trivially destructible: used before the first constructor and after the
// last destructor.
struct process {
  word_lock m;                          // the first lock in the lock order of the library
  std::atomic<domain*> first{nullptr};  // changed under m
  kept* objects = nullptr;              // changed under m
  bool keeps_objects_for_good = false;
  std::atomic<bool> frozen{false};
  std::atomic<bool> configuring{false};  // under m: the_options is becoming `wanted`
  options wanted;                        // under m
  std::atomic<std::uint64_t> order{0};
  std::atomic<pid_t> main_tid{0};
  std::atomic<pid_t> usable_in{0};  // the process in which nothing is left to settle
};
constinit process the_process;

// The forks that this thread is inside: more than one if a handler of somebody else forks.
struct forks_here {
  std::uint32_t count = 0;
  bool settled = false;  // in the child of the innermost: settle() has been called
};
constinit thread_local forks_here forks;

template <class F>
void for_each_domain(F&& f) noexcept {
  for (domain* d = the_process.first.load(std::memory_order_acquire); d != nullptr;
       d = d->next_enrolled)
    f(*d);
}

// In the child of a fork, on the thread that forked. Other threads may have been anywhere, also
// inside a critical section, when the memory was copied. So whatever a lock protects is written in
// an order that leaves it usable at any moment, or it is mended here. What a vanished thread had
// taken from one list of slabs and not put into another is lost.
void settle() noexcept {
  forks.settled = true;
  if (forks.count == 0) ++forks.count;    // registered while this fork was made
  word_lock::begin_process(forks.count);  // still pending: other threads wait until all is usable
  const pid_t here = getpid();
  the_process.main_tid.store(here, std::memory_order_relaxed);
  if (the_process.configuring.load(std::memory_order_acquire)) {
    the_options = the_process.wanted;
    the_process.configuring.store(false, std::memory_order_relaxed);
  }
  settle_memory();
  for_each_domain([](domain& d) { d.become_only_thread(); });
  the_process.usable_in.store(here, std::memory_order_release);
  the_process.usable_in.notify_all();
  --forks.count;
  word_lock::end_fork();
  for_each_domain([](domain& d) { d.bury_vanished(); });
}

// fork() takes no lock of the library. Others have such handlers too, in an order that nobody can
// choose: one that is called between these and the fork itself may wait for a lock under which
// another thread registers, or may use the library.
void before_fork() {
  ++forks.count;
  forks.settled = false;
  word_lock::begin_fork();
}

void after_fork() {
  if (forks.count == 0) return;  // this is the child of a fork in somebody else's handler
  --forks.count;
  word_lock::end_fork();
}

void after_fork_in_child() {
  if (!forks.settled) settle();
  forks.settled = false;
}

}  // namespace

constinit options the_options;

void settle_if_forked() noexcept {
  if (forks.count != 0) {
    if (!forks.settled && getpid() != the_process.usable_in.load(std::memory_order_relaxed))
      settle();
    return;
  }
  // A thread that such a handler has started waits for the thread that forked.
  for (pid_t last = the_process.usable_in.load(std::memory_order_acquire); last != getpid();
       last = the_process.usable_in.load(std::memory_order_acquire))
    the_process.usable_in.wait(last, std::memory_order_acquire);
}

void freeze_settings() noexcept {
  if (the_process.frozen.load(std::memory_order_acquire)) return;
  const lock_guard lock(the_process.m);
  the_process.frozen.store(true, std::memory_order_release);
}

std::uint64_t next_in_order() noexcept {
  return the_process.order.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::uint64_t last_in_order() noexcept {
  return the_process.order.load(std::memory_order_relaxed);
}

namespace {

// Null: no object holds the address.
link_map* object_at(const void* address) noexcept {
  Dl_info found{};
  void* object = nullptr;
  if (dladdr1(address, &found, &object, RTLD_DL_LINKMAP) == 0) return nullptr;
  return static_cast<link_map*>(object);
}

}  // namespace

void keep_object(const void* address) noexcept {
  const link_map* const object = object_at(address);
  if (object == nullptr || object == object_at(this_object())) return;
  if (object->l_name[0] == '\0') return;  // the program
  void* const handle = dlopen(object->l_name, RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return;
  auto* const k =
      new (std::nothrow) kept{reinterpret_cast<std::uintptr_t>(address), handle, nullptr};
  if (k == nullptr) return;  // it is kept for good
  const lock_guard lock(the_process.m);
  k->next = std::exchange(the_process.objects, k);
}

void release_objects(const code_range& in) noexcept {
  kept* released = nullptr;
  {
    const lock_guard lock(the_process.m);
    if (the_process.keeps_objects_for_good) return;
    for (kept** at = &the_process.objects; *at != nullptr;) {
      kept* const k = *at;
      if (in.contains(k->address)) {
        *at = k->next;
        k->next = std::exchange(released, k);
      } else {
        at = &k->next;
      }
    }
  }
  while (kept* const k = released) {
    released = k->next;
    dlclose(k->handle);  // without the lock: it may call destructors
    delete k;
  }
}

void keep_objects_for_good() noexcept {
  const lock_guard lock(the_process.m);
  the_process.keeps_objects_for_good = true;
}

bool is_in_other_namespace() noexcept {
  static constinit std::atomic<int> known{-1};
  int is = known.load(std::memory_order_relaxed);
  if (is < 0) {
    Lmid_t where = LM_ID_BASE;
    link_map* const self = object_at(this_object());
    if (self != nullptr) static_cast<void>(dlinfo(self, RTLD_DI_LMID, &where));
    is = where != LM_ID_BASE ? 1 : 0;
    known.store(is, std::memory_order_relaxed);
  }
  return is != 0;
}

void keep_this_object() noexcept {
  Dl_info self{};
  if (dladdr(reinterpret_cast<void*>(&keep_this_object), &self) == 0) return;
  // The handle is leaked on purpose. It is null for the program itself under another name, which
  // can't be unloaded.
  static_cast<void>(dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

void* this_object() noexcept {
  return &__dso_handle;
}

std::errc add_thread_local_destructor(void (*run)(void*), void* argument) noexcept {
  return abi::__cxa_thread_atexit(run, argument, this_object()) == 0 ? std::errc{}
                                                                     : std::errc::not_enough_memory;
}

pid_t main_tid() noexcept {
  return the_process.main_tid.load(std::memory_order_relaxed);
}

void enrol(domain& d) noexcept {
  if (d.is_enrolled.load(std::memory_order_acquire)) return;
  bool is_first = false;
  {
    const lock_guard lock(the_process.m);
    if (d.is_enrolled.load(std::memory_order_relaxed)) return;
    domain* const before = the_process.first.load(std::memory_order_relaxed);
    is_first = before == nullptr;
    const pid_t here = getpid();
    the_process.main_tid.store(here, std::memory_order_relaxed);
    the_process.usable_in.store(here, std::memory_order_relaxed);
    d.next_enrolled = before;
    the_process.first.store(&d, std::memory_order_release);
    d.is_enrolled.store(true, std::memory_order_release);
  }
  // These may allocate, so the lock is not held. Without memory for them, forks and the end of the
  // process are missed, as for any user of those functions.
  if (is_first) {
    // A registered thread calls into this library when it ends: into unmapped code, if a plugin
    // that holds the library was unloaded meanwhile.
    if constexpr (pins_itself) keep_this_object();
    static_cast<void>(pthread_atfork(&before_fork, &after_fork, &after_fork_in_child));
  }
  static_cast<void>(d.arm_stage());
}

void load(domain& d) noexcept {
  enrol(d);
  // Not for a plugin's copy that is to be unloaded: an entry in main's list would keep it.
  if constexpr (pins_itself) d.on_load();
}

}  // namespace detail

std::error_code configure(const options& wanted) noexcept {
  if (wanted.late_registrations_max == 0 || wanted.alternations_max == 0)
    return std::make_error_code(std::errc::invalid_argument);
  const detail::lock_guard lock(detail::the_process.m);
  if (detail::the_process.frozen.load(std::memory_order_relaxed))
    return std::make_error_code(std::errc::device_or_resource_busy);
  detail::the_process.wanted = wanted;
  detail::the_process.configuring.store(true, std::memory_order_release);
  detail::the_options = wanted;
  detail::the_process.configuring.store(false, std::memory_order_release);
  return {};
}

options configured() noexcept {
  const detail::lock_guard lock(detail::the_process.m);
  return detail::the_options;
}

}  // namespace threadref::inline THREADREF_ABI
