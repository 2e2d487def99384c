// SPDX-License-Identifier: MIT
// The fixture of every check: at its end it verifies that nothing is left. A check is named after
// its number: TYPED_TEST(<section>, c<number>_<what holds>).
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "conformance/harness/expect.hpp"
#include "conformance/harness/lane.hpp"
#include "conformance/harness/os_thread.hpp"
#include "conformance/harness/subjects.hpp"
#include "testing/scale.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

using testing::scaled;
using testing::under_sanitizer;

// I1: every registration has one fate, or is one of the `pending`.
void expect_one_fate_each(const counters& all, std::uint64_t pending = 0);

// The fixture of every check of every back end, compiled once; only the body differs.
//
// A check from which the back end declares a deviation runs like any other. It must fail, and its
// failures are not reported. The table of checks is generated from the recorded properties.
class check_fixture : public ::testing::Test {
 public:
  using body = void (*)(check_fixture&);
  check_fixture(const subject& of, body run) : subject_(of), run_(run) {}

  // What happened to registrations since the check began.
  [[nodiscard]] counters delta() const;
  // Stored, with the refs that it holds, until the check is judged.
  lane& store(std::unique_ptr<lane> l) { return *lanes_.emplace_back(std::move(l)); }
  [[nodiscard]] bool claims(capability wanted, const char* why_not_needed) const;

 private:
  void SetUp() override;
  void TestBody() override { run_(*this); }
  void TearDown() override;
  void judge();
  void end_deviation();
  const subject& subject_;
  const body run_;
  const deviation* expected_ = nullptr;  // what the back end declares for this check
  ::testing::TestPartResultArray intercepted_;
  std::unique_ptr<::testing::ScopedFakeTestPartResultReporter> interceptor_;
  counters before_;
  std::size_t blocks_before_ = 0;
  std::vector<std::unique_ptr<lane>> lanes_;
};

// The slabs of this thread's list: its own, and those that the block's last thread left, which
// trim() returns.
template <class B>
std::vector<const detail::slab*> slabs_of_this_thread() {
  std::vector<const detail::slab*> all;
  const detail::block& b = *B::list::own();
  for (const auto* first : {&b.array_slabs, &b.linked_slabs}) {
    for (const detail::slab* s = first->load(); s != nullptr; s = s->next.load()) all.push_back(s);
  }
  return all;
}

// The base class of a check.
template <class B>
class check_of {
 public:
  explicit check_of(check_fixture& fixture) : fixture_(fixture) {}

 protected:
  lane_on<B>& new_lane() {
    auto made = std::make_unique<lane_on<B>>();
    lane_on<B>& l = *made;
    fixture_.store(std::move(made));
    return l;
  }
  // Runs body(lane) on a thread, from start to join.
  template <class F>
  void run(F body) {
    lane_on<B>& l = new_lane();
    os_thread([&] {
      l.open();
      body(l);
    }).join();
    l.close();
  }
  [[nodiscard]] counters delta() const { return fixture_.delta(); }
  // Does the back end claim what the check is about? If not, the check is recorded as "n/a", with
  // the reason, and should return.
  [[nodiscard]] bool claims(capability wanted, const char* why_not_needed) const {
    return fixture_.claims(wanted, why_not_needed);
  }

 private:
  check_fixture& fixture_;
};

// A finalizer without a result of the back end.
template <backend B>
using plain_finalizer = finalizer<void, B>;

// Makes that many, and cancels the oldest whenever there are more than ten.
template <class B>
void cancel_the_oldest_of_ten(int registrations) {
  std::deque<plain_finalizer<B>> pending;
  for (int i = 0; i != registrations; ++i) {
    pending.push_back(finalize<B>([] {}));
    if (pending.size() <= 10) continue;
    EXPECT_TRUE(pending.front().cancel());
    pending.pop_front();
  }
}

// Registers itself again whenever it runs, and counts its runs.
template <class B>
struct for_ever {
  std::uint64_t* runs;
  void operator()() const {
    ++*runs;
    finalize<B>(*this);
  }
};

// Has another thread cancel all of them.
template <class B>
void cancel_elsewhere(const std::vector<plain_finalizer<B>>& all) {
  os_thread([&all] {
    for (const auto& f : all) EXPECT_TRUE(f.cancel());
  }).join();
}

// Where a check stands.
struct check_place {
  const char* section;
  const char* name;
  const char* file;
  int line;
};
// Registers a check with GoogleTest, for each subject, as <section>/<back end>.<name>.
void add_check(const check_place& at, std::span<const subject> all, check_fixture::body body);
template <template <class> class Check>
bool add_check(const check_place& at) {
  for_each_type(compiled_subjects{}, [&at]<class B>() {
    add_check(at, subjects_of<B>(), [](check_fixture& fixture) { Check<B>(fixture).body(); });
  });
  return true;
}

}  // namespace threadref::conformance

// A section: checks about one topic. A check's full name is <section>/<back end>.c<number>_...
#define THREADREF_SECTION(section) \
  template <class B>               \
  using section = ::threadref::conformance::check_of<B>

// Begins a check of a section, for `TypeParam`, as GoogleTest's macro of that name does.
// GoogleTest's makes forty functions and tables for each check and back end, which took longer to
// compile than most checks; this one makes two.
#undef TYPED_TEST
#define TYPED_TEST(section, name)                                                               \
  template <class TypeParam>                                                                    \
  struct name##_check : section<TypeParam> {                                                    \
    using section<TypeParam>::check_of;                                                         \
    void body();                                                                                \
  };                                                                                            \
  const bool name##_is_a_check =                                                                \
      ::threadref::conformance::add_check<name##_check>({#section, #name, __FILE__, __LINE__}); \
  template <class TypeParam>                                                                    \
  void name##_check<TypeParam>::body()
