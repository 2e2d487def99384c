// SPDX-License-Identifier: MIT
#include <absl/strings/str_format.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "report.hpp"
#include "scenarios/check.hpp"
#include "scenarios/describe.hpp"
#include "text.hpp"
#include "yields.hpp"

namespace threadref::stress {

namespace {

using json = nlohmann::ordered_json;

// The half-written file's name, for the moment that it exists. Plain bytes: read in a signal
// handler.
char half_written[4096] = "";

json cell_of(const cell_result& r) {
  json outcomes = json::array();
  for (const graded& g : r.judged.outcomes) {
    if (g.count != 0)
      outcomes.push_back(
          {{"name", g.name}, {"count", g.count}, {"grade", scenarios::to_string(g.grade)}});
  }
  json cell{{"cell", scenarios::cell_name(r.cell->what)},
            {"scenario", r.cell->what.row->name},
            {"backend", r.cell->what.subject->name},
            {"verdict", to_string(r.judged.is)},
            {"threads", r.threads},
            {"finalizers", r.finalizers},
            {"rounds", r.figures.rounds},
            {"threads_churned", r.figures.threads_churned},
            {"threads_alive_max", r.figures.threads_alive_max},
            {"finalizers_run", r.figures.finalizers_run},
            {"seconds", r.seconds},
            {"outcomes", outcomes}};
  if (r.cell->canary && r.judged.is == verdict::failed) cell["caught_after_seconds"] = r.seconds;
  if (const std::optional<slope> s = r.memory.in_use.fit())
    cell["memory_slope_bytes_per_thread"] = s->bytes_per_thread;
  if (const std::optional<slope> s = r.memory.resident.fit())
    cell["resident_slope_bytes_per_thread"] = s->bytes_per_thread;
  return cell;
}

json yields_of(const program_info& program) {
  json rows = json::array();
  if (!program.points) return rows;
  for (const yields::row& y : yields::report()) {
    rows.push_back({{"point", y.point},
                    {"weight", y.weight},
                    {"reached", y.reached},
                    {"yielded", y.yielded},
                    {"slept", y.slept}});
  }
  return rows;
}

}  // namespace

json run_json(const program_info& program, const run_result& r) {
  const scenarios::build_info& b = scenarios::this_build();
  json cells = json::array();
  std::uint64_t threads = 0;
  std::uint64_t finalizers = 0;
  verdict worst = r.cells.empty() ? verdict::unknown : verdict::passed;
  for (const cell_result& c : r.cells) {
    cells.push_back(cell_of(c));
    threads += c.figures.threads_churned;
    finalizers += c.figures.finalizers_run;
    worst = worse(worst, c.judged.is);
  }
  return {{"schema", 1},
          {"program", program.name},
          {"version", b.version},
          {"commit", b.commit},
          {"compiler", b.compiler},
          {"build_type", b.build_type},
          {"seed", absl::StrFormat("0x%x", r.seed)},
          {"points", program.points},
          {"cells", cells},
          {"yields", yields_of(program)},
          {"totals", {{"threads_churned", threads}, {"finalizers_run", finalizers}}},
          {"seconds", r.seconds},
          {"notes", r.notes},
          {"verdict", r.interrupted ? "interrupted" : to_string(worst)},
          {"status", r.status}};
}

namespace {

std::string half_name(const std::string& path) {
  return text(path, ".", getpid(), ".half");
}

std::string because(const std::string& path, int error) {
  return text(path, " can't be written: ", std::strerror(error));
}

}  // namespace

std::string why_not_writable(const std::string& path) {
  struct stat there {};
  if (stat(path.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) return because(path, EISDIR);
  const std::string half = half_name(path);
  if (half.size() >= std::size(half_written)) return because(path, ENAMETOOLONG);
  const int fd = open(half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return because(path, errno);
  close(fd);
  unlink(half.c_str());
  return {};
}

void write_whole(const std::string& path, const std::string& text) {
  const std::string half = half_name(path);
  *std::copy(half.begin(), half.end(), half_written) = '\0';
  std::FILE* file = std::fopen(half.c_str(), "w");
  THREADREF_CHECK_ERRNO(file != nullptr, "fopen of a document");
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !whole || std::rename(half.c_str(), path.c_str()) != 0) {
    const int error = errno;
    remove_half_written();
    errno = error;
    THREADREF_CHECK_ERRNO(false, "writing a document");
  }
  half_written[0] = '\0';
}

void remove_half_written() noexcept {
  if (half_written[0] != '\0') unlink(half_written);
}

}  // namespace threadref::stress
