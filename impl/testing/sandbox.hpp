// SPDX-License-Identifier: MIT
#pragma once

namespace threadref::testing {

// From here on, for all threads of this process, the kernel ends the process (SIGSYS) for every
// call that is not on a short list: what memory, threads, locks and output need, as in the sandbox
// of a parser or a renderer. Its children inherit that.
void enter_sandbox();

}  // namespace threadref::testing
