// SPDX-License-Identifier: MIT
// The work whose instructions are counted: always the same for the same sizes, whatever the clock
// and the scheduler do. Which part of it counts is callgrind's business, which knows it by the
// names of register_range and cancel_range: see scripts/instructions.py.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "subject.hpp"

namespace threadref::bench::instructions {

struct size {
  int n = 0;        // of what is counted, on each thread
  int threads = 0;  // one after the other
  int warm_up = 0;  // how many one thread before them does; 0: there is none
};

template <class Run>
void for_each_thread(const size& of, Run run) {
  if (of.warm_up != 0) run(of.warm_up);
  for (int t = 0; t != of.threads; ++t) run(of.n);
}

// n registrations and the exit that runs them: the work of two quantities.
template <subject S>
verdict register_and_exit(const size& of) {
  const auto routine = [](probe& at) {
    S::arm(at.storage(), at.n);
    register_range<S>(at.done, 0, at.n);
    leave<S>();
  };
  verdict found;
  probe at(std::max(of.n, of.warm_up));
  for_each_thread(of, [&](int n) {
    at.n = n;
    at.run(routine, n, found);
  });
  return found;
}

template <class Handle>
[[gnu::noinline]] void cancel_range(const std::vector<Handle>& handles, std::uint64_t& refused) {
  for (const Handle& h : handles) {
    refused += h.cancel() ? 0U : 1U;
    forget_registers();
  }
}

struct registration {
  static constexpr std::string_view name = "registration";
  template <subject S>
  static verdict run(const size& of) {
    return register_and_exit<S>(of);
  }
};

struct exit {
  static constexpr std::string_view name = "exit";
  static constexpr std::string_view why_not = "nothing runs when the thread ends";
  template <subject S>
  requires(!requires { S::no_exit; }) static verdict run(const size& of) {
    return register_and_exit<S>(of);
  }
};

// Registers n + 1 and cancels n of them, oldest first; the one that is left must run.
struct detach {
  static constexpr std::string_view name = "detach";
  static constexpr std::string_view why_not = "gives no handle to cancel by";
  template <subject S>
  requires requires { typename S::handle; }
  static verdict run(const size& of) {
    using handles = std::vector<typename S::handle>;
    const auto routine = [](probe& at) {
      auto& own = *static_cast<handles*>(at.shared);
      register_range<S>(at.done, 0, 1);
      std::int64_t id = 0;
      for (typename S::handle& h : own) h = S::add_for_handle(call{&at.done, ++id});
      cancel_range(own, at.done.refused);
    };
    verdict found;
    probe at(std::max(of.n, of.warm_up) + 1);
    for_each_thread(of, [&](int n) {
      handles own(static_cast<std::size_t>(n));
      at.shared = &own;
      at.run(routine, 1, found);
    });
    return found;
  }
};

using quantities = type_list<registration, exit, detach>;

// As far as counts go: see scripts/instructions.py.
inline constexpr int most_counted = 1280;
template <class S>
concept is_too_small = requires {
  requires S::most < most_counted;
};

template <class Quantity, class S>
concept can_do = !is_too_small<S> && requires(const size& of) {
  Quantity::template run<S>(of);
};

}  // namespace threadref::bench::instructions
