// SPDX-License-Identifier: MIT
// What stands in an exit list: the head that every registration has in common, and the chain.
#pragma once

#include <atomic>
#include <cstdint>

namespace threadref::detail {

// The head of a registration: a node of the library's, or an exit_node in storage of the caller.
//
// Its word holds a state, flags and a generation. The generation is unique for the slot in the life
// of its thread; a handle remembers it, so a slot that was used again answers "gone".
struct exit_link {
  // inspected: armed, while another thread that holds the block's lock reads its closure.
  enum state : std::uint64_t { gone = 0, armed = 1, running = 2, inspected = 3 };
  static constexpr std::uint64_t state_bits = 3;
  static constexpr std::uint64_t not_at_process_exit = 4;  // finalizer::atexit(false)
  static constexpr std::uint64_t is_exit_node = 8;
  static constexpr std::uint64_t is_destructor = 16;  // of stage 2
  static constexpr unsigned generation_shift = 5;

  static constexpr std::uint64_t word(std::uint64_t generation, state s) noexcept {
    return (generation << generation_shift) | s;
  }
  static constexpr state state_of(std::uint64_t w) noexcept {
    return static_cast<state>(w & state_bits);
  }
  static constexpr std::uint64_t generation_of(std::uint64_t w) noexcept {
    return w >> generation_shift;
  }
  static constexpr std::uint64_t with(std::uint64_t w, state s) noexcept {
    return (w & ~state_bits) | s;
  }

  // What the word says to a handle of `generation`.
  [[nodiscard]] state seen_by(std::uint64_t generation) const noexcept {
    const std::uint64_t w = word_now.load(std::memory_order_acquire);
    if (generation_of(w) != generation) return gone;
    return state_of(w) == inspected ? armed : state_of(w);
  }

  exit_link* older = nullptr;
  exit_link* newer = nullptr;  // the link itself once it was popped
  std::atomic<std::uint64_t> word_now{0};
};

// Registrations in their order. Only the referent touches it. A ring with its own head in it, so
// that a link can leave without anybody knowing in which chain it stood.
class exit_chain {
 public:
  exit_chain() noexcept = default;
  exit_chain(const exit_chain&) = delete;
  exit_chain& operator=(const exit_chain&) = delete;

  void reset() noexcept { head_.older = head_.newer = &head_; }
  [[nodiscard]] bool empty() const noexcept { return head_.older == &head_; }
  void push(exit_link& n) noexcept {
    exit_link* const next = head_.older;
    n.older = next;
    n.newer = &head_;
    next->newer = &n;
    head_.older = &n;
  }
  // Null: empty. Popped from here on.
  exit_link* pop_newest() noexcept { return pop(head_.older); }
  exit_link* pop_oldest() noexcept { return pop(head_.newer); }
  // Calls f(link) from the newest on; f may remove the link it is given.
  template <class F>
  void visit(F&& f) {
    for (exit_link* n = head_.older; n != &head_;) {
      exit_link* const next = n->older;
      f(*n);
      n = next;
    }
  }
  // The other's links become the newest of this chain, in their order.
  void take_all(exit_chain& other) noexcept {
    while (exit_link* n = other.pop_oldest()) push(*n);
  }
  static void remove(exit_link& n) noexcept {
    if (!is_popped(n)) unlink(n);
  }
  static bool is_popped(const exit_link& n) noexcept { return n.newer == &n; }

 private:
  exit_link* pop(exit_link* n) noexcept {
    if (n == &head_) return nullptr;
    unlink(*n);
    return n;
  }
  static void unlink(exit_link& n) noexcept {
    n.older->newer = n.newer;
    n.newer->older = n.older;
    n.newer = &n;
  }
  exit_link head_{.older = &head_, .newer = &head_};
};

}  // namespace threadref::detail
