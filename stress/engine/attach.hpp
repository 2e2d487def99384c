// SPDX-License-Identifier: MIT
// Finalizers that report to the ledger, in three shapes that the library stores differently.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "stress/accounting/ledger.hpp"
#include "threadref/threadref.hpp"

namespace threadref::stress {

inline void run_finalizer(record& r, std::uint32_t id) {
  r.ledger->fire(r, id);
  if (r.then != nullptr) r.then(r);
}

// Plain bytes, stored in place.
struct plain_finalizer {
  record* r;
  std::uint32_t id;
  void operator()() const { run_finalizer(*r, id); }
};

// Reports its destruction, so that a finalizer that is never destroyed counts as leaked.
class token {
 public:
  token(record& r, std::uint32_t id) noexcept : r_(&r), id_(id) {}
  token(token&& other) noexcept : r_(std::exchange(other.r_, nullptr)), id_(other.id_) {}
  token(const token&) = delete;
  token& operator=(const token&) = delete;
  token& operator=(token&&) = delete;
  ~token() {
    if (r_ != nullptr) r_->ledger->token_gone(*r_, id_);
  }
  void run() const { run_finalizer(*r_, id_); }

 private:
  record* r_;
  std::uint32_t id_;
};

// Stored in place as well, but it must be moved and destroyed.
struct moved_finalizer {
  token self;
  void operator()() const { self.run(); }
};

// Too large to be stored in place; its bytes must arrive unchanged.
class boxed_finalizer {
 public:
  boxed_finalizer(record& r, std::uint32_t id) noexcept : self_(r, id), r_(&r), id_(id) {
    pattern_.fill(r.number ^ id);
  }
  void operator()() const {
    const bool intact = std::all_of(pattern_.begin(), pattern_.end(),
                                    [this](std::uint64_t p) { return p == (r_->number ^ id_); });
    if (!intact) r_->ledger->record_fault(*r_, id_, fault::corrupt);
    self_.run();
  }

 private:
  token self_;
  record* r_;
  std::uint32_t id_;
  std::array<std::uint64_t, 4> pattern_{};
};

// Registers one finalizer on the calling thread, whose record is `r`: half are plain, the others
// moved or boxed. Returns a handle that is gone if the ledger is full or the library refused.
template <backend B>
finalizer<void, B> attach(record& r, std::uint32_t& id) {
  const int shape = draw(r.choices, 0, 3);
  id = r.ledger->push(r, shape < 2 ? std::uint8_t{0} : std::uint8_t{mark::has_token});
  if (id == no_id) return {};
  try {
    if (shape < 2) return finalize<B>(plain_finalizer{&r, id});
    if (shape == 2) return finalize<B>(moved_finalizer{{r, id}});
    return finalize<B>(boxed_finalizer(r, id));
  } catch (const std::exception&) {
    r.ledger->refused(r, id);
    return {};
  }
}
template <backend B>
finalizer<void, B> attach(record& r) {
  std::uint32_t id = no_id;
  return attach<B>(r, id);
}

// How many of at most `most` a thread registers. The first thread of a round registers at least
// one, since a round whose threads all drew none shows nothing.
inline int draw_some(record& r, int most) {
  return draw(r.choices, r.index == 0 ? std::min(most, 1) : 0, most);
}

// Between none and as many as the round allows; sometimes exactly as many, since bugs show at
// limits.
template <backend B>
void attach_some(record& r) {
  const int most = static_cast<int>(r.ledger->finalizers());
  const int n = one_in(r.choices, 8) ? most : draw_some(r, most);
  for (int i = 0; i != n; ++i) attach<B>(r);
}

// A ref of each thread of a round. It must read null in every finalizer of its thread.
template <backend B>
class thread_refs {
 public:
  explicit thread_refs(std::size_t threads) : refs_(threads) {}
  // Called on the thread.
  void watch(record& r) {
    std::optional<basic_ref<B>>& mine = refs_[r.index];
    mine.emplace();
    r.ref = &*mine;
    r.ref_alive = [](const void* ref) { return !static_cast<const basic_ref<B>*>(ref)->expired(); };
  }
  const basic_ref<B>& at(std::size_t thread) const { return *refs_[thread]; }

 private:
  std::vector<std::optional<basic_ref<B>>> refs_;
};

}  // namespace threadref::stress
