// SPDX-License-Identifier: MIT
// The fixture of every check: it ends by proving that nothing is left. A check is named after its
// number: TYPED_TEST(<section>, c<number>_<what holds>).
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/ledger.hpp"
#include "conformance/os_thread.hpp"
#include "conformance/scale.hpp"
#include "subjects.hpp"
#include "threadref/threadref.hpp"

namespace threadref::conformance {

// I1: every registration has one fate, or is among the `pending`.
void expect_one_fate_each(const counters& all, std::uint64_t pending = 0);

// The part of the fixture that is the same for every back end, compiled once.
//
// A check that the back end declares a deviation for runs like any other; it has to fail, and its
// failures are not reported. What the table of checks is made from is recorded as properties.
class check_fixture : public testing::Test {
 protected:
  explicit check_fixture(const backend_info& subject, counters (*stats_of)() noexcept,
                         std::size_t (*blocks_of)(), std::function<std::string()> survivors_of)
      : subject_(subject),
        stats_(stats_of),
        blocks_(blocks_of),
        survivors_(std::move(survivors_of)) {}

  void SetUp() override;
  void TearDown() override;
  // What happened to registrations since the check began.
  [[nodiscard]] counters delta() const;
  void watch(const lane& l) { watched_.push_back(&l); }
  // Whether the back end claims what the check is about. If not, the check is recorded as "n/a",
  // with the reason, and should return.
  [[nodiscard]] bool claims(capability wanted, const char* why_not_needed) const;

 private:
  void judge();
  void end_deviation();
  const backend_info& subject_;
  const deviation* expected_ = nullptr;  // what the back end declares for this check
  testing::TestPartResultArray intercepted_;
  std::unique_ptr<testing::ScopedFakeTestPartResultReporter> interceptor_;
  counters (*stats_)() noexcept;
  std::size_t (*blocks_)();
  std::function<std::string()> survivors_;
  counters before_;
  std::size_t blocks_before_ = 0;
  std::deque<const lane*> watched_;
};

// Threads but main that the back end believes to be alive, as a list of names.
template <backend B>
std::string survivors() {
  std::string all;
  for (const thread_handle& t : enumerate<B>()) {
    if (!t.is_main())
      all += (all.empty() ? "" : ", ") + t.name() + "#" + std::to_string(t.serial());
  }
  return all;
}

// The slabs that this thread's list has: those it took, and those that the block's last thread left
// there, which trim() takes.
template <class B>
std::vector<const detail::slab*> slabs_of_this_thread() {
  std::vector<const detail::slab*> all;
  const detail::block& b = *B::list::own();
  for (const auto* first : {&b.array_slabs, &b.linked_slabs}) {
    for (const detail::slab* s = first->load(); s != nullptr; s = s->next.load()) all.push_back(s);
  }
  return all;
}

template <class B>
class check_of : public check_fixture {
 public:
  using lane_type = lane_on<B>;

 protected:
  check_of()
      : check_fixture(
            B::info, &stats<B>, [] { return B::list::all().used(); }, &survivors<B>) {}

  lane_type& new_lane() {
    lane_type& l = lanes_.emplace_back();
    watch(l);
    return l;
  }
  // One thread from start to join; `body(lane)` runs on it.
  template <class F>
  void run(F body) {
    lane_type& l = new_lane();
    os_thread([&] {
      l.open();
      body(l);
    }).join();
    l.close();
  }

 private:
  std::deque<lane_type> lanes_;  // destroyed after TearDown: refs are held until then
};

// A finalizer without a result of the back end.
template <backend B>
using plain_finalizer = finalizer<void, B>;

// Makes as many as that, and takes the oldest out as soon as there are more than ten.
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

// Registers itself again, whenever it runs; and counts.
template <class B>
struct for_ever {
  std::uint64_t* runs;
  void operator()() const {
    ++*runs;
    finalize<B>(*this);
  }
};

// Has another thread take all of them out.
template <class B>
void cancel_elsewhere(const std::vector<plain_finalizer<B>>& all) {
  os_thread([&all] {
    for (const auto& f : all) EXPECT_TRUE(f.cancel());
  }).join();
}

// testing::Types from the generated list, each instance named as the back end is.
template <class List>
struct to_types;
template <class... B>
struct to_types<type_list<B...>> {
  using type = testing::Types<B...>;
};
using subject_types = to_types<subjects>::type;

struct subject_names {
  template <class B>
  static std::string GetName(int /*index*/) {  // the spelling that GoogleTest looks for
    return std::string(B::info.name);
  }
};

}  // namespace threadref::conformance

// A section: checks about one subject. <section>/<back end>.c<number>_... is a check's whole name.
#define THREADREF_SECTION(section)                                   \
  template <class B>                                                 \
  class section : public ::threadref::conformance::check_of<B> {};   \
  TYPED_TEST_SUITE(section, ::threadref::conformance::subject_types, \
                   ::threadref::conformance::subject_names)
