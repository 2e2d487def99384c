// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstdio>

#include "flags.hpp"
#include "minder.hpp"
#include "run.hpp"
#include "sanitizers.hpp"
#include "scenarios/check.hpp"
#include "scenarios/describe.hpp"
#include "text.hpp"
#include "threadref/backends.hpp"

namespace threadref::stress {

namespace {

int refuse(const std::vector<std::string>& sentences, const program_info& program) {
  for (const std::string& s : sentences) absl::FPrintF(stderr, "%s: %s\n", program.name, s);
  absl::FPrintF(stderr, "%s --help lists all flags\n", program.name);
  return scenarios::status_wrong_use;
}

names known_names() {
  names n;
  for (const backend_info* b : scenarios::all_backends()) n.backends.push_back(b->name);
  for (const backend_info* b : scenarios::all_canaries()) n.canaries.push_back(b->name);
  return n;
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
  for (const cell_code& c : all) {
    if (c.canary == o.canaries) absl::FPrintF(stderr, "  %s\n", scenarios::cell_name(c.what));
  }
  return scenarios::status_wrong_use;
}

int list(const options& o, const std::vector<cell_code>& all, const program_info& program) {
  const pattern wanted(o.filter.empty() ? "." : o.filter);
  int found = 0;
  for (const cell_code& c : all) {
    const std::string name = scenarios::cell_name(c.what);
    if (c.canary != o.canaries || !wanted.found_in(name)) continue;
    if (!o.backend.empty() && c.what.subject->name != o.backend) continue;
    ++found;
    const std::string why = c.what.why.empty() ? "" : text("  ", c.what.why);
    absl::PrintF("%-32s %s%s\n", name, scenarios::to_string(c.what.status), why);
  }
  if (found == 0) return nothing_matched(o, all, program);
  for (const absent_backend& a : absent_backends) {
    if (!a.name.empty() && !o.canaries)
      absl::PrintF("%-32s absent  %s\n", text("*/", a.name), a.why);
  }
  return scenarios::status_fine;
}

std::vector<std::string_view> missed_canaries(const run_result& r) {
  std::vector<std::string_view> missed;
  for (const cell_result& c : r.cells) {
    const std::string_view name = c.cell->what.subject->name;
    const auto caught = [name](const cell_result& each) {
      return each.cell->what.subject->name == name && each.judged.is == verdict::failed;
    };
    if (std::none_of(r.cells.begin(), r.cells.end(), caught) &&
        std::find(missed.begin(), missed.end(), name) == missed.end())
      missed.push_back(name);
  }
  return missed;
}

int status_of(const run_result& r) {
  if (r.interrupted) return scenarios::status_interrupted;
  verdict worst = r.cells.empty() ? verdict::unknown : verdict::passed;
  for (const cell_result& c : r.cells) worst = worse(worst, c.judged.is);
  if (worst == verdict::failed) return scenarios::status_forbidden;
  return worst == verdict::unknown ? scenarios::status_crashed : scenarios::status_fine;
}

int run(const options& o, const std::vector<cell_code>& all, const char* path,
        const program_info& program) {
  const std::vector<const cell_code*> cells = select_cells(o, all);
  if (cells.empty()) return nothing_matched(o, all, program);
  if (!o.json.empty()) {
    if (const std::string why = why_not_writable(o.json); !why.empty())
      return refuse({why}, program);
  }
  use_small_stacks();
  minder::start(&remove_half_written);
  run_result r = run_cells(program, o, path, cells);
  if (o.canaries) {
    const std::vector<std::string_view> missed = missed_canaries(r);
    r.status = r.interrupted    ? scenarios::status_interrupted
               : missed.empty() ? scenarios::status_fine
                                : scenarios::status_canary_missed;
    print_canaries(r, missed);
  } else {
    r.status = status_of(r);
    print_summary(r);
  }
  if (!o.json.empty()) write_json(o.json, program, r);
  return r.status;
}

}  // namespace

int run_program(int argc, char** argv, const program_info& program) {
  if (wants_help(argc, argv)) {
    print_help(program.name, default_backend::info.name);
    return scenarios::status_fine;
  }
  if (const std::vector<std::string> wrong = unknown_flags(argc, argv); !wrong.empty())
    return refuse(wrong, program);
  rerun_without_aslr_if_needed(argv);
  const parsed result = parse(read_flags(argc, argv), known_names());
  if (const auto* wrong = std::get_if<std::vector<std::string>>(&result))
    return refuse(*wrong, program);
  const auto& o = std::get<options>(result);
  if (o.what == task::describe) {
    std::fputs(scenarios::describe().c_str(), stdout);
    return scenarios::status_fine;
  }
  const std::vector<cell_code> all = all_cells();
  if (o.what == task::child) return run_child(o, all);
  if (o.what == task::list) return list(o, all, program);
  return run(o, all, argv[0], program);
}

}  // namespace threadref::stress
