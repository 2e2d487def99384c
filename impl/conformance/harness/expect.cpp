// SPDX-License-Identifier: MIT
#include "conformance/harness/expect.hpp"

#include <memory>

namespace threadref::conformance {

failure::failure(const char* file, int line, std::string* what) : file_(file), line_(line) {
  const std::unique_ptr<std::string> owned(what);
  what_ = *owned;
}

failure::failure(const char* file, int line, const char* text, bool value)
    : file_(file),
      line_(line),
      what_(::testing::internal::GetBoolAssertionFailureMessage(::testing::AssertionResult(value),
                                                                text, value ? "true" : "false",
                                                                value ? "false" : "true")) {}

failure::~failure() {
  ::testing::internal::AssertHelper(::testing::TestPartResult::kNonFatalFailure, file_, line_,
                                    what_.c_str()) = more_;
}

}  // namespace threadref::conformance
