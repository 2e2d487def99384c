// SPDX-License-Identifier: MIT
#include "stress/matrix/child/thread_factories_boost.hpp"

#include <pthread.h>
#include <unistd.h>

#include <boost/thread/thread.hpp>
#include <boost/thread/tss.hpp>
#include <memory>
#include <utility>

#include "testing/check.hpp"
#include "testing/gate.hpp"

namespace threadref::stress {

bool run_boost_thread(const std::function<void()>& body) {
  boost::thread made(body);
  made.join();
  return true;
}

namespace {

void wait_for_ever() {
  boost::mutex m;
  boost::condition_variable never;
  boost::unique_lock<boost::mutex> lock(m);
  for (;;) never.wait(lock);
}

}  // namespace

bool end_boost_thread(boost_end how, const std::function<void()>& body) {
  // Static: a detached thread outlives this call.
  static testing::gate ready;
  static testing::gate may_end;
  // Leaked: its destructor would detach a thread that was joined natively.
  auto* const made = new boost::thread([how, &body] {
    body();
    ready.open();
    may_end.wait();
    if (how == boost_end::interrupted) wait_for_ever();
    if (how != boost_end::is_cancelled_and_joined_natively) pthread_exit(nullptr);
    for (;;) pause();
  });
  ready.wait();
  const pthread_t native = made->native_handle();
  if (how == boost_end::exits_detached) made->detach();
  may_end.open();
  switch (how) {
    case boost_end::interrupted:
      made->interrupt();
      made->join();
      break;
    case boost_end::is_cancelled_and_joined_natively:
      THREADREF_CHECK_CALL(pthread_cancel(native));
      [[fallthrough]];
    case boost_end::exits_and_is_joined_natively:
      THREADREF_CHECK_CALL(pthread_join(native, nullptr));
      break;
    case boost_end::exits_and_is_joined:
      made->join();
      break;
    case boost_end::exits_detached:
      break;
  }
  return true;
}

bool at_boost_tss_end(std::function<void()> work) {
  // Leaked: its destructor would run the cleanup of the thread that ends the process.
  using slot = boost::thread_specific_ptr<std::function<void()>>;
  static auto* const end = new slot([](std::function<void()>* given) {
    const std::unique_ptr<std::function<void()>> owned(given);
    (*owned)();
  });
  end->reset(new std::function<void()>(std::move(work)));
  return true;
}

}  // namespace threadref::stress
