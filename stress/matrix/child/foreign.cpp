// SPDX-License-Identifier: MIT
#include "stress/matrix/child/foreign.hpp"

#include <utility>

#include "stress/matrix/child/thread_factories.hpp"
#include "testing/check.hpp"
#include "testing/destructor_work.hpp"

namespace threadref::stress {

void at_thread_local_end(std::function<void()> work) {
  static thread_local testing::destructor_work slot;
  slot.work = std::move(work);
}

namespace {

void record_foreign_value() noexcept {
  event_context::current().record_violation(
      "the destructor of a foreign key got a value that is not its own");
}
[[maybe_unused]] const bool is_handler_set =
    (testing::set_wrong_value_handler(&record_foreign_value), true);

}  // namespace

pthread_key_t younger_key(event_context& ctx) {
  on_new_thread(ctx, [&ctx] { ctx.attach(); });
  pthread_key_t key{};
  THREADREF_CHECK_CALL(testing::make_key(key));
  return key;
}

}  // namespace threadref::stress
