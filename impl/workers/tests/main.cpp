// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "testing/aslr.hpp"

int main(int argc, char** argv) {
  threadref::testing::rerun_without_aslr_if_needed(argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
