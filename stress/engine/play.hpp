// SPDX-License-Identifier: MIT
// Makes cells out of bodies. Included by the two files that instantiate them.
#pragma once

#include "stress/engine/cells.hpp"
#include "stress/engine/scenario.hpp"
#include "stress/scenarios/burst.hpp"
#include "stress/scenarios/churn.hpp"
#include "stress/scenarios/deref_storm.hpp"
#include "stress/scenarios/detach_race.hpp"
#include "stress/scenarios/late_attach.hpp"
#include "stress/scenarios/mixed.hpp"
#include "stress/scenarios/pool.hpp"
#include "stress/scenarios/waves.hpp"
#include "stress/scenarios/workers.hpp"

namespace threadref::stress {

constexpr std::uint64_t apart(std::uint64_t a, std::uint64_t b) {
  return a < b ? b - a : a - b;
}

// How far the growth of the library's counters is from what the ledger saw; it must be 0.
inline std::uint64_t unaccounted(const counters& before, const counters& after,
                                 const accounts& seen) {
  return apart(after.registered - before.registered, seen.registered) +
         apart(after.ran_at_exit - before.ran_at_exit, seen.ran_at_exit) +
         apart(after.ran_by_call - before.ran_by_call, seen.ran_by_call) +
         apart(after.detached - before.detached, seen.detached) +
         apart(after.dropped - before.dropped, seen.dropped) +
         apart(after.abandoned - before.abandoned, 0);
}

template <scenarios::id K, backend B>
void play(round& r, finalizer_ledger& ledger) {
  const counters before = stats<B>();
  const std::size_t threads_before = enumerate<B>().size();
  const std::uint64_t churned_before = r.figures.threads_churned;
  body<K, B>::run(r, ledger);
  accounts seen = ledger.sum();
  r.figures.finalizers_run += seen.ran_at_exit + seen.ran_by_call;
  if constexpr (requires { body<K, B>::own_finalizers; }) {
    const std::uint64_t own =
        (r.figures.threads_churned - churned_before) * body<K, B>::own_finalizers;
    seen.registered += own;
    seen.ran_at_exit += own;
  }
  ledger.tally_outcomes(r.figures.seen);
  r.figures.seen.add("unaccounted", unaccounted(before, stats<B>(), seen));
  r.figures.seen.add("leaked", apart(enumerate<B>().size(), threads_before));
}

enum class cell_kind { backend, canary };

template <scenarios::id K, backend B>
constexpr cell_code cell_of(cell_kind kind) {
  using code = body<K, B>;
  cell_code c{scenarios::decide(scenarios::row(K), B::info),
              kind == cell_kind::canary,
              false,
              nullptr,
              &play<K, B>,
              nullptr};
  if constexpr (requires(const round& r) { code::threads_in_all(r); }) {
    c.threads_in_all = &code::threads_in_all;
  } else {
    c.threads_in_all = [](const round& r) { return r.size(); };
  }
  if constexpr (requires(round & r, finalizer_ledger & b) { code::child(r, b); })
    c.child = &code::child;
  return c;
}

template <class Backends>
std::vector<cell_code> cells_of(Backends list, cell_kind kind) {
  std::vector<cell_code> cells;
  scenarios::for_each_row<scenarios::tool::stress>([&]<scenarios::id K>() {
    for_each_type(list, [&]<class B>() { cells.push_back(cell_of<K, B>(kind)); });
  });
  return cells;
}

}  // namespace threadref::stress
