// SPDX-License-Identifier: MIT
// Three workers and two channels: one counts, one squares, one adds. When a stage ends, a finalizer
// of its thread unsubscribes it, so the others need no notification.
#include <any>
#include <cstdio>
#include <optional>
#include <variant>

#include "workers/channel.hpp"
#include "workers/defer.hpp"
#include "workers/this_worker.hpp"
#include "workers/worker.hpp"

using namespace threadref::workers;  // NOLINT: an example

namespace {

using ready = defer<std::monostate>;

// Calls f(number) for each number that arrives, until an event without data arrives.
template <class F>
void for_each_of(const channel& source, const ready& listening, F&& f) {
  source.subscribe();
  listening.resolve(std::monostate{});
  for (auto data = this_worker::wait_event(source.name()); data && data->has_value();
       data = this_worker::wait_event(source.name())) {
    f(std::any_cast<int>(*data));
  }
}

}  // namespace

int main() {
  const channel numbers("numbers");
  const channel squares("squares");
  const ready squaring;
  const ready adding;

  const worker_ptr adder = this_worker::create_worker([&] {
    int sum = 0;
    for_each_of(squares, adding, [&](int n) {
      sum += n;
      std::printf("adder: %2d makes %2d\n", n, sum);
    });
    return sum;
  });
  const worker_ptr squarer = this_worker::create_worker([&] {
    adding.get();
    for_each_of(numbers, squaring, [&](int n) { squares.publish(n * n); });
    squares.publish();
  });
  const worker_ptr counter = this_worker::create_worker([&] {
    squaring.get();
    for (int n = 1; n != 6; ++n) numbers.publish(n);
    numbers.publish();
  });

  const auto outcome = this_worker::wait_thread(adder);
  std::printf("main: the sum is %d\n", std::any_cast<int>(outcome->result));
  for (const worker_ptr& each : {counter, squarer, adder}) each->join();
  std::printf("main: %zu and %zu subscribers are left\n", numbers.subscribers(),
              squares.subscribers());
}
