// SPDX-License-Identifier: MIT
#include "bench/harness/options.hpp"

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "testing/text.hpp"

namespace threadref::bench {

namespace {

// --<name>=<value>
struct argument {
  std::string_view name;
  std::optional<std::string_view> value;
};

argument split(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// Flags of Google Benchmark for which it answers a bad value with its usage text and status 0.
struct choice {
  std::string_view flag;
  std::vector<std::string_view> valid;
};
const std::vector<choice>& choices() {
  static const std::vector<choice> all = {
      {"--benchmark_format", {"console", "json", "csv"}},
      {"--benchmark_out_format", {"json", "csv", "console"}},
      {"--benchmark_time_unit", {"ns", "us", "ms", "s"}},
      {"--benchmark_color", {"auto", "true", "false", "yes", "no", "on", "off", "1", "0"}},
  };
  return all;
}

class parser {
 public:
  explicit parser(const std::vector<int>& allowed) : allowed_(allowed) {}
  parsed result;

  void read(std::string_view text) {
    const argument a = split(text);
    if (read_switch(a) || read_own(a)) return;
    if (read_choice(a)) return;
    if (a.name == "--benchmark_filter" && a.value) return read_filter(*a.value);
    if (a.name == "--benchmark_list_tests" && a.value.value_or("true") != "false") o().list = true;
    o().passed.emplace_back(text);
  }

 private:
  options& o() { return result.values; }
  template <class... Part>
  void complain(const Part&... parts) {
    result.complaints.push_back(testing::concat(parts...));
  }

  bool read_switch(const argument& a) {
    struct toggle {
      std::string_view name;
      bool* on;
    };
    for (const toggle& t : {toggle{"--smoke", &o().smoke}, toggle{"--canaries", &o().canaries},
                            toggle{"--describe", &o().describe}}) {
      if (a.name != t.name) continue;
      if (a.value) complain(t.name, " takes no value");
      *t.on = true;
      return true;
    }
    return false;
  }

  bool read_own(const argument& a) {
    if (a.name == "--pin") {
      read_pin(a.value.value_or(""));
    } else if (a.name == "--samples") {
      read_file(a, o().samples);
    } else if (a.name == "--benchmark_out") {
      read_file(a, o().out);
    } else if (a.name == "--pair") {
      read_pair(a.value.value_or(""));
    } else if (a.name == "--quantity") {
      o().quantities = absl::StrSplit(testing::to_absl(a.value.value_or("")), ',');
    } else if (a.name == "--pairs") {
      read_number(a, 20, 100'000, o().pairs);
    } else if (a.name == "--layout") {
      read_number(a, 0, 3, o().layout);
    } else {
      return false;
    }
    return true;
  }

  // Google Benchmark matches names that end in "/iterations:10000/manual_time", which our table
  // does not print. A final $ is moved before that, so that it matches the end that we print.
  void read_filter(std::string_view value) {
    o().filter = value;
    const bool asks_for_end = value.size() > 1 && value.back() == '$' &&
                              value[value.size() - 2] != '\\' && value[value.size() - 2] != '^';
    if (asks_for_end) value.remove_suffix(1);
    o().passed.push_back(
        testing::concat("--benchmark_filter=", value, asks_for_end ? "/iterations:.*$" : ""));
  }

  void read_file(const argument& a, std::string& into) {
    into = a.value.value_or("");
    if (into.empty()) complain(a.name, " needs a file: ", a.name, "=FILE");
  }

  void read_pair(std::string_view value) {
    const std::size_t comma = value.find(',');
    if (comma == 0 || comma == std::string_view::npos || comma + 1 == value.size()) {
      return complain("--pair=", value, " is not valid; use --pair=A,B with two subjects");
    }
    o().pair_a = value.substr(0, comma);
    o().pair_b = value.substr(comma + 1);
  }

  void read_number(const argument& a, int least, int most, int& into) {
    const std::string_view value = a.value.value_or("");
    if (absl::SimpleAtoi(testing::to_absl(value), &into) && into >= least && into <= most) return;
    complain(a.name, "=", value, " is not valid; use a number from ", least, " to ", most);
  }

  void read_pin(std::string_view value) {
    int cpu = 0;
    if (value == "auto") {
      o().pin = pin_automatic;
    } else if (value == "none") {
      o().pin = pin_none;
    } else if (absl::SimpleAtoi(testing::to_absl(value), &cpu) &&
               std::find(allowed_.begin(), allowed_.end(), cpu) != allowed_.end()) {
      o().pin = cpu;
    } else {
      complain("--pin=", value, " is not valid; use auto, none, or a CPU this process may use: ",
               testing::listed(allowed_, ", "));
    }
  }

  // Checks the value; the argument is passed on unchanged.
  bool read_choice(const argument& a) {
    for (const choice& c : choices()) {
      if (a.name != c.flag) continue;
      const std::string_view value = a.value.value_or("");
      if (std::find(c.valid.begin(), c.valid.end(), value) == c.valid.end()) {
        complain(a.name, "=", value, " is not valid; use ", testing::listed(c.valid, ", "));
      }
      if (a.name == "--benchmark_format") o().format = std::string(value);
      if (value == "csv") o().is_csv = true;
    }
    return false;
  }

  const std::vector<int>& allowed_;
};

}  // namespace

parsed parse(const std::vector<std::string_view>& arguments, const std::vector<int>& allowed) {
  const auto asks_for_help = [](std::string_view a) { return a == "--help" || a == "-h"; };
  if (std::any_of(arguments.begin(), arguments.end(), asks_for_help)) {
    parsed only_help;
    only_help.values.help = true;
    return only_help;
  }
  parser p(allowed);
  for (const std::string_view a : arguments) p.read(a);
  options& o = p.result.values;
  if (o.canaries && (!o.samples.empty() || !o.out.empty() || o.format != "console")) {
    p.result.complaints.emplace_back(
        "--canaries gives no figures to store; leave out --samples, --benchmark_out and "
        "--benchmark_format");
  }
  if (!o.samples.empty() && o.samples == o.out) {
    p.result.complaints.emplace_back("--samples and --benchmark_out name the same file");
  }
  return p.result;
}

std::string_view help_text() {
  return R"(bench_threadref: what it costs to run functions when a thread ends, per back end.

usage: bench_threadref [options]

What runs
  --benchmark_filter=REGEX   only the rows whose name matches; default: all
  --benchmark_list_tests     print the names and run nothing
  --smoke                    smallest sizes and few threads: all rows in seconds, no valid figures
  --canaries                 smoke rows for the back ends broken on purpose: each must be caught
      bench_threadref --benchmark_filter=finalize
      bench_threadref --benchmark_filter='finalize/exit/.*/n:16$'

Pairs: two subjects measured in turns, which detects smaller differences than two rows
  --pair=A,B                 the rows paired/<A>_vs_<B>/...: the ratio of B to A, and controls for
                             both: each against itself (noise of time) and against its clone,
                             the same code at other addresses (noise of layout)
  --quantity=NAME[,NAME]     what to measure; default: registration,exit
  --pairs=N                  how many pairs of samples per row; default: 200
  --layout=0|1|2|3           which copy of the code A (bit 0) and B (bit 1) use; default: 0
      bench_threadref --pair=floor_call_loop,peer_reserved_vector --quantity=exit
  Each process has another memory layout: scripts/lab pair runs twenty and gives the verdict.

How
  --pin=auto|none|CPU        where rows without churn run. auto (default): on the last CPU that this
                             process may use; none: on any. Rows with churn run on all CPUs.
  --benchmark_repetitions=N  run each row N times; default: 1
      bench_threadref --benchmark_filter=registration --pin=0

Output
  --benchmark_format=FORMAT  of standard output: console (default, the table), json or csv
  --benchmark_out=FILE       write all rows to a file, completely or not at all
  --benchmark_out_format=F   of that file: json (default), csv or console
  --samples=FILE             write the single samples, at most 5000 per row, as JSON lines
      bench_threadref --benchmark_filter=finalize --benchmark_out=bench.json --samples=s.jsonl

About
  --describe                 print the tables of back ends, scenarios, peers and cells as JSON
  --version                  print the version and how this program was built
  --help                     print this text

Google Benchmark's other flags work as usual, except that --benchmark_min_time has no effect: the
numbers of threads are fixed.

Exit status: 0 fine - 1 wrong use, or no row matched - 2 a finalizer was lost, doubled or
misordered - 3 a crash, or the run is not usable - 4 a canary was not caught - 130 interrupted
)";
}

}  // namespace threadref::bench
