// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::workers {

// What ends a worker from inside: thrown by exit() and, where a worker looks into its queue, by a
// stop(). Not derived from std::exception, so that `catch (const std::exception&)` of a task does
// not keep it alive; RAII guards run. Who swallows it goes on running.
struct worker_exit {};

}  // namespace threadref::workers
