// SPDX-License-Identifier: MIT
// Functions on workers of their own, and a value whose owner ended before providing it.
#include <cstdio>
#include <stdexcept>

#include "threadref/finalize.hpp"
#include "workers/async.hpp"
#include "workers/defer.hpp"
#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

using namespace threadref::workers;  // NOLINT: an example

namespace {

// While it waits, a worker still handles events.
void listen_while_waiting() {
  int received = 0;
  this_worker::listen("tick", [&](const event& /*tick*/) { ++received; });
  const worker_ptr me = this_worker::current();
  const auto product = await(
      [&](int a, int b) {
        me->fire("tick");
        return a * b;
      },
      6, 7);
  this_worker::update();
  std::printf("await: %d, and %d tick heard\n", product.value_or(0), received);
}

void fail_each_time() {
  const auto call = async([]() -> int { throw std::runtime_error("no luck"); });
  for (int i = 0; i != 2; ++i) {
    try {
      call.get();
    } catch (const std::runtime_error& error) {
      std::printf("async: %s\n", error.what());
    }
  }
}

void wait_for_an_owner_that_ends() {
  const defer<int> promised;
  const char* younger = "";
  const char* older = "";
  const worker_ptr owner = this_worker::create_worker([&] {
    const auto look = [&](const char*& what) { what = promised.settled() ? "broken" : "open"; };
    threadref::finalize(look, std::ref(older));
    promised.own();
    threadref::finalize(look, std::ref(younger));
    this_worker::exit();
  });
  try {
    promised.get();
  } catch (const broken_defer& error) {
    std::printf("defer: %s\n", error.what());
  }
  owner->join();
  std::printf("defer: to finalizers younger than the promise it was %s, to older ones %s\n",
              younger, older);
  std::printf("defer: to give it now is %s\n", promised.resolve(1) ? "possible" : "too late");
}

void stop_a_waiting_worker() {
  const auto endless = async([] { this_worker::wait_forever(); });
  const worker_ptr waiter = this_worker::create_worker([&] { endless.get(); });
  waiter->stop().join();
  endless.runner()->join();
  std::printf("stop: who waited was stopped, and with it what it waited for\n");
}

}  // namespace

int main() {
  const worker_ptr all = this_worker::create_worker([] {
    listen_while_waiting();
    fail_each_time();
    wait_for_an_owner_that_ends();
    stop_a_waiting_worker();
  });
  all->join();
}
