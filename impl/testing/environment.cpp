// SPDX-License-Identifier: MIT
#include "testing/environment.hpp"

#include <dlfcn.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "threadref/config.hpp"

namespace threadref::testing {

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The number in a file of /proc/sys or of a control group; infinity if there is no such limit
// ("max", or no such file).
double number_in(const std::string& path) {
  std::istringstream text(first_line(path));
  double number = 0;
  return text >> number ? number : std::numeric_limits<double>::infinity();
}

// The text after "<key>" and ":" in a file of such lines.
std::string field(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.compare(0, key.size(), key) != 0) continue;
    const std::size_t text = line.find_first_not_of(" \t", colon + 1);
    if (text != std::string::npos) return line.substr(text);
  }
  return {};
}

std::string cpu_model() {
  for (const char* key : {"model name", "Model", "uarch"}) {
    if (std::string found = field("/proc/cpuinfo", key); !found.empty()) return found;
  }
  return "unknown";
}

std::string libc_version() {
  char text[64] = {};
  return confstr(_CS_GNU_LIBC_VERSION, text, sizeof text) > 1 ? text : "unknown";
}

// The object that defines malloc, whether preloaded or linked; not what LD_PRELOAD says.
std::string allocator_name() {
  Dl_info info{};
  void* const found = dlsym(RTLD_DEFAULT, "malloc");
  if (found == nullptr || dladdr(found, &info) == 0 || info.dli_fname == nullptr) return "unknown";
  std::string name = info.dli_fname;
  name.erase(0, name.rfind('/') + 1);
  if (name.compare(0, 7, "libc.so") == 0) return "glibc";
  if (name.compare(0, 3, "lib") == 0) name.erase(0, 3);
  return name.substr(0, name.find(".so"));
}

std::string label_of(const environment& e) {
  std::string label;
  for (const char c : e.cpu) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0) {
      label += static_cast<char>(std::tolower(u));
    } else if (!label.empty() && label.back() != '-') {
      label += '-';
    }
  }
  const std::string cores = std::to_string(e.cores_online) + "c";
  label.resize(std::min(label.size(), 39 - cores.size()));
  while (!label.empty() && label.back() == '-') label.pop_back();
  return label + "-" + cores;
}

void observe_cores(environment& e) {
  e.cores_online = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  e.cores_allowed = 1;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  e.cores_allowed = std::max(CPU_COUNT(&allowed), 1);
  for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) e.last_cpu = cpu;
  }
}

void measure_clock(environment& e) {
  using clock = std::chrono::steady_clock;
  using ns = std::chrono::nanoseconds;
  constexpr int reads = 20'000;
  std::vector<clock::time_point> at(reads);
  e.clock_read_ns = std::numeric_limits<double>::infinity();
  std::set<long> steps;
  for (int batch = 0; batch != 5; ++batch) {
    for (clock::time_point& t : at) t = clock::now();
    const ns whole = at.back() - at.front();
    e.clock_read_ns = std::min(e.clock_read_ns, static_cast<double>(whole.count()) / (reads - 1));
    for (int i = 1; i != reads; ++i) {
      steps.insert(static_cast<long>(
          ns(at[static_cast<std::size_t>(i)] - at[static_cast<std::size_t>(i) - 1]).count()));
    }
  }
  // Times are rounded to ns, so a clock with a tick of 10 ns shows steps of 20, 21, 30, 31: the
  // tick is the distance between two such groups. A clock without groups has a tick of 1 ns.
  e.clock_tick_ns = 1;
  for (auto s = steps.begin(); std::next(s) != steps.end(); ++s) {
    const long gap = *std::next(s) - *s;
    if (gap == 1 && s != steps.begin() && *s - *std::prev(s) == 1) return;
    if (gap == 1) continue;
    const long group = s != steps.begin() && *s - *std::prev(s) == 1 ? *std::prev(s) : *s;
    e.clock_tick_ns = static_cast<double>(*std::next(s) - group);
    return;
  }
}

// --- How many threads are possible.

struct limit_seen {
  double threads = std::numeric_limits<double>::infinity();
  std::string name;
  void consider(double possible, std::string what) {
    if (possible < threads) {
      threads = possible;
      name = std::move(what);
    }
  }
};

// All control groups of this process, from its own to the root. In a container the paths may not
// exist; then only the mount's root is visible.
std::vector<std::string> control_groups() {
  std::vector<std::string> folders;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controller = line.substr(first + 1, second - first - 1);
    std::string mount = "/sys/fs/cgroup";
    if (!controller.empty()) mount += "/" + controller;
    for (std::string path = line.substr(second + 1); !path.empty();
         path.erase(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'))) {
      folders.push_back(mount + path);
    }
    folders.push_back(mount);
  }
  return folders;
}

// The fourth field of loadavg is running/existing, over the whole machine.
double existing_threads() {
  std::istringstream text(first_line("/proc/loadavg"));
  std::string skip;
  double running = 0;
  char slash = 0;
  double existing = 0;
  text >> skip >> skip >> skip >> running >> slash >> existing;
  return existing;
}

}  // namespace

environment observe_environment() {
  environment e;
  e.cpu = cpu_model();
  observe_cores(e);
  e.memory_mib = static_cast<long>(static_cast<double>(sysconf(_SC_PHYS_PAGES)) *
                                   static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024 * 1024));
  e.libc = libc_version();
  utsname kernel{};
  e.kernel = uname(&kernel) == 0
                 ? std::string(kernel.sysname) + " " + kernel.release + " " + kernel.machine
                 : "unknown";
  e.machine = label_of(e);
  e.allocator = allocator_name();
  double load[1] = {};
  if (getloadavg(load, 1) == 1) e.load = load[0];
  measure_clock(e);
  return e;
}

cpu_times cpu_times_now() {
  std::istringstream text(first_line("/proc/stat"));
  std::string cpu;
  text >> cpu;
  cpu_times times;
  double ticks = 0;
  for (int i = 0; i != 8 && text >> ticks; ++i) {
    times.all += ticks;
    if (i == 7) times.stolen = ticks;  // user nice system idle iowait irq softirq steal
  }
  return times;
}

double steal_percent(const cpu_times& before, const cpu_times& after) noexcept {
  const double all = after.all - before.all;
  return all > 0 ? 100 * (after.stolen - before.stolen) / all : 0;
}

// Measured per live thread: resident memory, including the kernel's and the sanitizers'.
// ThreadSanitizer of gcc 12 also stores a clock of all threads in each mutex and atomic: 17.6 GB
// for 4 000 threads with up to 64 finalizers each, so that part grows with the square.
static double threads_within(double memory) {
  const double each = detail::under_tsan ? 1.1e6 : detail::under_asan ? 140e3 : 48e3;
  constexpr double each_pair = 825;
  if (!detail::under_tsan) return memory / each;
  return (std::sqrt(each * each + 4 * each_pair * memory) - each) / (2 * each_pair);
}

thread_room room_for_threads(int wanted, std::size_t stack_bytes) {
  // Mappings per thread; the kernel limits their number.
  const double mappings = detail::under_tsan ? 11 : 3;
  const double existing = existing_threads();
  limit_seen limit;
  limit.consider(number_in("/proc/sys/kernel/threads-max") - existing, "kernel.threads-max");
  limit.consider(number_in("/proc/sys/kernel/pid_max") - existing, "kernel.pid_max");
  limit.consider(number_in("/proc/sys/vm/max_map_count") / mappings, "vm.max_map_count");
  rlimit user{};
  // Does not apply to root. All existing threads are an upper bound of the user's.
  if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &user) == 0 && user.rlim_cur != RLIM_INFINITY)
    limit.consider(static_cast<double>(user.rlim_cur) - existing, "RLIMIT_NPROC");
  if (getrlimit(RLIMIT_AS, &user) == 0 && user.rlim_cur != RLIM_INFINITY)
    limit.consider(static_cast<double>(user.rlim_cur) / static_cast<double>(stack_bytes),
                   "RLIMIT_AS");
  std::istringstream available(field("/proc/meminfo", "MemAvailable"));
  double kib = 0;
  if (available >> kib) limit.consider(threads_within(0.7 * kib * 1024), "memory");
  for (const std::string& group : control_groups()) {
    const double used = number_in(group + "/pids.current");
    const double own = used < std::numeric_limits<double>::infinity() ? used : 0;
    limit.consider(number_in(group + "/pids.max") - own, "pids.max of the control group");
    for (const char* file : {"/memory.max", "/memory.limit_in_bytes"})
      limit.consider(threads_within(number_in(group + file) / 2), "memory of the control group");
  }
  const double possible = std::max(0.9 * limit.threads, 1.0);
  if (possible >= wanted) return {wanted, {}};
  return {static_cast<int>(possible), limit.name};
}

}  // namespace threadref::testing
