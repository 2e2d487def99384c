// SPDX-License-Identifier: MIT
#include "stress/cli/flags.hpp"

#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/reflection.h>

#include <cstdio>
#include <iterator>

#include "testing/text.hpp"

// All values are text, so that parse() can explain what is wrong with one.
ABSL_FLAG(std::string, filter, "", "run only cells whose name matches");
ABSL_FLAG(std::string, backend, "", "run only this back end");
ABSL_FLAG(std::string, seed, "", "determines all random choices");
ABSL_FLAG(std::string, time, "", "time for the whole run");
ABSL_FLAG(std::string, threads, "", "threads alive at once");
ABSL_FLAG(std::string, finalizers, "", "at most so many per thread");
ABSL_FLAG(std::string, json, "", "write the result to this file");
ABSL_FLAG(bool, shrink, false, "reduce one failing cell");
ABSL_FLAG(std::string, points, "", "the only points that perturb");
ABSL_FLAG(bool, matrix, false, "the guarantee matrix alone");
ABSL_FLAG(std::string, out, "", "the folder for the matrix's documents");
ABSL_FLAG(bool, list, false, "print the cells");
ABSL_FLAG(bool, describe, false, "print the tables as JSON");
ABSL_FLAG(bool, smoke, false, "smallest sizes, one round");
ABSL_FLAG(bool, canaries, false, "run the planted faults");
ABSL_FLAG(bool, rare, false, "run the rare planted faults");
ABSL_FLAG(std::string, child, "", "hidden: be a child process");
ABSL_FLAG(std::string, child_ledger, "", "hidden: the file descriptor of its ledger");
ABSL_FLAG(std::string, act, "", "hidden: be the child of a trial");
ABSL_FLAG(std::string, plant, "", "hidden: plant a fault in the harness, for its tests");

namespace threadref::stress {

namespace {

constexpr std::string_view shown[] = {
    "--filter", "--backend",  "--seed",   "--time",     "--threads", "--finalizers",
    "--list",   "--describe", "--smoke",  "--canaries", "--rare",    "--json",
    "--matrix", "--out",      "--shrink", "--points",   "--version", "--help"};

constexpr char help[] = R"(PROGRAM: do finalizers survive thousands of threads that come and go?

usage: PROGRAM [flags]

Plays every event of the guarantee matrix with every mechanism, each in a child process, and every
scenario on every back end, and counts what becomes of each callback. A cell is <event>/<mechanism>
or <scenario>/<back end>. Without flags: the whole matrix, then all scenarios at their real sizes
for 3 minutes.

What to run
  --filter=<regex>     only cells whose name matches anywhere (extended POSIX)   default: all
  --backend=<name>     only this back end, or this peer in the matrix            default: all
  --matrix             play only the guarantee matrix: five trials a cell, or one with --smoke
  --out=<folder>       with --matrix: write matrix.json, matrix.md and matrix.html there
  --list               print the cells, with the reason for those that don't run
  --describe           print both tables and all cells as JSON
  --version            print the version and how this program was built
  example: PROGRAM --filter='^(churn|burst)/' --backend=BACKEND

How much
  --time=<duration>    for all scenarios together, divided among their cells; each plays at least
                       one round (500ms, 90s, 3m, 1h30m)                         default: 3m
  --threads=<n>        alive at once in every scenario    default: each scenario's own, up to 4,000
  --finalizers=<n>     at most so many per thread; the number is drawn  default: each scenario's own
  --smoke              one round or trial of each cell at the smallest sizes, without slow events
                       unless --filter names them: seconds
  example: PROGRAM --threads=1000 --finalizers=8 --time=1m

To repeat a run
  --seed=<n>           a number, 0x and hexadecimal digits, or a commit hash     default: drawn
                       It fixes all choices: how many finalizers, how threads end, where to yield.
                       It does not fix the schedule: the kernel still decides which thread runs
                       when, so a race may need several runs to show again.
  example: PROGRAM --filter=^mixed/ --seed=0x5f3a19c2

  --points=<a,b,...>   only these named points perturb, or `none`; the seed decides how often
                                                                                 default: all
  --shrink             reduce one cell of a scenario that fails with this --seed: play it with
                       fewer threads, finalizers and points as long as it fails, and print the
                       command of the smallest run
  example: PROGRAM --filter='^mixed/BACKEND$' --seed=0x5f3a19c2 --shrink

Does it catch faults?
  --canaries           play the back ends that are broken on purpose instead, at smoke size; fine
                       only if every one is caught
  --rare               play those instead whose fault shows once in very many threads, each in a
                       child process until it is caught or its share of --time is over
  example: PROGRAM --canaries

For machines
  --json=<file>        write the result as one JSON document, whole or not at all
  example: PROGRAM --smoke --json=stress.json

exit status: 0 fine · 1 wrong use or nothing matched · 2 a forbidden or undeclared outcome
             3 crashed, timed out, or the run is not usable (verdict unknown) · 4 a canary was not
             caught · 66 a sanitizer reported (above) · 130 interrupted: the tally so far is
             printed; a second Ctrl-C ends at once
)";

std::string name_of(std::string_view argument) {
  argument.remove_prefix(argument.substr(0, 2) == "--" ? 2 : 1);
  return std::string(argument.substr(0, argument.find('=')));
}
bool is_flag(std::string_view argument) {
  return argument.size() > 1 && argument[0] == '-';
}

}  // namespace

bool wants_help(int argc, char** argv) {
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (is_flag(argv[i]) && (name_of(argv[i]) == "help" || name_of(argv[i]) == "h")) return true;
  }
  return false;
}

void print_help(std::string_view program, std::string_view backend) {
  std::string filled = help;
  for (const auto& [placeholder, name] : {std::pair{std::string_view("PROGRAM"), program},
                                          std::pair{std::string_view("BACKEND"), backend}}) {
    for (std::size_t at = 0; (at = filled.find(placeholder, at)) != std::string::npos;)
      filled.replace(at, placeholder.size(), name);
  }
  std::fputs(filled.c_str(), stdout);
}

std::vector<std::string> unknown_flags(int argc, char** argv) {
  std::vector<std::string> messages;
  const std::vector<std::string_view> valid(std::begin(shown), std::end(shown));
  for (int i = 1; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    if (!is_flag(argv[i])) continue;
    const std::string name = name_of(argv[i]);
    if (absl::FindCommandLineFlag(name) != nullptr) continue;
    if (name.starts_with("no") && absl::FindCommandLineFlag(name.substr(2)) != nullptr) continue;
    messages.push_back(
        testing::concat("there is no flag '", argv[i], "'; valid: ", join_names(valid)));
  }
  return messages;
}

flag_values read_flags(int argc, char** argv) {
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  flag_values v{.filter = absl::GetFlag(FLAGS_filter),
                .backend = absl::GetFlag(FLAGS_backend),
                .seed = absl::GetFlag(FLAGS_seed),
                .time = absl::GetFlag(FLAGS_time),
                .threads = absl::GetFlag(FLAGS_threads),
                .finalizers = absl::GetFlag(FLAGS_finalizers),
                .json = absl::GetFlag(FLAGS_json),
                .out = absl::GetFlag(FLAGS_out),
                .points = absl::GetFlag(FLAGS_points),
                .matrix = absl::GetFlag(FLAGS_matrix),
                .shrink = absl::GetFlag(FLAGS_shrink),
                .list = absl::GetFlag(FLAGS_list),
                .describe = absl::GetFlag(FLAGS_describe),
                .smoke = absl::GetFlag(FLAGS_smoke),
                .canaries = absl::GetFlag(FLAGS_canaries),
                .rare = absl::GetFlag(FLAGS_rare),
                .child = absl::GetFlag(FLAGS_child),
                .child_ledger = absl::GetFlag(FLAGS_child_ledger),
                .act = absl::GetFlag(FLAGS_act),
                .plant = absl::GetFlag(FLAGS_plant),
                .unexpected = {}};
  for (std::size_t i = 1; i < rest.size(); ++i) v.unexpected.emplace_back(rest[i]);
  return v;
}

}  // namespace threadref::stress
