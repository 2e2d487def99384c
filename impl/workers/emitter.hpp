// SPDX-License-Identifier: MIT
// Who listens to which event.
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

// Names one or several listeners of one worker; never used again.
enum class listener_id : std::uint64_t {};

struct listen_options {
  int priority = 0;       // higher ones are called first, equal ones in the order of listen()
  bool once = false;      // gone when its first call begins
  bool permanent = true;  // false: a finalizer of the worker's thread removes it
  std::optional<std::weak_ptr<worker>> target{};  // only events about this one
  std::optional<listener_id> same_as{};  // under an id that there is, to be removed together
};

// Listeners of one worker: added and removed on any thread, called on the worker's.
class emitter {
 public:
  // Throws std::invalid_argument for a null function. Inside a listener: not called for the event
  // that is being told.
  listener_id listen(std::string_view name, listener call, listen_options how = {});
  // Removes all listeners of that id; they are not called any more, except where a call has begun.
  // Throws std::out_of_range if there is none (any more).
  void unlisten(listener_id id);
  // Calls everybody whom the event concerns, by priority. What a listener throws goes to `failed`,
  // and the others are called all the same; worker_exit and the unwinding of pthread_exit and
  // cancellation go on to the caller.
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
