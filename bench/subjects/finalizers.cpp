// SPDX-License-Identifier: MIT
#include "bench/subjects/finalizers.hpp"

#include <chrono>
#include <random>
#include <thread>

namespace threadref::bench {

void mix::make_room(int n) {
  std::mt19937 draw(8);
  const auto wanted = static_cast<std::size_t>(n);
  if (kind_.size() >= wanted) return;
  kind_.clear();
  while (kind_.size() < wanted) kind_.push_back(static_cast<std::uint8_t>(draw() % kinds));
  slots_.resize(wanted);
}

void waiting_finalizer::operator()() const noexcept {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

}  // namespace threadref::bench
