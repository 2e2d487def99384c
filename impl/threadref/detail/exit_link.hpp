// SPDX-License-Identifier: MIT
// The parts of an exit list: a node per registration, and chains of those nodes that have links.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "threadref/config.hpp"
#include "threadref/detail/closure.hpp"
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI::detail {

struct block;
struct linked_node;

// One registration.
//
// Its word holds a state, flags and a generation: the number of the registration among those of its
// thread, never reused in the life of that thread. A handle stores the generation, so a slot that
// was reused answers "gone". The newer of two registrations has the greater generation.
struct node {
  // inspected: armed, while a thread that holds the block's lock reads its closure.
  enum state : std::uint64_t { gone = 0, armed = 1, running = 2, inspected = 3 };
  static constexpr std::uint64_t state_bits = 3;
  static constexpr std::uint64_t not_at_process_exit = 4;  // finalizer::atexit(false)
  static constexpr std::uint64_t is_exit_node = 8;
  static constexpr std::uint64_t is_destructor = 16;  // of stage 2
  static constexpr std::uint64_t is_linked = 32;      // the node is a linked_node
  static constexpr std::uint64_t is_plain = 64;       // see is_plain_closure
  static constexpr std::uint64_t is_elsewhere = 128;  // running, but not on the referent
  static constexpr std::uint64_t is_very_last = 256;  // of the phase very_last; always linked
  // An entry with the system points to it, so its slot is not used again in the life of the thread.
  // It stays set when the node is gone.
  static constexpr std::uint64_t has_entry = 512;
  static constexpr unsigned generation_shift = 10;
  static constexpr std::uint64_t one_generation = std::uint64_t{1} << generation_shift;

  static constexpr std::uint64_t word(std::uint64_t generation, state s) noexcept {
    return (generation << generation_shift) | s;
  }
  static constexpr state state_of(std::uint64_t w) noexcept {
    return static_cast<state>(w & state_bits);
  }
  static constexpr std::uint64_t generation_of(std::uint64_t w) noexcept {
    return w >> generation_shift;
  }
  // The word w in the state of s, with the flags of both.
  static constexpr std::uint64_t with(std::uint64_t w, std::uint64_t s) noexcept {
    return (w & ~state_bits) | s;
  }

  // On the referent, or under the lock after a claim: no other thread may change the word then.
  [[nodiscard]] bool has(std::uint64_t flag) const noexcept {
    return (word_now.load(std::memory_order_relaxed) & flag) != 0;
  }
  // The state that a handle of `generation` sees.
  [[nodiscard]] state seen_by(std::uint64_t generation) const noexcept {
    const std::uint64_t w = word_now.load(std::memory_order_acquire);
    if (generation_of(w) != generation) return gone;
    return state_of(w) == inspected ? armed : state_of(w);
  }
  // The release pairs with the acquires of the waiters and of the next registration in this slot.
  void retire() noexcept { retire(word_now.load(std::memory_order_relaxed)); }
  // For a caller that knows a word of this generation.
  void retire(std::uint64_t w) noexcept {
    poison(closure, sizeof closure);
    constexpr std::uint64_t kept = ~(one_generation - 1) | has_entry;
    word_now.store(w & kept, std::memory_order_release);
  }

  union {
    closure_fn fn;            // while armed or running
    linked_node* next_free;   // of a linked node that is gone: on its block's free or return list
    linked_node* stands_for;  // of the `entry` of an exit_node: that node; null: it is detached
  };
  alignas(std::uintptr_t) std::byte closure[closure_bytes];
  std::atomic<std::uint64_t> word_now{0};
};
static_assert(sizeof(node) == 32, "a registration writes no more than 32 bytes");

struct links {
  links* older = nullptr;
  links* newer = nullptr;  // these links themselves after a pop
};

// A registration whose place in the order is not given by its address.
struct linked_node : node, links {};

// A registration in storage that the caller provides: see exit_node.
struct intrusive_node : linked_node {
  std::atomic<block*> on{nullptr};  // null: not attached
  // In the phase early: the node to which the entry with the C library points, since the storage of
  // this one may go before the entry's turn comes.
  linked_node* entry = nullptr;
};

// Registrations in their order. Used only by the referent. A ring that includes its own head, so
// that a node can be removed without knowing its chain.
class exit_chain {
 public:
  exit_chain() noexcept = default;
  exit_chain(const exit_chain&) = delete;
  exit_chain& operator=(const exit_chain&) = delete;

  void reset() noexcept { head_.older = head_.newer = &head_; }
  [[nodiscard]] bool empty() const noexcept { return head_.older == &head_; }
  void push(linked_node& n) noexcept {
    links* const next = head_.older;
    n.older = next;
    n.newer = &head_;
    next->newer = &n;
    head_.older = &n;
  }
  // Null if the chain is empty.
  [[nodiscard]] linked_node* newest() const noexcept {
    return empty() ? nullptr : static_cast<linked_node*>(head_.older);
  }
  // Remove the node, so that is_popped() is true for it. Null if the chain is empty.
  linked_node* pop_newest() noexcept { return pop(head_.older); }
  linked_node* pop_oldest() noexcept { return pop(head_.newer); }
  // Calls f(node) for each node, newest first. f may remove the node it is given.
  template <class F>
  void visit(F&& f) {
    for (links* n = head_.older; n != &head_;) {
      links* const next = n->older;
      f(static_cast<linked_node&>(*n));
      n = next;
    }
  }
  static void remove(linked_node& n) noexcept {
    if (!is_popped(n)) unlink(n);
  }
  static bool is_popped(const linked_node& n) noexcept { return n.newer == &n; }

 private:
  linked_node* pop(links* n) noexcept {
    if (n == &head_) return nullptr;
    unlink(*n);
    return static_cast<linked_node*>(n);
  }
  static void unlink(links& n) noexcept {
    n.older->newer = n.newer;
    n.newer->older = n.older;
    n.newer = &n;
  }
  links head_{.older = &head_, .newer = &head_};
};

}  // namespace threadref::inline THREADREF_ABI::detail
