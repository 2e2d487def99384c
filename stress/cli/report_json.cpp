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

#include "scenarios/describe.hpp"
#include "stress/cli/report.hpp"
#include "stress/engine/yields.hpp"
#include "testing/build_info.hpp"
#include "testing/check.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

using json = nlohmann::ordered_json;

// The names of half-written files while they exist. Plain bytes, because a signal handler reads
// them.
using file_name = char[4096];
file_name half_written[documents_most] = {};

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
  const testing::build_info& b = testing::this_build();
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
  return testing::concat(path, ".", getpid(), ".half");
}

std::string because(const std::string& path, int error) {
  return testing::concat(path, " can't be written: ", std::strerror(error));
}

// A rename would replace a device by a file.
bool is_special(const std::string& path) {
  struct stat there {};
  return stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode);
}

// 0, or the error number.
int write_file(const std::string& path, const std::string& content) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return errno;
  const bool whole = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  const int error = errno;
  if (std::fclose(file) != 0) return errno;
  return whole ? 0 : error;
}

}  // namespace

std::string why_not_writable(const std::string& path) {
  if (is_special(path)) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return because(path, errno);
    close(fd);
    return {};
  }
  const std::string half = half_name(path);
  if (half.size() >= sizeof(file_name)) return because(path, ENAMETOOLONG);
  const int fd = open(half.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return because(path, errno);
  close(fd);
  unlink(half.c_str());
  return {};
}

std::string write_whole(const std::vector<document>& all) {
  THREADREF_CHECK(all.size() <= documents_most, "too many documents at once");
  std::string why;
  for (std::size_t i = 0; i != all.size() && why.empty(); ++i) {
    const bool special = is_special(all[i].path);
    const std::string name = special ? all[i].path : half_name(all[i].path);
    if (!special) *std::copy(name.begin(), name.end(), half_written[i]) = '\0';
    if (const int error = write_file(name, all[i].text); error != 0)
      why = because(all[i].path, error);
  }
  for (std::size_t i = 0; i != all.size() && why.empty(); ++i) {
    if (half_written[i][0] == '\0') continue;
    if (std::rename(half_written[i], all[i].path.c_str()) != 0) why = because(all[i].path, errno);
    if (why.empty()) half_written[i][0] = '\0';
  }
  remove_half_written();
  return why;
}

void remove_half_written() noexcept {
  for (const file_name& name : half_written) {
    if (name[0] != '\0') unlink(name);
  }
}

}  // namespace threadref::stress
