// SPDX-License-Identifier: MIT
// The memory that one subject uses. Each count is a process of its own, since a subject would reuse
// the memory that another one has freed.
#pragma once

#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bench/memory/hooks.hpp"
#include "bench/memory/steps.hpp"
#include "bench/scenarios/memory.hpp"
#include "bench/subjects/subject_code.hpp"
#include "bench/timing/probe.hpp"

namespace threadref::bench {

class memory_count {
 public:
  // Whether the threads register one after the other or all at once.
  enum class registering { in_turn, at_once };
  memory_count(const subject_code& s, int alive, registering how)
      : subject_(s), alive_(alive), how_(how), steps_(alive) {
    for (int i = 0; i != alive; ++i) probes_.emplace_back(finalizers_counted).shared = this;
  }

  nlohmann::ordered_json take() {
    run_all(&rest_only, 0, nullptr);  // now the C library has cached what so many threads need
    const level before = level_now();
    level at[3];
    run_all(&register_in_steps, registered(), at);
    const level after = level_now();
    steady();
    json_["alive"] = alive_;
    json_["n"] = finalizers_counted;
    const double more = alive_ * (finalizers_counted - 1.0);
    store("bytes_per_thread", at[1].seen.bytes - at[0].seen.bytes, alive_);
    store("bytes_per_finalizer", at[2].seen.bytes - at[1].seen.bytes, more);
    store("allocations_first", at[1].seen.calls - at[0].seen.calls, alive_);
    store("allocations_each", at[2].seen.calls - at[1].seen.calls, more);
    store("retained_bytes", after.seen.bytes - before.seen.bytes, 1);
    store("retained_resident", after.resident - before.resident, 1);
    if (subject_.trim != nullptr) {
      subject_.trim();
      const level trimmed = level_now();
      store("trimmed_bytes", trimmed.seen.bytes - before.seen.bytes, 1);
      store("trimmed_resident", trimmed.resident - before.resident, 1);
    }
    json_["lost"] = found_.lost;
    json_["doubled"] = found_.doubled;
    json_["misordered"] = found_.misordered;
    return json_;
  }

 private:
  [[nodiscard]] int registered() const {
    return subject_.registers_nothing ? 0 : finalizers_counted;
  }

  struct level {
    memory_seen seen;
    std::int64_t resident = 0;
  };
  static level level_now() { return {memory_now(), resident_now()}; }

  // Runs all threads at once. Stores the level in `at_rest` each time that they rest.
  void run_all(probe::routine what, int due, level* at_rest) {
    for (probe& p : probes_) p.begin(what, due);
    for (int i = 0; i != (at_rest != nullptr ? 3 : 1); ++i) {
      steps_.await_all();
      if (at_rest != nullptr) at_rest[i] = level_now();
      steps_.go_on();
    }
    for (probe& p : probes_) p.join(found_);
  }
  static memory_count& of(probe& at) { return *static_cast<memory_count*>(at.shared); }
  static void rest_only(probe& at) { of(at).steps_.rest(); }
  static void register_in_steps(probe& at) {
    memory_count& all = of(at);
    all.steps_.rest();
    all.in_turn([&] {
      all.subject_.arm(at.storage(), finalizers_counted);
      all.subject_.register_range(at.done, 0, 1);
    });
    all.steps_.rest();
    all.in_turn([&] { all.subject_.register_range(at.done, 1, finalizers_counted); });
    all.steps_.rest();
    all.subject_.leave();
  }
  template <class F>
  void in_turn(F f) {
    std::unique_lock turn(turn_, std::defer_lock);
    if (how_ == registering::in_turn) turn.lock();
    f();
  }

  // Counts the calls of one thread after the peak, when freed memory can be reused. No other thread
  // runs.
  struct calls_of_thread {
    const subject_code& subject;
    std::int64_t begin = 0;
    std::int64_t first = 0;
    std::int64_t all = 0;
  };
  static void count_calls(probe& at) {
    auto& seen = *static_cast<calls_of_thread*>(at.shared);
    seen.begin = memory_now().calls;
    seen.subject.arm(at.storage(), finalizers_counted);
    seen.subject.register_range(at.done, 0, 1);
    seen.first = memory_now().calls;
    seen.subject.register_range(at.done, 1, finalizers_counted);
    seen.all = memory_now().calls;
    seen.subject.leave();
  }
  void steady() {
    calls_of_thread seen{subject_};
    probe& one = probes_.front();
    one.shared = &seen;
    one.run(&count_calls, registered(), found_);
    const std::int64_t ended = memory_now().calls;
    store("steady_first", seen.first - seen.begin, 1);
    store("steady_each", seen.all - seen.first, finalizers_counted - 1);
    store("steady_exit", ended - seen.all, 1);
  }

  void store(const char* key, std::int64_t difference, double of) {
    json_[key] = static_cast<double>(difference) / of;
  }

  const subject_code& subject_;
  const int alive_;
  const registering how_;
  std::mutex turn_;
  steps steps_;
  std::deque<probe> probes_;
  verdict found_;
  nlohmann::ordered_json json_;
};

}  // namespace threadref::bench
