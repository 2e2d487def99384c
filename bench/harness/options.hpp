// SPDX-License-Identifier: MIT
// The command line, parsed. Options that are not ours are passed on to Google Benchmark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace threadref::bench {

constexpr int pin_automatic = -1;
constexpr int pin_none = -2;

struct options {
  bool smoke = false;
  bool canaries = false;
  bool describe = false;
  bool help = false;
  bool list = false;
  bool is_csv = false;      // standard output or the file is CSV
  int pin = pin_automatic;  // or a CPU
  std::string pair_a;       // empty: no pair
  std::string pair_b;
  std::vector<std::string> quantities{"registration", "exit"};  // of pairs
  int pairs = 200;                                              // of each
  int layout = 0;       // which copy of the timed code each side of a pair uses: 0 to 3
  std::string samples;  // a file; empty: none
  std::string out;
  std::string format = "console";
  std::string filter;               // for the message if nothing matches
  std::vector<std::string> passed;  // for Google Benchmark, without --benchmark_out
};

struct parsed {
  options values;
  std::vector<std::string> complaints;  // messages; if there are any, the values are meaningless
};

// Parses the arguments after the program's name. `allowed`: the CPUs that --pin may name. Has no
// side effects. With --help it complains about nothing.
parsed parse(const std::vector<std::string_view>& arguments, const std::vector<int>& allowed);

// What --help prints.
std::string_view help_text();

}  // namespace threadref::bench
