// SPDX-License-Identifier: MIT
// What a thread has beside the mechanism, and what also runs code when the thread ends.
#pragma once

#include <pthread.h>

#include <functional>

#include "stress/matrix/child/event_context.hpp"
#include "testing/key_task.hpp"

namespace threadref::stress {

using testing::key_task;
using testing::older_key;

// Has `work` called when the thread_locals of the calling thread are destroyed: before those that
// were made earlier than the first call of this on the thread, after those made later.
void at_thread_local_end(std::function<void()> work);

// A key with a higher index than the subject's: that has registered on a thread before.
pthread_key_t younger_key(event_context& ctx);

}  // namespace threadref::stress
