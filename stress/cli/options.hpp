// SPDX-License-Identifier: MIT
// What the user asked for, parsed once by a pure function. Nothing is checked again later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace threadref::stress {

// The flags as given on the command line; empty: not given.
struct flag_values {
  std::string filter{};
  std::string backend{};
  std::string seed{};
  std::string time{};
  std::string threads{};
  std::string finalizers{};
  std::string json{};
  std::string out{};
  std::string points{};
  bool matrix = false;
  bool shrink = false;
  bool list = false;
  bool describe = false;
  bool smoke = false;
  bool canaries = false;
  bool rare = false;
  // Not for users: child processes, and faults planted in the harness for its tests.
  std::string child{};
  std::string child_ledger{};
  std::string act{};
  std::string plant{};
  std::vector<std::string> unexpected{};  // arguments that are not flags
};

struct names {
  std::vector<std::string_view> backends;  // and peers
  std::vector<std::string_view> canaries;
  std::vector<std::string_view> rare;
};

enum class task { run, list, describe, child, run_event };
enum class planted { nothing, hang, crash, bad_outcome, killed_child };

inline constexpr int threads_most = 100'000;
inline constexpr int finalizers_most = 100'000;
inline constexpr double default_seconds = 180;

struct options {
  task what = task::run;
  std::string filter;  // a valid regular expression; empty: all
  std::string backend;
  std::optional<std::uint64_t> seed;
  double seconds = default_seconds;  // for the whole run
  int threads = 0;                   // 0: each scenario's own
  int finalizers = 0;
  std::string json;
  bool shrink = false;  // reduce one failing cell
  bool points_given = false;
  std::vector<std::string> points;  // if given, only these perturb
  bool matrix = false;              // the guarantee matrix alone
  std::string out;                  // the folder for its documents
  bool smoke = false;
  bool canaries = false;  // the rare ones if `rare`
  bool rare = false;
  std::string child;
  std::string event_trial;  // as <event>/<subject>/<condition>
  int child_ledger = -1;
  planted plant = planted::nothing;
};

// The options, or a message for each error.
using parsed = std::variant<options, std::vector<std::string>>;
parsed parse(const flag_values& given, const names& known);

// The names as a list: "a, b and c".
std::string join_names(const std::vector<std::string_view>& names);

// An extended POSIX regular expression to search for.
class pattern {
 public:
  // What is wrong with it, or "".
  static std::string error_in(const std::string& expression);
  explicit pattern(const std::string& expression);
  ~pattern();
  pattern(const pattern&) = delete;
  pattern& operator=(const pattern&) = delete;
  [[nodiscard]] bool found_in(const std::string& text) const;

 private:
  void* compiled_;
};

}  // namespace threadref::stress
