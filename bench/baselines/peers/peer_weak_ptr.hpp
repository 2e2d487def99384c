// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

namespace threadref::bench {

// The standard C++ way to ask: a weak_ptr to an object that a thread_local shared_ptr owns for as
// long as its thread runs.
struct peer_weak_ptr {
  static constexpr std::string_view name = "peer_weak_ptr";

  class reference {
   public:
    reference() : of_(own()) {}
    [[nodiscard]] bool expired() const noexcept { return of_.expired(); }
    [[nodiscard]] std::shared_ptr<const int> lock() const noexcept { return of_.lock(); }

   private:
    static const std::shared_ptr<const int>& own() {
      static thread_local const auto token = std::make_shared<const int>(0);
      return token;
    }
    std::weak_ptr<const int> of_;
  };
};

}  // namespace threadref::bench
