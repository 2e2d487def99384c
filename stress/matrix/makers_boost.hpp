// SPDX-License-Identifier: MIT
// Boost's threads, if this build has them: one of two files defines these.
#pragma once

#include <functional>

namespace threadref::stress {

// Runs and joins. False: there are none.
bool run_boost_thread(const std::function<void()>& body);

}  // namespace threadref::stress
