// SPDX-License-Identifier: MIT
#include "bench/harness/session.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "bench/harness/output_file.hpp"
#include "testing/text.hpp"

namespace threadref::bench {

namespace {

constexpr std::size_t samples_stored = 5000;

// The most idle threads that any row wants.
int most_idle_threads(bool smoke) {
  int most = 1;
  const auto consider = [&](const scenarios::size_list& sizes) {
    if (!sizes.empty()) most = std::max(most, smoke ? sizes.smoke() : sizes.real());
  };
  scenarios::for_each_row<scenarios::tool::bench>([&]<scenarios::id K>() {
    consider(scenarios::row(K).threads);
    if (scenarios::row(K).parameter == scenarios::alive) consider(scenarios::row(K).finalizers);
  });
  return most;
}

}  // namespace

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  THREADREF_CHECK_ERRNO(sched_getaffinity(0, sizeof set, &set) == 0, "sched_getaffinity");
  std::vector<int> cpus;
  for (int cpu = 0; cpu != CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

session::session(options with, testing::environment seen)
    : asked(std::move(with)),
      machine(std::move(seen)),
      room(testing::room_for_threads(most_idle_threads(asked.smoke), idle_threads::stack_bytes)),
      cpus_(allowed_cpus()) {
  if (asked.pin != pin_none) pinned_ = asked.pin == pin_automatic ? cpus_.back() : asked.pin;
  THREADREF_CHECK(bystander_.grow_to(1) == 1, "can't create a second thread");
}

void session::place(const std::vector<int>& cpus) const {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  THREADREF_CHECK_ERRNO(sched_setaffinity(0, sizeof set, &set) == 0, "sched_setaffinity");
}

void session::go_solo() {
  idle_.join_all();
  place(pinned_ >= 0 ? std::vector<int>{pinned_} : cpus_);
}

void session::go_free() {
  idle_.join_all();
  place(cpus_);
}

bool session::go_with_idle(int alive) {
  place(cpus_);
  if (idle_.size() > alive) idle_.join_all();
  return idle_.grow_to(alive) == alive;
}

void session::store_samples(const row& row, std::string_view what, const samples& sorted) {
  if (asked.samples.empty()) return;
  nlohmann::ordered_json line{{"name", row.name}, {"unit", "ns"}, {"what", what}};
  line["samples"] = nlohmann::json::array();
  for (const double x : thinned(sorted, samples_stored)) {
    line["samples"].push_back(std::round(x * 100) / 100);
  }
  samples_[testing::concat(row.name, " ", what)] =
      line.dump() + "\n";  // a repetition overwrites it
}

void session::write_samples() const {
  if (asked.samples.empty()) return;
  std::string all;
  for (const auto& [name, line] : samples_) all += line;
  write_whole(asked.samples, all);
}

const row* session::find(const std::string& name) const {
  const auto found = rows_.find(name);
  return found != rows_.end() ? &found->second : nullptr;
}

void session::record(const row& row, const verdict& found) {
  if (found.good()) return;
  const std::string subject(row.subject);
  faults_[subject].add(found);
  ++caught_[subject];
}

}  // namespace threadref::bench
