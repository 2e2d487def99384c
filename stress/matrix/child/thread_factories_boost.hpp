// SPDX-License-Identifier: MIT
// What needs Boost.Thread in the program itself. False: Boost.Thread is not in this build.
#pragma once

#include <functional>

namespace threadref::stress {

bool run_boost_thread(const std::function<void()>& body);

enum class boost_end {
  interrupted,
  exits_and_is_joined_natively,
  is_cancelled_and_joined_natively,
  exits_and_is_joined,  // by boost::thread::join
  exits_detached,
};
// Runs the body on a new boost::thread, which then ends like this.
bool end_boost_thread(boost_end how, const std::function<void()>& body);

// Has `work` called by the cleanup of a boost::thread_specific_ptr of the calling thread.
bool at_boost_tss_end(std::function<void()> work);

}  // namespace threadref::stress
