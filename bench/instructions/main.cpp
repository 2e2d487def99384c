// SPDX-License-Identifier: MIT
// bench_instructions: a fixed amount of one kind of work, for callgrind to count its instructions.
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "bench/instructions/work.hpp"
#include "bench_subjects.hpp"
#include "scenarios/describe.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"
#include "threadref/backends.hpp"

ABSL_FLAG(std::string, quantity, "", "see --help");
ABSL_FLAG(std::string, subject, "", "see --help");
ABSL_FLAG(int, n, 256, "see --help");
ABSL_FLAG(int, threads, 4, "see --help");
ABSL_FLAG(int, warm_up, 0, "see --help");
ABSL_FLAG(bool, list, false, "see --help");

namespace threadref::bench::instructions {
namespace {

constexpr std::string_view help =
    R"(bench_instructions: registers, runs or cancels a fixed number of finalizers on fresh threads.

usage: bench_instructions --quantity=NAME --subject=NAME [--n=N] [--threads=T] [--warm_up=N]
       bench_instructions --list | --version | --help

  --quantity=NAME   registration, exit (both register N and exit) or detach (registers N + 1 and
                    cancels N by their handles)
  --subject=NAME    a back end, a floor or a peer; with a back end that is broken on purpose
                    (canary_*, not listed) the exit status is 2
  --n=N             finalizers per thread; default: 256
  --threads=T       threads, one after the other; default: 4
  --warm_up=N       finalizers of one more thread that runs first; default: 0, no such thread
  --list            print "<quantity> <subject>" for all, with "cannot: <why>" if it is not possible

It measures no time and nothing in it is random. scripts/lab instructions runs it under callgrind,
which counts the instructions.

Exit status: 0 fine - 1 wrong use - 2 a finalizer was lost, doubled or misordered - 3 a crash
)";

// One quantity of one subject. `run` is null if the subject can't do that; `why` gives the reason.
struct cell {
  std::string_view quantity;
  std::string_view subject;
  const subject_code* code = nullptr;
  verdict (*run)(const subject_code&, const size&) = nullptr;
  std::string why;
  bool is_canary = false;  // not listed
};

cell make_cell(const quantity& what, const subject_code& s) {
  const std::string_view why_not = s.most < most_counted ? s.why_no_more : what.why_not(s);
  cell made{what.name, s.name, &s, what.run, std::string(why_not)};
  if (!why_not.empty()) made.run = nullptr;
  return made;
}

// The subjects of the timed rows.
subject_list counted_subjects() {
  subject_list all = subjects_of(row_kind::back_end);
  for (const subject_code* s : subjects_of(row_kind::peer)) all.push_back(s);
  for (const char* floor : {"floor_bump_store", "floor_call_loop"})
    all.push_back(&subject_named(floor));
  return all;
}

std::vector<cell> all_cells() {
  std::vector<cell> all;
  for (const quantity& what : quantities) {
    for (const subject_code* s : counted_subjects()) all.push_back(make_cell(what, *s));
    for (const subject_code* s : all_canaries()) {
      all.push_back(make_cell(what, *s));
      all.back().is_canary = true;
    }
    const auto add_absent = [&](const auto& absent) {
      for (const auto& a : absent) {
        if (!a.name.empty())
          all.push_back(
              {what.name, a.name, nullptr, nullptr, testing::concat("not built: ", a.why)});
      }
    };
    add_absent(absent_backends);
    add_absent(absent_peers);
  }
  return all;
}

int wrong_use(std::string_view message) {
  absl::FPrintF(stderr, "bench_instructions: %s\n", testing::to_absl(message));
  return testing::status_wrong_use;
}

int finish_output(int status) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  absl::FPrintF(stderr, "bench_instructions: can't write to standard output\n");
  return testing::status_crashed;
}

std::string to_text(const verdict& v) {
  return testing::concat("lost=", v.lost, " doubled=", v.doubled, " misordered=", v.misordered);
}

void print_list(const std::vector<cell>& all) {
  for (const cell& c : all) {
    if (c.is_canary) continue;
    const std::string why = c.run == nullptr ? testing::concat(" cannot: ", c.why) : std::string();
    absl::PrintF("%s %s%s\n", testing::to_absl(c.quantity), testing::to_absl(c.subject), why);
  }
}

// The values of a column of the list, each once.
std::string valid(const std::vector<cell>& all, std::string_view cell::*column) {
  std::vector<std::string_view> names;
  for (const cell& c : all) {
    if (std::find(names.begin(), names.end(), c.*column) == names.end()) names.push_back(c.*column);
  }
  return testing::listed(names);
}

// A message about an invalid size, or nothing. `most` is what a thread and the ledger can hold.
std::string size_complaint(const size& of) {
  constexpr int most = 1'000'000;
  const auto is_bad = [](int value, int least) { return value < least || value > most; };
  if (is_bad(of.n, 1)) return testing::concat("--n=", of.n, " is not valid; use 1 to ", most);
  if (is_bad(of.threads, 1))
    return testing::concat("--threads=", of.threads, " is not valid; use 1 to ", most);
  if (is_bad(of.warm_up, 0))
    return testing::concat("--warm_up=", of.warm_up, " is not valid; use 0 to ", most);
  return {};
}

int run(const std::vector<cell>& all) {
  const size of{absl::GetFlag(FLAGS_n), absl::GetFlag(FLAGS_threads), absl::GetFlag(FLAGS_warm_up)};
  const std::string quantity = absl::GetFlag(FLAGS_quantity);
  const std::string subject = absl::GetFlag(FLAGS_subject);
  if (const std::string why = size_complaint(of); !why.empty()) return wrong_use(why);
  const auto at = std::find_if(all.begin(), all.end(), [&](const cell& c) {
    return c.quantity == quantity && c.subject == subject;
  });
  if (at == all.end()) {
    return wrong_use(testing::concat("can't count --quantity=", quantity, " --subject=", subject,
                                     "; quantities: ", valid(all, &cell::quantity),
                                     "; subjects: ", valid(all, &cell::subject)));
  }
  if (at->run == nullptr)
    return wrong_use(testing::concat(subject, " can't do ", quantity, ": ", at->why));
  const verdict found = at->run(*at->code, of);
  absl::PrintF("%s %s n=%d threads=%d %s commit=%s\n", quantity, subject, of.n, of.threads,
               to_text(found), testing::to_absl(testing::this_build().commit));
  return finish_output(found.good() ? testing::status_fine : testing::status_forbidden);
}

int start(int argc, char** argv) {
  if (testing::prints_version("bench_instructions", argc, argv)) return testing::status_fine;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
    absl::PrintF("%s", testing::to_absl(help));
    return finish_output(testing::status_fine);
  }
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  if (rest.size() > 1)
    return wrong_use(testing::concat("'", rest[1], "' is not a flag; --help lists the flags"));
  const std::vector<cell> all = all_cells();
  if (!absl::GetFlag(FLAGS_list)) return run(all);
  print_list(all);
  return finish_output(testing::status_fine);
}

}  // namespace
}  // namespace threadref::bench::instructions

int main(int argc, char** argv) {
  try {
    return threadref::bench::instructions::start(argc, argv);
  } catch (const std::exception& error) {
    absl::FPrintF(stderr, "bench_instructions: %s\n", error.what());
    return threadref::testing::status_crashed;
  }
}
