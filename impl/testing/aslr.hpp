// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::testing {

// This ThreadSanitizer supports at most 28 random bits in addresses. Where the kernel uses more,
// this restarts the program without address randomisation and prints so, or prints why it can't.
// Without ThreadSanitizer it does nothing.
void rerun_without_aslr_if_needed(char** argv);

}  // namespace threadref::testing
