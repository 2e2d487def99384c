// SPDX-License-Identifier: MIT
// The listeners of a worker, by event.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/event.hpp"

namespace threadref::workers {

using listener = absl::AnyInvocable<void(const event&)>;

// Identifies one or several listeners of one worker; never reused.
enum class listener_id : std::uint64_t {};

struct listen_options {
  int priority = 0;       // higher ones are called first, equal ones in the order of listen()
  bool once = false;      // removed when its first call begins
  bool permanent = true;  // false: a finalizer of the worker's thread removes it
  std::optional<std::weak_ptr<worker>> target{};  // only for events with this target
  std::optional<listener_id> same_as{};           // an existing id, to be removed together
};

// The listeners of one worker: added and removed on any thread, called on the worker's thread.
class emitter {
 public:
  // Throws std::invalid_argument for a null function. A listener that is added by another listener
  // is not called for the current event.
  listener_id listen(std::string_view name, listener call, listen_options how = {});
  // Removes all listeners of that id. They are not called any more, but a call that has begun goes
  // on. Throws std::out_of_range if there is none.
  void unlisten(listener_id id);
  // Calls all listeners for the event, by priority. What a listener throws is passed to `failed`,
  // and the others are still called; worker_exit and the unwinding of pthread_exit and cancellation
  // propagate to the caller.
  void emit(const event& e, absl::FunctionRef<void(const std::exception_ptr&)> failed);

  void drop_temporary();
  [[nodiscard]] std::size_t count() const;

 private:
  struct entry;
  using entries = std::vector<std::shared_ptr<entry>>;
  entries concerned(const event& e) const;
  bool begin(entry& of, const std::string& name);
  bool drop(absl::FunctionRef<bool(const entry&)> unwanted);

  mutable std::mutex m_;
  std::uint64_t last_id_ = 0;
  absl::flat_hash_map<std::string, entries> by_name_;  // by priority, then by age
};

}  // namespace threadref::workers
