// SPDX-License-Identifier: MIT
#include "threadref/backends/canary_wrong_thread/backend.hpp"

#include <signal.h>
#include <unistd.h>

#include <thread>

#include "threadref/detail/exit_list_impl.hpp"

template class threadref::detail::exit_list<threadref::canary_wrong_thread,
                                            threadref::canary_wrong_thread::faulty_claim>;

namespace threadref {

// On a thread of its own, which nobody joins, once the exiting one has gone from the system: that
// is when its join returns.
void canary_wrong_thread::faulty_claim::run_elsewhere(detail::detached_closure taken) {
  std::thread([taken = std::move(taken), tid = gettid()]() mutable {
    while (tgkill(getpid(), tid, 0) == 0) std::this_thread::yield();
    taken.run(nullptr);
  }).detach();
}

}  // namespace threadref
