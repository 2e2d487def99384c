// SPDX-License-Identifier: MIT
#include "workers/emitter.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "threadref/config.hpp"
#include "workers/worker_exit.hpp"

namespace threadref::workers {

struct emitter::entry {
  listener call;
  listen_options how;
  listener_id id;
  bool listening = true;  // guarded by m_
};

listener_id emitter::listen(std::string_view name, listener call, listen_options how) {
  if (!call) throw std::invalid_argument("a listener of a worker is null");
  const std::scoped_lock lock(m_);
  const listener_id id = how.same_as ? *how.same_as : listener_id{++last_id_};
  auto made = std::make_shared<entry>(entry{std::move(call), std::move(how), id});
  entries& all = by_name_[std::string(name)];
  const auto behind = std::upper_bound(
      all.begin(), all.end(), made->how.priority,
      [](int priority, const auto& other) { return priority > other->how.priority; });
  all.insert(behind, std::move(made));
  return id;
}

void emitter::unlisten(listener_id id) {
  if (!drop([id](const entry& one) { return one.id == id; }))
    throw std::out_of_range("no listener of this worker has that id");
}

void emitter::drop_temporary() {
  drop([](const entry& one) { return !one.how.permanent; });
}

bool emitter::drop(absl::FunctionRef<bool(const entry&)> unwanted) {
  entries dropped;  // destroyed after the lock: what they captured may call us
  const std::scoped_lock lock(m_);
  for (auto at = by_name_.begin(); at != by_name_.end();) {
    entries& all = at->second;
    const auto first = std::stable_partition(all.begin(), all.end(),
                                             [&](const auto& one) { return !unwanted(*one); });
    std::for_each(first, all.end(), [](const auto& one) { one->listening = false; });
    std::move(first, all.end(), std::back_inserter(dropped));
    all.erase(first, all.end());
    const auto here = at++;
    if (all.empty()) by_name_.erase(here);
  }
  return !dropped.empty();
}

std::size_t emitter::count() const {
  const std::scoped_lock lock(m_);
  std::size_t sum = 0;
  for (const auto& [name, all] : by_name_) sum += all.size();
  return sum;
}

emitter::entries emitter::concerned(const event& e) const {
  const std::scoped_lock lock(m_);
  entries found;
  const auto at = by_name_.find(e.name);
  if (at == by_name_.end()) return found;
  for (const auto& one : at->second) {
    const worker_ptr about = one->how.target ? one->how.target->lock() : nullptr;
    if (!one->how.target || (about != nullptr && about == e.target)) found.push_back(one);
  }
  return found;
}

// Whether to call the listener. If it is for one call only, it is removed first, so that a wait
// inside the call does not call it again.
bool emitter::begin(entry& of, const std::string& name) {
  const std::scoped_lock lock(m_);
  if (!of.listening) return false;
  if (of.how.once) {
    of.listening = false;
    const auto at = by_name_.find(name);
    std::erase_if(at->second, [&of](const auto& one) { return one.get() == &of; });
    if (at->second.empty()) by_name_.erase(at);
  }
  return true;
}

THREADREF_CATCHES_UNWINDING void emitter::emit(
    const event& e, absl::FunctionRef<void(const std::exception_ptr&)> failed) {
  for (const std::shared_ptr<entry>& one : concerned(e)) {
    if (!begin(*one, e.name)) continue;
    try {
      one->call(e);
    } catch (const worker_exit&) {
      throw;
    } catch (abi::__forced_unwind&) {
      throw;
    } catch (...) {
      failed(std::current_exception());
    }
  }
}

}  // namespace threadref::workers
