// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::testing {

// ThreadSanitizer of this age knows no addresses beyond 28 random bits. Where the kernel gives
// more, this runs the program again without, and says so; or says why it can't. Elsewhere nothing.
void rerun_without_aslr_if_needed(char** argv);

}  // namespace threadref::testing
