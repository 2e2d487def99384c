// SPDX-License-Identifier: MIT
#include "stress/engine/hang_detector.hpp"

#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>

#include "stress/engine/clock.hpp"
#include "testing/child_process.hpp"

namespace threadref::stress {

namespace {

// The most CPU time that a sleeping process uses between two looks: ThreadSanitizer's background
// thread wakes up ten times a second for some microseconds.
constexpr double seconds_of_a_sleeper = 0.0002;

std::atomic<int> waiting{0};

// 0: the process is gone.
double cpu_seconds_of(pid_t process) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

// CPU time of a process and its group, including processes that have ended. Not
// testing::cpu_time_of_group(): that counts in ticks of 10 ms, far more than a sleeping process
// uses.
class group_cpu {
 public:
  explicit group_cpu(pid_t leader) : leader_(leader) {}
  double look() {
    add(leader_);
    const std::unique_ptr<DIR, int (*)(DIR*)> all(opendir("/proc"), &closedir);
    while (const dirent* const entry = all == nullptr ? nullptr : readdir(all.get())) {
      const auto process = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
      if (process > 0 && process != leader_ && getpgid(process) == leader_) add(process);
    }
    return sum_;
  }

 private:
  void add(pid_t process) {
    const double now = cpu_seconds_of(process);
    double& before = seen_[process];
    if (now > before) sum_ += now - before;
    before = now;
  }
  pid_t leader_;
  std::map<pid_t, double> seen_;
  double sum_ = 0;
};

}  // namespace

hang_detector::hang_detector(const hang_limits& limits) noexcept : limits_(limits), began_(now()) {}

std::string_view hang_detector::look(double cpu_seconds) noexcept {
  asleep_ = cpu_seconds - cpu_ < seconds_of_a_sleeper ? asleep_ + 1 : 0;
  cpu_ = cpu_seconds;
  if (asleep_ >= limits_.looks_asleep) return "all its threads sleep";
  if (cpu_ - cpu_at_start_ >= limits_.cpu_seconds) return "it computes without an end";
  if (now() - began_ >= limits_.wall_seconds) return "it waits again and again";
  return "";
}

void hang_detector::progressed() noexcept {
  asleep_ = 0;
  cpu_at_start_ = cpu_;
  began_ = now();
}

std::string_view wait_for_end(pid_t child, const hang_limits& limits,
                              const std::function<void(hang_detector&)>& on_look) {
  hang_detector detector(limits);
  group_cpu used(child);
  std::string_view how;
  waiting.fetch_add(1);
  while (how.empty() && !testing::ends_within(child, hang_detector::milliseconds_between_looks)) {
    if (on_look != nullptr) on_look(detector);
    how = detector.look(used.look());
  }
  waiting.fetch_sub(1);
  return how;
}

bool is_in_wait_for_end() noexcept {
  return waiting.load() != 0;
}

}  // namespace threadref::stress
