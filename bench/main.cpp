// SPDX-License-Identifier: MIT
// bench_threadref measures what it costs to run functions when a thread ends. See --help.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness/canaries.hpp"
#include "bench/harness/options.hpp"
#include "bench/harness/output_file.hpp"
#include "bench/harness/reporter.hpp"
#include "bench/harness/rows.hpp"
#include "bench/harness/session.hpp"
#include "bench/order/order_trace.hpp"
#include "bench/paired/pairs.hpp"
#include "bench_subjects.hpp"
#include "scenarios/describe.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/memory_file.hpp"
#include "testing/text.hpp"

namespace threadref::bench {
namespace {

int wrong_use(std::string_view message) {
  std::fprintf(stderr, "bench_threadref: %.*s\n", static_cast<int>(message.size()), message.data());
  return testing::status_wrong_use;
}

// All output is still in memory, so nothing has to be cleaned up.
extern "C" void interrupted(int /*signal*/) {
  constexpr std::string_view text = "\nbench_threadref: interrupted; no file was written\n";
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  _exit(testing::status_interrupted);
}

void end_on_interruption() {
  struct sigaction action {};
  action.sa_handler = &interrupted;
  for (const int s : {SIGINT, SIGTERM, SIGHUP})
    THREADREF_CHECK_ERRNO(sigaction(s, &action, nullptr) == 0, "sigaction");
}

// Passes Google Benchmark its flags. Returns a message about the first one that it does not accept.
std::optional<std::string> initialize(char* program, const options& asked, const std::string& out) {
  static std::vector<std::string> texts;  // Google Benchmark stores pointers to them
  texts = asked.passed;
  if (!out.empty()) texts.push_back("--benchmark_out=" + out);
  static std::vector<char*> arguments;
  arguments = {program};
  for (std::string& t : texts) arguments.push_back(t.data());
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  benchmark::Initialize(&count, arguments.data());
  if (count <= 1) return std::nullopt;
  return testing::concat("'", arguments[1],
                         "' is not an option, or its value is not valid; --help lists the options");
}

int status_of(const session& session) {
  if (session.asked.canaries)
    return session.usable() ? judge_canaries(session) : testing::status_crashed;
  if (session.failed()) return testing::status_forbidden;
  return session.usable() ? testing::status_fine : testing::status_crashed;
}

std::optional<std::string> register_all(session& session) {
  if (!session.asked.pair_a.empty()) return register_pair(session);
  if (session.asked.canaries) {
    register_canary_rows(session);
  } else {
    register_rows(session);
    register_control_pairs(session);
  }
  return std::nullopt;
}

int run(char* program, options asked) {
  for (const std::string& file : {asked.samples, asked.out}) {
    if (file.empty()) continue;
    if (const std::string why = why_not_writable(file); !why.empty()) return wrong_use(why);
  }
  std::optional<testing::memory_file> out;
  if (!asked.out.empty()) out.emplace("bench_threadref");
  const std::optional<std::string> left_over =
      initialize(program, asked, out ? out->path() : std::string());
  if (left_over) return wrong_use(*left_over);

  asked.smoke = asked.smoke || asked.canaries;
  session session(std::move(asked), testing::observe_environment());
  end_on_interruption();
  create_higher_key();
  for (const fact& f : facts(session)) benchmark::AddCustomContext(f.key, f.value);
  if (auto complaint = register_all(session)) return wrong_use(*complaint);

  table_reporter table(session);
  std::ostringstream filter_message;  // from Google Benchmark
  table.SetErrorStream(&filter_message);
  const bool is_ours = session.asked.format == "console";
  if (benchmark::RunSpecifiedBenchmarks(is_ours ? &table : nullptr) == 0) {
    const bool is_bad = filter_message.str().find("Could not compile") != std::string::npos;
    return wrong_use(testing::concat(is_bad ? "not a regular expression: " : "no row matches ",
                                     "--benchmark_filter=", session.asked.filter,
                                     "; --benchmark_list_tests lists the names"));
  }
  if (session.asked.list) return testing::status_fine;
  session.write_samples();
  if (out) write_whole(session.asked.out, out->contents());
  const int status = status_of(session);
  std::cout.flush();
  if (std::cout.good() && std::fflush(stdout) == 0) return status;
  std::fprintf(stderr, "bench_threadref: can't write to standard output\n");
  return testing::status_crashed;
}

// What both programs print, and the peers, which only this one has.
std::string describe() {
  auto doc = nlohmann::ordered_json::parse(scenarios::describe());
  doc["peers"] = doc["absent_peers"] = nlohmann::ordered_json::array();
  for (const subject_code* p : subjects_of(row_kind::peer))
    doc["peers"].push_back({{"name", p->name}, {"summary", p->summary}, {"lacks", p->lacks}});
  for (const absent_peer& p : absent_peers) {
    if (!p.name.empty()) doc["absent_peers"].push_back({{"name", p.name}, {"why", p.why}});
  }
  return doc.dump(2) + "\n";
}

int start(int argc, char** argv) {
  if (testing::prints_version("bench_threadref", argc, argv)) return testing::status_fine;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  parsed p = parse(arguments, allowed_cpus());
  for (const std::string& complaint : p.complaints) wrong_use(complaint);
  if (!p.complaints.empty()) return testing::status_wrong_use;
  if (p.values.help) {
    std::fwrite(help_text().data(), 1, help_text().size(), stdout);
    return testing::status_fine;
  }
  if (p.values.describe) {
    const std::string text = describe();
    std::fwrite(text.data(), 1, text.size(), stdout);
    return testing::status_fine;
  }
  return run(argv[0], std::move(p.values));
}

}  // namespace
}  // namespace threadref::bench

int main(int argc, char** argv) {
  try {
    return threadref::bench::start(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_threadref: %s\n", error.what());
    return threadref::testing::status_crashed;
  }
}
