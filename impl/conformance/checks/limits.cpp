// SPDX-License-Identifier: MIT
// L. The limits of POSIX: keys, and rounds of their destructors.
#include <pthread.h>

#include <optional>
#include <string>
#include <vector>

#include "conformance/harness/incidents.hpp"
#include "conformance/harness/suite.hpp"
#include "conformance/harness/thread_values.hpp"
#include "testing/check.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(limits);

// Holds every key that is left in the process.
class all_keys {
 public:
  all_keys() {
    for (pthread_key_t key{}; pthread_key_create(&key, nullptr) == 0;) taken_.push_back(key);
  }
  ~all_keys() {
    for (const pthread_key_t key : taken_) THREADREF_CHECK_CALL(pthread_key_delete(key));
  }
  all_keys(const all_keys&) = delete;
  all_keys& operator=(const all_keys&) = delete;
  [[nodiscard]] std::size_t taken() const { return taken_.size(); }

 private:
  std::vector<pthread_key_t> taken_;
};

// (exhausted_keys.cpp, a program of its own, has no key from the start.)
TYPED_TEST(limits, c102_no_key_is_left_after_the_first_use) {
  os_thread([] { static_cast<void>(current<TypeParam>()); }).join();
  const all_keys none_left;
  EXPECT_GT(none_left.taken(), 0U);
  this->run([](auto& me) {
    me.add_and([&me] { me.add(); });
    me.add_ref();
    me.add();
    EXPECT_EQ(try_finalize_in<TypeParam>(exit_phase::early, [] {}).error, std::errc{});
    EXPECT_EQ(try_finalize_in<TypeParam>(exit_phase::very_last, [] {}).error, std::errc{});
  });
  EXPECT_EQ(this->delta().ran_at_exit, 6U);
}

// The fate of a registration that a thread makes in the given round of a key's destructor, as its
// first use of the back end.
struct fate {
  std::errc error{};
  int runs = 0;
};
template <class B>
fate first_use_in(int round, pthread_key_t key, exit_phase phase) {
  fate f;
  key_task task(round, [&](int now) {
    if (now == round) f.error = try_finalize_in<B>(phase, [&f] { ++f.runs; }).error;
  });
  os_thread([&] { task.arm(key); }).join();
  return f;
}

// It runs, or is refused with an error, or is reported as abandoned. In the last case the back end
// missed the end of the thread, and the next search for live threads finds that out.
TYPED_TEST(limits, c107_a_first_use_in_any_round_of_a_key_is_never_lost_in_silence) {
  const pthread_key_t younger = younger_key<TypeParam>();
  for (const exit_phase phase : {exit_phase::early, exit_phase::last, exit_phase::very_last}) {
    for (const pthread_key_t key : {older_key(), younger}) {
      for (int round = 1; round <= detail::destructor_rounds; ++round) {
        const captured_incidents incidents;
        const counters before = stats<TypeParam>();
        const fate f = first_use_in<TypeParam>(round, key, phase);
        EXPECT_EQ(survivors<TypeParam>(), "");
        const auto abandoned = static_cast<int>(stats<TypeParam>().abandoned - before.abandoned);
        const int refused = f.error != std::errc{} ? 1 : 0;
        const std::string where = "phase " + std::to_string(static_cast<int>(phase)) +
                                  (key == younger ? ", younger" : ", older") + " key, round " +
                                  std::to_string(round);
        EXPECT_EQ(f.runs + refused + abandoned, 1) << where;
        const std::vector<reported_incident> reported = incidents.all();
        EXPECT_EQ(reported.size(), static_cast<std::size_t>(abandoned)) << where;
        for (const reported_incident& r : reported) EXPECT_EQ(r.kind, incident::missed);
        // In time, another pass follows; after that many rounds the very last one may not.
        const bool in_time = key == older_key() || round < detail::destructor_rounds;
        EXPECT_TRUE(f.runs == 1 || !in_time || phase == exit_phase::very_last) << where;
      }
    }
  }
}

// Nor does anybody wait for it in vain, and its thread is dead after the join.
TYPED_TEST(limits, c107_what_a_first_use_in_the_last_round_left_is_over_after_the_join) {
  const captured_incidents incidents;
  plain_finalizer<TypeParam> f;
  std::optional<basic_ref<TypeParam>> r;
  constexpr int last = detail::destructor_rounds;
  key_task task(last, [&](int round) {
    if (round != last) return;
    f = try_finalize<TypeParam>([] {}).handle;
    r.emplace();
  });
  const pthread_key_t younger = younger_key<TypeParam>();
  os_thread([&] { task.arm(younger); }).join();
  EXPECT_TRUE(r && r->expired());
  EXPECT_FALSE(f.alive());
  f.wait();
  EXPECT_LE(incidents.all().size(), 1U);
}

}  // namespace
}  // namespace threadref::conformance
