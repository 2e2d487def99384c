// SPDX-License-Identifier: MIT
#include "threadref/unraisable.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <utility>

#include "threadref/detail/domain.hpp"
#include "threadref/detail/no_cancellation.hpp"
#include "threadref/thread_info.hpp"

namespace threadref::inline THREADREF_ABI {

namespace {

// One write(), so that the lines of several exiting threads don't mix. No allocation, since this is
// the exit path.
void write_line(const thread_handle& thread, const char* what) noexcept {
  const std::string name = thread.known_name();  // short enough not to be allocated
  char line[512];
  const int length = std::snprintf(
      line, sizeof line, "threadref: at the exit of %s%s%s (tid %d, serial %llu): %s\n",
      name.empty() ? "a thread" : "thread '", name.c_str(), name.empty() ? "" : "'",
      static_cast<int>(thread.tid()), static_cast<unsigned long long>(thread.serial()), what);
  const detail::no_cancellation to_the_end;
  const auto bytes = static_cast<std::size_t>(length);
  if (length > 0 && write(STDERR_FILENO, line, bytes < sizeof line ? bytes : sizeof line - 1) < 0)
    return;
}

void to_stderr(const thread_handle& thread, std::exception_ptr what, incident kind) noexcept {
  if (kind == incident::abandoned)
    return write_line(thread, "pending finalizers were abandoned: it exceeded a limit of options");
  if (kind == incident::missed)
    return write_line(thread,
                      "pending finalizers were abandoned: it ended without running its exit hooks");
  if (kind == incident::node_destroyed)
    return write_line(thread,
                      "an exit_node in a thread_local was destroyed before its turn, uncalled");
  try {
    std::rethrow_exception(std::move(what));
  } catch (const std::exception& e) {
    char text[384];
    std::snprintf(text, sizeof text, "a finalizer threw: %s", e.what());
    write_line(thread, text);
  } catch (...) {
    write_line(thread, "a finalizer threw something that is not a std::exception");
  }
}

constinit std::atomic<unraisable_hook> current_hook{&to_stderr};

}  // namespace

unraisable_hook set_unraisable_hook(unraisable_hook hook) noexcept {
  return current_hook.exchange(hook != nullptr ? hook : &to_stderr, std::memory_order_acq_rel);
}

namespace detail {

void report(block& on, std::exception_ptr what, incident kind) noexcept {
  on.pin();
  current_hook.load(std::memory_order_acquire)(thread_handle::adopt(on), std::move(what), kind);
}

}  // namespace detail
}  // namespace threadref::inline THREADREF_ABI
