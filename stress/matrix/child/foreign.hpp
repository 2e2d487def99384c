// SPDX-License-Identifier: MIT
// What else a thread has that runs code when it ends: thread_locals, and keys of others.
#pragma once

#include <pthread.h>

#include <functional>

#include "stress/matrix/child/event_context.hpp"
#include "testing/key_task.hpp"

namespace threadref::stress {

using testing::key_task;
using testing::older_key;

// Calls `work` when the thread_locals of the calling thread are destroyed: before those made
// earlier than the thread's first call of this, after those made later.
void at_thread_local_end(std::function<void()> work);

// A key with a higher index than the subject's key, which this makes first by registering.
pthread_key_t younger_key(event_context& ctx);

}  // namespace threadref::stress
