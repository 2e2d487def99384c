// SPDX-License-Identifier: MIT
// The parts of a row of the table of scenarios.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "scenarios/scenario_ids.hpp"
#include "threadref/backend.hpp"

namespace threadref::scenarios {

enum class tool : unsigned { bench = 1, stress = 2 };
constexpr tool operator|(tool a, tool b) {
  return static_cast<tool>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool in(tool set, tool t) {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(t)) != 0;
}

// interesting: allowed, but worth reading about. Outcomes that a row does not declare are
// forbidden.
enum class grade { acceptable, interesting, forbidden };
constexpr std::string_view to_string(grade g) {
  constexpr std::string_view names[] = {"acceptable", "interesting", "forbidden"};
  return names[static_cast<int>(g)];
}

struct outcome {
  std::string_view name{};
  grade expect = grade::forbidden;
  std::string_view why{};
};

inline constexpr std::size_t outcomes_max = 14;
using outcome_list = std::array<outcome, outcomes_max>;  // an empty name ends it

// In ascending order: the first is the smoke size, the last the real one.
class size_list {
 public:
  constexpr size_list() = default;
  constexpr size_list(std::initializer_list<int> sizes) : count_(sizes.size()) {
    std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  }
  [[nodiscard]] constexpr const int* begin() const { return sizes_.data(); }
  [[nodiscard]] constexpr const int* end() const { return sizes_.data() + count_; }
  [[nodiscard]] constexpr bool empty() const { return count_ == 0; }
  [[nodiscard]] constexpr int smoke() const { return sizes_[0]; }
  [[nodiscard]] constexpr int real() const { return sizes_[count_ - 1]; }

 private:
  std::array<int, 12> sizes_{};
  std::size_t count_ = 0;
};

// The parameter of rows that vary the number of live threads.
inline constexpr std::string_view alive = "alive";

struct scenario {
  id key;
  std::string_view name;  // bench: <group>/<quantity>; stress: the first half of a cell's name
  std::string_view asks;  // the question that its results answer
  tool tools;
  capability needs = capability::none;
  size_list finalizers{};            // per thread; or the values of the parameter
  size_list threads{};               // alive at once
  std::string_view parameter = "n";  // what the first list is called in a benchmark's name
  outcome_list outcomes{};
};

// The possible outcomes of every registration, in any scenario. Each id is counted separately,
// since in sums one that is lost and one that runs twice would cancel out.
constexpr outcome_list every_id(outcome a = {}, outcome b = {}, outcome c = {}) {
  return {{{"once", grade::acceptable, "every finalizer ran exactly once, on its own thread"},
           {"lost", grade::forbidden, "a finalizer never ran"},
           {"twice", grade::forbidden, "a finalizer ran more than once"},
           {"misordered", grade::forbidden, "a finalizer ran before one that was registered later"},
           {"wrong_thread", grade::forbidden, "a finalizer ran on another thread than its own"},
           {"after_join", grade::forbidden, "a finalizer ran after its thread was joined"},
           {"seen_alive", grade::forbidden,
            "a ref of an exiting thread did not read null in a callback"},
           {"unaccounted", grade::forbidden, "the library's own counters say otherwise"},
           {"leaked", grade::forbidden,
            "a function was never destroyed, or a thread record outlived its thread"},
           {"memory_grows", grade::forbidden,
            "there are more bytes in use the more threads came and went"},
           {"hangs", grade::forbidden, "a round did not come to its end"},
           a,
           b,
           c}};
}

// The same for scenarios where finalizers call pthread_exit, or register in a key's destructor.
constexpr outcome_list every_id_beyond_libc() {
  outcome_list all = every_id();
  for (outcome& o : all) {
    if (o.name == "memory_grows") {
      o = {o.name, grade::interesting,
           "glibc and Boost never free what they know of a destructor that did not return, nor "
           "glibc of one that came in a key's destructor"};
    }
  }
  return all;
}

// How a figure changes while one parameter grows. Not in the finalize group, since it takes
// minutes.
constexpr scenario sweep(id key, std::string_view name, std::string_view parameter,
                         size_list values, std::string_view asks) {
  return {.key = key,
          .name = name,
          .asks = asks,
          .tools = tool::bench,
          .finalizers = values,
          .parameter = parameter};
}

// The end of a tree of that many workers.
constexpr scenario teardown(id key, std::string_view name, size_list workers,
                            std::string_view asks) {
  return {.key = key,
          .name = name,
          .asks = asks,
          .tools = tool::bench,
          .finalizers = workers,
          .parameter = "workers"};
}

constexpr bool is_sweep(const scenario& s) {
  return s.name.substr(0, 6) == "sweep/";
}

}  // namespace threadref::scenarios
