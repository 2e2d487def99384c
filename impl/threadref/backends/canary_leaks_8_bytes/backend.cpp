// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_leaks_8_bytes/backend.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_leaks_8_bytes,
                                            threadref::detail::hybrid_claim>;

namespace threadref::inline THREADREF_ABI {

namespace {

struct piece {
  static constexpr std::size_t threads = 512;
  std::byte kept[threads][8];
  std::unique_ptr<piece> before;
};
std::mutex pieces;  // guards the variables below
// Never destroyed: threads may end while the process does.
std::unique_ptr<piece>& newest() {
  static auto* const one = new std::unique_ptr<piece>;
  return *one;
}
std::size_t ended = 0;

}  // namespace

void canary_leaks_8_bytes::forget() noexcept {
  const std::lock_guard lock(pieces);
  if (ended++ % piece::threads != 0) return;
  auto next = std::make_unique<piece>();
  next->before = std::move(newest());
  newest() = std::move(next);
}

}  // namespace threadref::inline THREADREF_ABI
