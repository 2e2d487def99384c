// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::workers {

// Ends a worker from inside: thrown by exit() and, where a worker looks into its queue, after
// stop(). Not derived from std::exception, so that a task's `catch (const std::exception&)` does
// not catch it. RAII guards run. A task that swallows it goes on running.
struct worker_exit {};

}  // namespace threadref::workers
