// SPDX-License-Identifier: MIT
#include "bench/load/idle_threads.hpp"

#include "testing/check.hpp"

namespace threadref::bench {

void* idle_threads::park(void* self) {
  idle_threads& all = *static_cast<idle_threads*>(self);
  const int index = all.entered_.fetch_add(1, std::memory_order_relaxed);
  if (all.on_start_ != nullptr) all.on_start_(all.shared_, index);
  all.started_.fetch_add(1, std::memory_order_release);
  all.started_.notify_one();
  all.gate_.wait(0, std::memory_order_acquire);
  return nullptr;
}

int idle_threads::grow_to(int wanted) {
  pthread_attr_t attributes;
  THREADREF_CHECK_CALL(pthread_attr_init(&attributes));
  THREADREF_CHECK_CALL(pthread_attr_setstacksize(&attributes, stack_bytes));
  gate_.store(0, std::memory_order_relaxed);
  while (size() < wanted) {
    pthread_t created{};
    if (pthread_create(&created, &attributes, &park, this) != 0) break;
    threads_.push_back(created);
  }
  pthread_attr_destroy(&attributes);
  for (int there = started_; there != size(); there = started_) started_.wait(there);
  return size();
}

void idle_threads::join_all() {
  gate_.store(1, std::memory_order_release);
  gate_.notify_all();
  for (const pthread_t t : threads_) THREADREF_CHECK_CALL(pthread_join(t, nullptr));
  threads_.clear();
  entered_ = started_ = 0;
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
