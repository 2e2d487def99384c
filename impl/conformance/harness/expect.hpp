// SPDX-License-Identifier: MIT
// The expectations that the checks use most. They replace GoogleTest's, with the same messages:
// each of those makes three objects with destructors, which for eight back ends took a third of the
// suite's time to compile.
#pragma once

#include <gtest/gtest.h>

#include <string>

namespace threadref::conformance {

// A failure of the current check, reported at the end of the statement, with what was streamed into
// it.
class failure {
 public:
  failure(const char* file, int line, std::string* what);  // owns the string
  failure(const char* file, int line, const char* text, bool value);
  failure(const failure&) = delete;
  failure& operator=(const failure&) = delete;
  ~failure();
  template <class T>
  failure& operator<<(const T& more) {
    more_ << more;
    return *this;
  }

 private:
  const char* file_;
  int line_;
  std::string what_;
  ::testing::Message more_;
};

// Null if they are equal; else the message, which the caller owns.
template <class A, class B>
[[gnu::noinline]] std::string* unequal(const char* a_text, const char* b_text, const A& a,
                                       const B& b) {
  if (a == b) return nullptr;
  return new std::string(
      ::testing::internal::CmpHelperEQFailure(a_text, b_text, a, b).failure_message());
}

}  // namespace threadref::conformance

#undef EXPECT_EQ
#define EXPECT_EQ(a, b)                                                                   \
  GTEST_AMBIGUOUS_ELSE_BLOCKER_                                                           \
  if (std::string* const what_is_wrong = ::threadref::conformance::unequal(#a, #b, a, b); \
      what_is_wrong == nullptr) {                                                         \
  } else                                                                                  \
    ::threadref::conformance::failure(__FILE__, __LINE__, what_is_wrong)

#undef EXPECT_TRUE
#define EXPECT_TRUE(condition)        \
  GTEST_AMBIGUOUS_ELSE_BLOCKER_       \
  if (static_cast<bool>(condition)) { \
  } else                              \
    ::threadref::conformance::failure(__FILE__, __LINE__, #condition, false)

#undef EXPECT_FALSE
#define EXPECT_FALSE(condition)        \
  GTEST_AMBIGUOUS_ELSE_BLOCKER_        \
  if (!static_cast<bool>(condition)) { \
  } else                               \
    ::threadref::conformance::failure(__FILE__, __LINE__, #condition, true)
