// SPDX-License-Identifier: MIT
// What one thread registered and what ran of it, each under its own id: in sums, one that is lost
// and one that runs twice would cancel out.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "threadref/threadref.hpp"

namespace threadref::conformance {

// What a finalizer sees of the thread that runs it.
struct sighting {
  std::uint64_t serial = 0;
  bool draining = false;
  bool expired = false;  // does a ref that its thread made read null?
};

// What a check left to the exit of its threads: shows the canaries' driver what it must notice.
struct at_stake {
  bool any = false;              // anything
  bool plain_at_bottom = false;  // the oldest is plain, so canary_twice runs it twice
  bool order = false;            // two or more were pending when one ran
  at_stake& operator|=(const at_stake& other) noexcept;
};

class lane {
 public:
  lane() = default;
  lane(const lane&) = delete;
  lane& operator=(const lane&) = delete;
  virtual ~lane() = default;

  // Called first, on its thread.
  void open(std::uint64_t serial);
  // Called after the join: whatever runs from now on is a fault.
  void close();
  // It must not run any more: it was detached, cancelled or dropped.
  void removed(int id) { expect(id, fate::never); }
  // It is called now, on any thread, and must run once.
  void called(int id) { expect(id, fate::by_call); }
  void ran(int id, const sighting& seen);

  // The ids that ran, in order.
  [[nodiscard]] std::vector<int> order() const;
  [[nodiscard]] at_stake stake() const;
  // Violations of the invariants I1 to I5.
  [[nodiscard]] std::vector<std::string> judge() const;

 protected:
  int next_id(bool plain);

 private:
  enum class fate : std::uint8_t { at_exit, never, by_call };
  struct event {
    int id;
    bool ran;  // else: was registered
  };
  struct record {
    bool plain;  // stored in place, trivially copyable
    fate expected = fate::at_exit;
    int calls = 0;  // explicit runs
  };
  void expect(int id, fate f);
  [[nodiscard]] bool is_left_to_exit(int id) const {
    return records_[static_cast<std::size_t>(id)].expected == fate::at_exit;
  }
  void judge_counts(std::vector<std::string>& faults) const;
  void judge_order(std::vector<std::string>& faults) const;

  mutable std::mutex m_;
  std::uint64_t serial_ = 0;
  pid_t tid_ = 0;
  bool closed_ = false;
  std::vector<record> records_;  // by id
  std::vector<event> events_;    // registered, or ran at exit
  std::vector<std::string> faults_;
};

// The same for one back end: registers finalizers and refs.
template <backend B>
class lane_on : public lane {
 public:
  struct entry {
    int id;
    finalizer<void, B> handle;
  };

  void open() {
    watch_.emplace();
    lane::open(current<B>().serial());
  }
  // A finalizer that only records its run. It is plain and stored in place, so canary_twice runs it
  // twice.
  entry add() {
    const int id = next_id(true);
    return {id, finalize<B>([this, id] { ran(id, look()); })};
  }
  // The same, and then calls more().
  template <class F>
  entry add_and(F more) {
    const int id = next_id(false);
    return {id, finalize<B>([this, id, more = std::move(more)]() mutable {
              ran(id, look());
              more();
            })};
  }
  // A ref whose callback is recorded; the lane holds it.
  const basic_ref<B>& add_ref() {
    const int id = next_id(false);
    refs_.emplace_back([this, id](const basic_ref<B>&) { ran(id, look()); });
    return refs_.back();
  }
  [[nodiscard]] const basic_ref<B>& watch() const { return *watch_; }

  [[nodiscard]] sighting look() const {
    const thread_handle here = try_current<B>();
    return {here.serial(), here.state() == thread_state::draining, watch_->expired()};
  }

 private:
  std::optional<basic_ref<B>> watch_;
  std::deque<basic_ref<B>> refs_;
};

}  // namespace threadref::conformance
