// SPDX-License-Identifier: MIT
#include "stress/cli/program.hpp"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>

#include "scenarios/describe.hpp"
#include "stress/cli/flags.hpp"
#include "stress/engine/run.hpp"
#include "stress/engine/shrink.hpp"
#include "stress/engine/watchdog.hpp"
#include "stress/matrix/child/run_event.hpp"
#include "stress/matrix/report/report.hpp"
#include "stress/matrix/runner/cell.hpp"
#include "testing/aslr.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"
#include "threadref/backends.hpp"

namespace threadref::stress {

namespace {

int refuse(const std::vector<std::string>& wrong, const program_info& program) {
  for (const std::string& s : wrong) absl::FPrintF(stderr, "%s: %s\n", program.name, s);
  absl::FPrintF(stderr, "%s --help lists all flags\n", program.name);
  return testing::status_wrong_use;
}

names known_names() {
  names n;
  for (const participant& p : default_participants()) n.backends.push_back(p.name);
  for (const participant& p : canary_participants()) n.canaries.push_back(p.name);
  if (n.canaries.empty()) return n;  // built without any
  for (const backend_info* b : scenarios::all_rare_canaries()) n.rare.push_back(b->name);
  return n;
}

std::vector<participant> participants_of(const options& o) {
  if (!o.rare) return o.canaries ? canary_participants() : default_participants();
  std::vector<participant> all;
  for (const backend_info* b : scenarios::all_rare_canaries())
    all.push_back({.name = b->name, .summary = b->summary, .contract = b, .canary = true});
  return all;
}

// A trial of an event starts only a few threads: too few for a rare canary.
std::vector<event_cell> events_of(const options& o, const std::vector<participant>& participants) {
  return o.rare ? std::vector<event_cell>{} : select_events(o, participants);
}

std::vector<cell_code> all_cells() {
  std::vector<cell_code> all = backend_cells();
  const std::vector<cell_code> broken = canary_cells();
  all.insert(all.end(), broken.begin(), broken.end());
  return all;
}

int nothing_matched(const options& o, const std::vector<cell_code>& all,
                    const program_info& program) {
  absl::FPrintF(stderr, "%s: no cell matches --filter=%s%s%s; valid:\n", program.name, o.filter,
                o.backend.empty() ? "" : " --backend=", o.backend);
  options everything = o;
  everything.filter = "";
  everything.backend = "";
  const std::vector<participant> participants = participants_of(o);
  for (const event_cell& c : events_of(everything, participants))
    absl::FPrintF(stderr, "  %s\n", cell_name(*c.what, *c.subject));
  for (const cell_code& c : all) {
    if (c.canary == o.canaries && c.rare == o.rare)
      absl::FPrintF(stderr, "  %s\n", scenarios::cell_name(c.what));
  }
  return testing::status_wrong_use;
}

// Prints the lines of --list and counts them by status.
class listing {
 public:
  void print(const std::string& name, std::string_view status, std::string_view why) {
    absl::PrintF("%-48s %s%s%s\n", name, status, why.empty() ? "" : "  ", why);
    ++counts_[std::string(status)];
    ++cells_;
  }
  [[nodiscard]] int cells() const noexcept { return cells_; }
  void print_counts() const {
    std::string all;
    for (const auto& [status, count] : counts_)
      all += testing::concat(all.empty() ? "" : ", ", count, " ", status);
    absl::PrintF("%d cells: %s\n", cells_, all);
  }

 private:
  std::map<std::string, int> counts_;
  int cells_ = 0;
};

int list(const options& o, const std::vector<cell_code>& all, const program_info& program) {
  const std::vector<participant> participants = participants_of(o);
  listing all_lines;
  for (const event_cell& c : events_of(o, participants)) {
    const deviation* const departs = declared_deviation(c);
    const std::string_view status = c.is != outcome::unknown ? to_string(c.is)
                                    : departs != nullptr     ? "deviates"
                                                             : "run";
    const std::string_view why = departs != nullptr ? departs->why : std::string_view(c.why);
    all_lines.print(cell_name(*c.what, *c.subject),
                    testing::concat(status, c.what->slow ? " slow" : ""), why);
  }
  const pattern wanted(o.filter.empty() ? "." : o.filter);
  for (const cell_code& c : all) {
    const std::string name = scenarios::cell_name(c.what);
    if (o.matrix || c.canary != o.canaries || c.rare != o.rare || !wanted.found_in(name)) continue;
    if (!o.backend.empty() && c.what.subject->name != o.backend) continue;
    all_lines.print(name, scenarios::to_string(c.what.status), c.what.why);
  }
  if (all_lines.cells() == 0) return nothing_matched(o, all, program);
  for (const absent_backend& a : absent_backends) {
    if (!a.name.empty() && !o.canaries)
      all_lines.print(testing::concat("*/", a.name), "absent", a.why);
  }
  all_lines.print_counts();
  return testing::status_fine;
}

struct whole_run {
  matrix_result matrix;
  run_result scenarios;
};

// The canaries that took part and that neither a scenario nor an event caught.
std::vector<std::string_view> missed_canaries(const whole_run& r) {
  std::vector<std::string_view> missed;
  for (const participant& p : r.matrix.participants) {
    const auto is_its = [&p](const cell_result& c) { return c.cell->what.subject->name == p.name; };
    const auto caught = [&](const cell_result& c) {
      return is_its(c) && c.judged.is == verdict::failed;
    };
    const auto caught_by_event = [&p](const event_cell& c) {
      return c.subject->name == p.name && c.judged == verdict::failed;
    };
    const auto played = [&p](const event_cell& c) { return c.subject->name == p.name; };
    const bool took_part =
        std::any_of(r.scenarios.cells.begin(), r.scenarios.cells.end(), is_its) ||
        std::any_of(r.matrix.cells.begin(), r.matrix.cells.end(), played);
    if (took_part && std::none_of(r.scenarios.cells.begin(), r.scenarios.cells.end(), caught) &&
        std::none_of(r.matrix.cells.begin(), r.matrix.cells.end(), caught_by_event))
      missed.push_back(p.name);
  }
  return missed;
}

int status_of(const whole_run& r) {
  if (r.scenarios.interrupted) return testing::status_interrupted;
  const bool nothing = r.scenarios.cells.empty() && r.matrix.cells.empty();
  verdict worst = nothing ? verdict::unknown : verdict::passed;
  for (const cell_result& c : r.scenarios.cells) worst = worse(worst, c.judged.is);
  for (const event_cell& c : r.matrix.cells) worst = worse(worst, c.judged);
  if (worst == verdict::failed) return testing::status_forbidden;
  return worst == verdict::unknown ? testing::status_crashed : testing::status_fine;
}

// Which of the wanted documents can't be written; "": all can.
std::string why_no_document(const options& o) {
  if (std::string why = o.json.empty() ? "" : why_not_writable(o.json); !why.empty()) return why;
  return o.out.empty() ? "" : why_no_folder(o.out);
}

void show(const options& o, whole_run& r) {
  const bool interrupted = r.scenarios.interrupted || r.matrix.interrupted;
  r.scenarios.interrupted = interrupted;
  if (!r.matrix.cells.empty()) print_matrix(r.matrix);
  if (!o.canaries) {
    r.scenarios.status = status_of(r);
    if (!r.scenarios.cells.empty() || interrupted) print_summary(r.scenarios);
    return;
  }
  const std::vector<std::string_view> missed = missed_canaries(r);
  r.scenarios.status = interrupted      ? testing::status_interrupted
                       : missed.empty() ? testing::status_fine
                                        : testing::status_canary_missed;
  print_canaries(r.scenarios, missed);
}

// A run whose documents can't be written is not usable, whatever else it found.
int write_documents(const options& o, const program_info& program, const whole_run& r) {
  std::vector<std::string> wrong;
  if (!o.json.empty()) {
    wrong.push_back(write_whole({{o.json, whole_json(program, r.scenarios, r.matrix)}}));
  }
  if (o.matrix && o.out.empty()) std::fputs(matrix_markdown(r.matrix).c_str(), stdout);
  if (!o.out.empty()) wrong.push_back(write_matrix(o.out, program, r.matrix));
  int status = r.scenarios.status;
  for (const std::string& why : wrong) {
    if (why.empty()) continue;
    absl::FPrintF(stderr, "%s: %s\n", program.name, why);
    status = testing::status_crashed;
  }
  return status;
}

int run(const options& o, const std::vector<cell_code>& all, const char* path,
        const program_info& program) {
  const std::vector<const cell_code*> cells =
      o.matrix ? std::vector<const cell_code*>{} : select_cells(o, all);
  const std::vector<participant> participants = participants_of(o);
  std::vector<event_cell> events = events_of(o, participants);
  if (cells.empty() && events.empty()) return nothing_matched(o, all, program);
  if (const std::string why = why_no_document(o); !why.empty()) return refuse({why}, program);
  if (o.shrink && (cells.size() != 1 || !events.empty()))
    return refuse({testing::concat("--shrink is for one cell of a scenario; --filter=", o.filter,
                                   " matches ", cells.size() + events.size())},
                  program);
  use_small_stacks();
  start_counting_bytes();
  std::signal(SIGXFSZ, SIG_IGN);  // so that a limit on file sizes is an error like a full disk
  watchdog::start(&remove_half_written);
  const std::uint64_t seed = plan_run(program, o);
  if (o.shrink) return shrink(o, path, *cells.front(), seed);
  whole_run r;
  r.matrix = run_matrix(o, path, participants, std::move(events), seed);
  r.scenarios = run_cells(o, path, cells, seed);
  show(o, r);
  return write_documents(o, program, r);
}

}  // namespace

int run_program(int argc, char** argv, const program_info& program) {
  if (wants_help(argc, argv)) {
    print_help(program.name, default_backend::info.name);
    return testing::status_fine;
  }
  if (testing::prints_version(program.name, argc, argv)) return testing::status_fine;
  if (const std::vector<std::string> wrong = unknown_flags(argc, argv); !wrong.empty())
    return refuse(wrong, program);
  testing::rerun_without_aslr_if_needed(argv);
  const parsed result = parse(read_flags(argc, argv), known_names());
  if (const auto* wrong = std::get_if<std::vector<std::string>>(&result))
    return refuse(*wrong, program);
  const auto& o = std::get<options>(result);
  if (o.what == task::describe) {
    std::fputs(scenarios::describe().c_str(), stdout);
    return testing::status_fine;
  }
  if (o.what == task::run_event) return run_event(o);
  const std::vector<cell_code> all = all_cells();
  if (o.what == task::child) return run_child(o, all);
  if (o.what == task::list) return list(o, all, program);
  return run(o, all, argv[0], program);
}

}  // namespace threadref::stress
