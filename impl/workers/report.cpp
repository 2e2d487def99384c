// SPDX-License-Identifier: MIT
#include <absl/strings/str_cat.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "workers/worker.hpp"

namespace threadref::workers {

namespace {

// Never destroyed: workers may outlive the program's statics.
struct hooked {
  std::mutex m;
  std::shared_ptr<error_hook> hook;
};
hooked& the_hook() {
  static auto* const one = new hooked;
  return *one;
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not a std::exception";
  }
}

}  // namespace

error_hook set_error_hook(error_hook hook) {
  auto made = hook ? std::make_shared<error_hook>(std::move(hook)) : nullptr;
  const std::scoped_lock lock(the_hook().m);
  the_hook().hook.swap(made);
  return made != nullptr ? *made : nullptr;
}

void worker::report(std::string_view where, const std::exception_ptr& error) const {
  std::shared_ptr<error_hook> hook;
  {
    const std::scoped_lock lock(the_hook().m);
    hook = the_hook().hook;
  }
  if (hook != nullptr) return (*hook)(*this, where, error);
  // A single write(), so that the lines of several workers do not mix.
  const std::string line =
      absl::StrCat("worker ", name(), ": ", std::string(where), " threw: ", text_of(error), "\n");
  static_cast<void>(!write(STDERR_FILENO, line.data(), line.size()));
}

}  // namespace threadref::workers
