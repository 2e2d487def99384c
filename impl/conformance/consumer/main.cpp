// SPDX-License-Identifier: MIT
#include <thread>

#include "threadref/threadref.hpp"

int main() {
  int status = 1;
  std::thread([&] { threadref::finalize([&] { status = 0; }); }).join();
  return status;
}
