// SPDX-License-Identifier: MIT
#include "bench/load/idle_threads.hpp"

#include "testing/check.hpp"

namespace threadref::bench {

void* crowd::park(void* self) {
  crowd& in = *static_cast<crowd*>(self);
  const int index = in.entered_.fetch_add(1, std::memory_order_relaxed);
  if (in.first_ != nullptr) in.first_(in.shared_, index);
  in.greeted_.fetch_add(1, std::memory_order_release);
  in.greeted_.notify_one();
  in.gate_.wait(0, std::memory_order_acquire);
  return nullptr;
}

int crowd::gather(int wanted) {
  pthread_attr_t attributes;
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, stack_bytes));
  gate_.store(0, std::memory_order_relaxed);
  while (size() < wanted) {
    pthread_t made{};
    if (pthread_create(&made, &attributes, &park, this) != 0) break;
    threads_.push_back(made);
  }
  pthread_attr_destroy(&attributes);
  for (int there = greeted_; there != size(); there = greeted_) greeted_.wait(there);
  return size();
}

void crowd::dismiss() {
  gate_.store(1, std::memory_order_release);
  gate_.notify_all();
  for (const pthread_t t : threads_) THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  threads_.clear();
  entered_ = greeted_ = 0;
}

churners::churners(probe::routine what, int registered) : each_(count) {
  for (outcome& mine : each_) {
    managers_.emplace_back([this, what, registered, &mine] {
      probe at(registered);
      at.n = registered;
      while (!stopping_.load(std::memory_order_relaxed)) {
        at.run(what, registered, mine.found);
        ++mine.threads;
      }
    });
  }
}

churners::outcome churners::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  for (std::thread& t : managers_) t.join();
  managers_.clear();
  for (const outcome& o : each_) {
    all_.found.add(o.found);
    all_.threads += o.threads;
  }
  each_.clear();
  return all_;
}

}  // namespace threadref::bench
