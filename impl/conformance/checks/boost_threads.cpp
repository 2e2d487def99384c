// SPDX-License-Identifier: MIT
// G 68. Threads of Boost.Thread, which runs its own cleanup at their end. They end by returning: a
// boost::thread that ends by pthread_exit can't be joined.
#include <boost/thread/thread.hpp>
#include <boost/thread/tss.hpp>
#include <functional>

#include "conformance/harness/suite.hpp"

namespace threadref::conformance {
namespace {

THREADREF_SECTION(boost_threads);

TYPED_TEST(boost_threads, c068_natural_return) {
  lane_on<TypeParam>& me = this->new_lane();
  boost::thread t([&me] {
    me.open();
    for (int i = 0; i != 10; ++i) me.add();
    me.add_ref();
    me.add_and([&me] { me.add(); });
  });
  t.join();
  // Boost wakes the joiner itself, and then joins natively.
  me.close();
  EXPECT_EQ(me.order().size(), 13U);
}

TYPED_TEST(boost_threads, c068_interruption) {
  lane_on<TypeParam>& me = this->new_lane();
  gate ready;
  boost::thread t([&] {
    me.open();
    for (int i = 0; i != 10; ++i) me.add();
    ready.open();
    for (;;) {
      boost::this_thread::interruption_point();
      boost::this_thread::yield();
    }
  });
  ready.wait();
  t.interrupt();
  t.join();
  me.close();
  EXPECT_EQ(me.order().size(), 10U);
}

TYPED_TEST(boost_threads, c068_among_boosts_own_thread_specific_data) {
  static boost::thread_specific_ptr<int> before;
  lane_on<TypeParam>& me = this->new_lane();
  boost::thread t([&me] {
    before.reset(new int(1));
    me.open();
    me.add();
    static boost::thread_specific_ptr<int> after;
    after.reset(new int(2));
    me.add();
    boost::this_thread::at_thread_exit([&me] { me.add(); });
  });
  t.join();
  me.close();
  EXPECT_EQ(me.order().size(), 3U);
}

struct at_its_end {
  std::function<void()> work;
  ~at_its_end() {
    if (work) work();
  }
};
template <class B>
at_its_end& end_of_thread_local() {
  static thread_local at_its_end slot;
  return slot;
}

// On a boost::thread, thread_locals are destroyed after Boost's own data. A back end that
// uses a hook of Boost has drained by then, and must still run what is registered later.
TYPED_TEST(boost_threads, c068_registering_after_boosts_data_is_gone) {
  lane_on<TypeParam>& me = this->new_lane();
  boost::thread t([&me] {
    end_of_thread_local<TypeParam>().work = [&me] { me.add(); };
    me.open();
    me.add();
  });
  t.join();
  me.close();
  EXPECT_EQ(me.order().size(), 2U);
}

}  // namespace
}  // namespace threadref::conformance
