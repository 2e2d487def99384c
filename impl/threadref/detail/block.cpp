// SPDX-License-Identifier: MIT
#include "threadref/detail/block.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <new>
#include <utility>

#include "threadref/detail/domain.hpp"
#include "threadref/detail/no_cancellation.hpp"
#include "threadref/detail/process.hpp"
#include "threadref/detail/registration.hpp"

namespace threadref::inline THREADREF_ABI::detail {

constinit thread_local foreign_run* foreign_run::innermost = nullptr;

namespace {

// The kernel's id of the calling thread, without a system call (gettid takes 100 ns). The id of a
// thread's CPU clock encodes it (Linux, include/linux/posix-timers_types.h: (~tid << 3) | flags).
pid_t own_tid() noexcept {
  clockid_t clock = 0;
  return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? ~(clock >> 3) : gettid();
}

// By the kernel's id and not by pthread_t, which must not be used once its thread is gone: the
// thread in question may have ended unnoticed. False if there is no such thread, or no /proc.
bool read_name_of(pid_t tid, char (&name)[16]) noexcept {
  if (tid == own_tid()) return prctl(PR_GET_NAME, name) == 0;
  char path[40];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/comm", static_cast<int>(tid));
  const no_cancellation callers_do_not_expect_one;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t length = read(file, name, sizeof name);
  close(file);
  if (length <= 0) return false;
  name[length - 1] = '\0';  // instead of a newline
  return true;
}

}  // namespace

void block::take_turn() noexcept {
  if (!ordered) return;
  const std::uint64_t before = next_in_order() - 1;
  const std::uint64_t jump = before - newest_generation();
  word_base.store(word_base.load(std::memory_order_relaxed) + node::word(jump, node::gone),
                  std::memory_order_release);
  increment(turns);
}

std::uint64_t block::registered() const noexcept {
  const std::uint64_t counted =
      settings().global_order ? turns.load(std::memory_order_relaxed) : newest_generation();
  return counted - unregistered.load(std::memory_order_relaxed);
}

linked_node* block::take_linked() noexcept {
  if (free == nullptr && returned.load(std::memory_order_relaxed) != nullptr) collect_returned();
  if (linked_node* n = free) {
    free = n->next_free;
    return n;
  }
  return unused_linked != unused_linked_end ? unused_linked++ : refill_linked();
}

linked_node* block::refill_linked() noexcept {
  slab* s = linked_slab != nullptr ? linked_slab->next.load(std::memory_order_relaxed)
                                   : linked_slabs.load(std::memory_order_relaxed);
  if (s == nullptr) {
    const std::uint32_t size_class =
        linked_slab != nullptr ? std::min(linked_slab->size_class + 1, slab_classes - 1) : 0;
    s = take_slab(slab_kind::of_linked_nodes, size_class);
    if (s == nullptr) return nullptr;
    // Release: other threads look through the slabs of a live thread, see visit().
    (linked_slab != nullptr ? linked_slab->next : linked_slabs).store(s, std::memory_order_release);
  }
  linked_slab = s;
  unused_linked = s->linked_nodes();
  unused_linked_end = unused_linked + s->capacity;
  return unused_linked++;
}

bool block::arm_stage_again() noexcept {
  if (!home->arm_stage()) return false;
  after_stage = false;
  return true;
}

void block::collect_returned() noexcept {
  linked_node* list = nullptr;
  {
    const lock_guard lock(m);
    list = returned.exchange(nullptr, std::memory_order_relaxed);
  }
  while (list != nullptr) {
    linked_node& n = *std::exchange(list, list->next_free);
    exit_chain::remove(n);
    give_linked(n);
  }
}

void block::retire_foreign(node& n) noexcept {
  const bool linked = n.has(node::is_linked);
  n.retire();
  if (linked) {
    auto& mine = static_cast<linked_node&>(n);
    mine.next_free = returned.load(std::memory_order_relaxed);
    returned.store(&mine, std::memory_order_release);
  } else {
    foreign_holes.store(foreign_holes.load(std::memory_order_relaxed) + 1,
                        std::memory_order_relaxed);
  }
  if (waiters.load(std::memory_order_relaxed) != 0) done.notify_all();
}

void block::begin_life(std::uint64_t new_serial) noexcept {
  if (process != word_lock::process_number()) renew_waiting();
  for (exit_chain* c : {&early, &last, &very_last, &destructors, &deferred}) c->reset();
  free = unused_linked = unused_linked_end = nullptr;
  linked_slab = array = nullptr;
  array_limit = array_begin = nullptr;
  // In the child of a fork the last thread may be gone in the middle of a move.
  move_array_end(nullptr, node::word(newest_generation() + 1, node::gone));
  array_room = 0;
  holes = 0;
  ordered = array_closed = settings().global_order;
  rounds = 0;
  alternations = 0;
  draining_here = refusing = after_stage = staging = array_paused = false;
  early_is_over = in_destructors = false;
  pins.store(1, std::memory_order_relaxed);
  {
    const lock_guard lock(m);
    first_generation = newest_generation() + 1;
    draining = false;
    foreign_holes.store(0, std::memory_order_relaxed);
    name[0] = '\0';
    claimed.store(nullptr, std::memory_order_relaxed);
    tid = own_tid();
    life.hold();  // before it counts as running, since the last life may have ended unheard
    state.store(thread_state::running, std::memory_order_relaxed);
    // At last: in the child of a fork, a block with a serial is one whose life has begun.
    std::atomic_ref(serial).store(new_serial, std::memory_order_release);
  }
  live.store(new_serial, std::memory_order_release);
}

void block::begin_drain() noexcept {
  if (draining_here) return;
  THREADREF_POINT(begin_drain);
  draining_here = true;
  late_from = registered();
  const lock_guard lock(m);
  draining = true;
  live.store(0, std::memory_order_release);
  state.store(thread_state::draining, std::memory_order_release);
}

void block::bury() noexcept {
  THREADREF_POINT(end);
  bool anybody_waits = false;
  bool is_last_pin = false;
  {
    const lock_guard lock(m);
    live.store(0, std::memory_order_release);
    // Who waits? Each waiter has counted itself under the lock; later ones find all gone.
    anybody_waits = waiters.load(std::memory_order_relaxed) != 0;
    // Without the lock, only a holder of a pin can add one. Acquire: what was done under the pins
    // that are gone happens before.
    is_last_pin = pins.load(std::memory_order_acquire) == 1;
    if (is_last_pin) forget_life();
    // In the child of a fork, a block that has a serial and has ended waits for other pins only.
    state.store(thread_state::ended, std::memory_order_release);
  }
  // The last chance to wake a waiter that missed a notification.
  if (anybody_waits) done.notify_all();
  if (is_last_pin) {
    home->recycle(*this);
  } else {
    unpin();
  }
}

void block::forget_life() noexcept {
  serial = 0;
  returned.store(nullptr, std::memory_order_relaxed);
}

slab* block::spare_slabs(std::uint32_t from_class) noexcept {
  std::atomic<slab*>* at = &array_slabs;
  for (slab* s = nullptr; (s = at->load(std::memory_order_relaxed)) != nullptr; at = &s->next)
    if (s->size_class >= from_class) return at->exchange(nullptr);
  return nullptr;
}

slab* block::spare_linked_slabs() noexcept {
  slab* const first = linked_slabs.load(std::memory_order_relaxed);
  if (first == nullptr) return nullptr;
  const bool is_only_one = array_slabs.load(std::memory_order_relaxed) == nullptr;
  return (is_only_one ? first->next : linked_slabs).exchange(nullptr);
}

void block::wake() noexcept {
  const lock_guard lock(m);
  done.notify_all();
}

bool block::is_main() const noexcept {
  return tid == main_tid();
}

void block::add_counts(counters& to) const noexcept {
  constexpr auto get = [](const std::atomic<std::uint64_t>& c) {
    return c.load(std::memory_order_relaxed);
  };
  to.registered += registered();
  to.ran_at_exit += get(ran_at_exit);
  to.abandoned += get(abandoned);
  to.forgotten += get(forgotten);
  for (const tally* t : {&own, &foreign}) {
    to.ran_by_call += get(t->ran_by_call);
    to.detached += get(t->detached);
    to.dropped += get(t->dropped);
    to.ran_at_process_exit += get(t->ran_at_process_exit);
  }
  to.dropped += get(dropped_at_process_exit);
  to.ran_at_process_exit -= get(dropped_at_process_exit);
}

std::uint64_t block::settle_pending() noexcept {
  const auto settle = [](node& n, std::uint64_t w) {
    n.word_now.store(node::with(w, node::gone), std::memory_order_release);
  };
  visit(node::armed, settle);
  visit(node::running, [settle](node& n, std::uint64_t w) {
    if ((w & node::is_elsewhere) == 0) settle(n, w);
  });
  counters all;
  add_counts(all);
  return all.registered - (all.ran_at_exit + all.ran_by_call + all.detached + all.dropped +
                           all.ran_at_process_exit + all.forgotten + all.abandoned);
}

void block::survive_fork() noexcept {
  renew_waiting();
  tid = getpid();
  life.hold_in_child();
  if (m.was_left_held()) {
    const node* const n = claimed.load(std::memory_order_acquire);
    // Nobody else can have claimed it meanwhile, so this one did.
    if (n != nullptr && n->has(node::is_elsewhere)) count_claim();
  }
  visit_all([this](node& n, std::uint64_t w) {
    if (node::state_of(w) == node::inspected)
      n.word_now.store(node::with(w, node::armed), std::memory_order_relaxed);
    if (node::state_of(w) == node::running && (w & node::is_elsewhere) != 0) retire_foreign(n);
  });
}

bool block::holds(const intrusive_node& n) const noexcept {
  return serial != 0 && state.load(std::memory_order_relaxed) != thread_state::ended &&
         !life.owner_died() &&
         node::generation_of(n.word_now.load(std::memory_order_relaxed)) >= first_generation;
}

void block::vanish() noexcept {
  renew_waiting();
  has_vanished = true;
  live.store(0, std::memory_order_release);
  if (state.load(std::memory_order_relaxed) == thread_state::running)
    state.store(thread_state::draining, std::memory_order_relaxed);
  visit_all([this](node& n, std::uint64_t w) {
    if (node::state_of(w) == node::inspected)
      n.word_now.store(node::with(w, node::armed), std::memory_order_relaxed);
    if (node::state_of(w) == node::running &&
        !foreign_run::contains({this, serial, &n, node::generation_of(w)}))
      n.word_now.store(node::with(w, node::gone), std::memory_order_release);
  });
}

void block::renew_waiting() noexcept {
  process = word_lock::process_number();
  ::new (&done) event_count;
  waiters.store(0, std::memory_order_relaxed);
}

void block::refresh_name() noexcept {
  const auto lives = [this] {
    return state.load(std::memory_order_relaxed) != thread_state::ended && !life.owner_died();
  };
  pid_t of = 0;
  {
    const lock_guard lock(m);
    if (!lives()) return;
    of = tid;
  }
  char read[sizeof name];
  const int saved = errno;
  const bool known = read_name_of(of, read);
  errno = saved;
  const lock_guard lock(m);
  // If it does not live any more, another thread may have had the id.
  if (known && lives()) std::memcpy(name, read, sizeof name);
}

bool block::try_pin(std::uint64_t of) noexcept {
  const lock_guard lock(m);
  if (serial != of || state.load(std::memory_order_relaxed) == thread_state::ended || is_lost())
    return false;
  pin();
  return true;
}

void block::unpin() noexcept {
  if (pins.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    const lock_guard lock(m);
    forget_life();
  }
  home->recycle(*this);
}

}  // namespace threadref::inline THREADREF_ABI::detail
