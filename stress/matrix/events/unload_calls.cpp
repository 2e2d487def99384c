// SPDX-License-Identifier: MIT
// Callbacks whose own code is unloaded, and threads that register while something is being loaded.
#include <signal.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "stress/matrix/child/loaded.hpp"
#include "stress/matrix/child/thread_factories.hpp"
#include "stress/matrix/model/events.hpp"
#include "stress/modules/modules.hpp"
#include "testing/check.hpp"

namespace threadref::stress {

namespace of_unload_calls {
namespace {

constexpr int some = 4;  // callbacks of a thread

// What of a callback is in the object that is to be unloaded.
enum dependence { by_code, by_data };

void run_from_data(void* data) {
  const callback one = *static_cast<callback*>(data);
  one.run(one.with);
}

// Registers a callback that needs `code`. Returns its entry in the record, or null: it was refused.
// Its argument is never freed.
registration* attach_dependent(event_context& ctx, const loaded_object& code, dependence how) {
  const event_context::attempt tried = ctx.begin_attach();
  callback what{};
  if (how == by_code) {
    what = {code.function<void(void*)>("threadref_stress_forward"), new callback(tried.what)};
  } else {
    auto* const data = code.function<callback*()>("threadref_stress_data")();
    *data = tried.what;
    what = {&run_from_data, data};
  }
  const bool accepted = ctx.subject.attach(what);
  event_context::end_attach(tried, accepted);
  return accepted ? tried.entry : nullptr;
}

// A mechanism survives this only if it knows which object the code belongs to, and drops the
// callback, which is then lost.
int callback_is_closed(event_context& ctx) {
  const loaded_object code("stress_code");
  std::atomic<bool> closed{false};
  std::atomic<bool> registered{false};
  posix_thread owner(ctx, [&] {
    attach_dependent(ctx, code, static_cast<dependence>(ctx.condition()));
    registered.store(true);
    registered.notify_one();
    closed.wait(false);
  });
  registered.wait(false);
  code.close();
  THREADREF_CHECK(!code.is_mapped(), "the code is still there, so nothing was tried");
  closed.store(true);
  closed.notify_one();
  owner.join();
  return 0;
}

int callback_is_withdrawn(event_context& ctx) {
  constexpr int threads = 4;
  const loaded_object code("stress_code");
  const auto how = static_cast<dependence>(ctx.condition());
  // The module has room for one callback in its data.
  const int each = how == by_code ? some : 1;
  const int owning = how == by_code ? threads : 1;
  std::vector<registration*> dependent;
  std::mutex one_at_a_time;
  std::atomic<int> registered{0};
  std::atomic<bool> closed{false};
  std::deque<posix_thread> owners;
  for (int i = 0; i != owning; ++i) {
    owners.emplace_back(ctx, [&] {
      ctx.attach();
      for (int k = 0; k != each; ++k) {
        registration* const entry = attach_dependent(ctx, code, how);
        const std::lock_guard lock(one_at_a_time);
        if (entry != nullptr) dependent.push_back(entry);
      }
      ctx.attach();
      registered.fetch_add(1);
      registered.notify_one();
      closed.wait(false);
    });
  }
  for (int n = 0; (n = registered.load()) != owning;) registered.wait(n);
  const std::size_t removed = ctx.subject.withdraw(
      reinterpret_cast<const void*>(code.function<void(void*)>("threadref_stress_forward")));
  if (removed != dependent.size())
    ctx.record_violation("it did not withdraw exactly the callbacks of the object");
  for (registration* const r : dependent) r->status.store(registration_status::removed);
  code.close();
  THREADREF_CHECK(!code.is_mapped(), "the code is still there, so nothing was tried");
  closed.store(true);
  closed.notify_all();
  for (posix_thread& t : owners) t.join();
  return 0;
}

// Shared by the event and the constructor of an object, which takes no argument. Back ends come
// from a plugin here, as peers do, so that both have the same kind of thread-local storage.
struct loading {
  event_context& ctx;
  bool (*attach)(callback c);
  std::atomic<bool> lock_held{false};
  std::atomic<bool> began{false};
  std::mutex lock{};
};
loading* current = nullptr;

void attach_in_handler(int /*signal*/) {
  event_context::current().attach();
}

void attach_some() {
  for (int i = 0; i != some; ++i) current->ctx.attach_by(current->attach);
}

void start_a_thread_and_join() {
  on_new_thread(current->ctx, &attach_some);
}

void wait_for_a_lock() {
  current->began.store(true);
  current->began.notify_one();
  const std::lock_guard until_it_has_registered(current->lock);
}

void interrupt_itself() {
  struct sigaction wanted = {};
  wanted.sa_handler = &attach_in_handler;
  THREADREF_CHECK_ERRNO(sigaction(SIGUSR1, &wanted, nullptr) == 0, "sigaction");
  THREADREF_CHECK_CALL(pthread_kill(pthread_self(), SIGUSR1));
}

int registers_during_dlopen(event_context& ctx, bool (*mechanism::*attach)(callback c)) {
  enum { joined, needs_lock };
  const loaded_object plugin(module_with(ctx.subject.name));
  current = new loading{.ctx = ctx, .attach = mechanism_in(plugin, ctx.subject.name).*attach};
  // A canary replaces pthread_join. Its first call looks up the C library's under the loader's
  // lock, so it must come before the dlopen.
  on_new_thread(ctx, [] {});
  set_constructor_hook(ctx.condition() == joined ? &start_a_thread_and_join : &wait_for_a_lock);
  std::optional<posix_thread> other;
  if (ctx.condition() == needs_lock) {
    other.emplace(ctx, [] {
      const std::lock_guard held(current->lock);
      current->lock_held.store(true);
      current->lock_held.notify_one();
      current->began.wait(false);
      attach_some();
    });
    current->lock_held.wait(false);
  }
  on_new_thread(ctx, [] { static_cast<void>(loaded_object("stress_constructor")); });
  if (other) other->join();
  return 0;
}

int in_last_during_dlopen(event_context& ctx) {
  return registers_during_dlopen(ctx, &mechanism::attach);
}
int in_early_during_dlopen(event_context& ctx) {
  return registers_during_dlopen(ctx, &mechanism::attach_early);
}

int registers_during_dlclose(event_context& ctx) {
  const loaded_object plugin(module_with(ctx.subject.name));
  current = new loading{.ctx = ctx, .attach = mechanism_in(plugin, ctx.subject.name).attach};
  on_new_thread(ctx, [] {});  // see registers_during_dlopen()
  const loaded_object closing("stress_constructor");
  set_destructor_hook(&start_a_thread_and_join);
  on_new_thread(ctx, [&closing] { closing.close(); });
  set_destructor_hook(nullptr);
  if (ctx.ran() == 0) ctx.record_violation("nothing ran inside dlclose, so nothing was tried");
  return 0;
}

int is_interrupted_in_dlopen(event_context& ctx) {
  set_constructor_hook(&interrupt_itself);
  on_new_thread(ctx, [] { static_cast<void>(loaded_object("stress_constructor")); });
  return 0;
}

constexpr event rows[] = {
    {.name = "unload/callback",
     .asks = "does a thread survive it if its callback's code or data is unloaded first?",
     .run = &callback_is_closed,
     .conditions = {{{"its code"}, {"its data"}}},
     .checks = "93",
     .promise = outcome::crashes,
     .not_under_tsan = "it crashes by design, which the sanitizer reports",
     .not_under_asan = "it crashes by design, which the sanitizer reports"},
    {.name = "unload/callback_withdrawn",
     .asks = "are callbacks gone in time if they are withdrawn before their code is unloaded?",
     .run = &callback_is_withdrawn,
     .conditions = {{{"their code"}, {"their data"}}},
     .checks = "93",
     .why_not = &needs_withdrawing},
    {.name = "unload/registers_during_dlopen",
     .asks = "can a thread register while another one is in dlopen, and waits for it?",
     .run = &in_last_during_dlopen,
     .conditions = {{{"a constructor joins it"}, {"a constructor needs its lock"}}},
     .bugs = {11},
     .slow = true,
     .loads_itself = true},
    // As for constructing a thread_local with a destructor.
    {.name = "unload/registers_early_during_dlopen",
     .asks = "can it register what must find thread_locals (exit_phase::early)?",
     .run = &in_early_during_dlopen,
     .conditions = {{{"a constructor joins it"}, {"a constructor needs its lock"}}},
     .bugs = {11},
     .promise = outcome::hangs,
     .why_not = &needs_early,
     .slow = true,
     .loads_itself = true},
    {.name = "unload/registers_during_dlclose",
     .asks = "can a thread register while another one is in dlclose, and joins it?",
     .run = &registers_during_dlclose,
     .bugs = {11},
     .slow = true,
     .loads_itself = true},
    {.name = "unload/interrupted_in_dlopen",
     .asks = "can a signal handler register while its own thread is in dlopen?",
     .run = &is_interrupted_in_dlopen,
     .bugs = {12},
     .not_under_tsan = "it reports whatever asks for memory in a signal handler"},
};

}  // namespace
}  // namespace of_unload_calls

std::span<const event> unload_calls_events() {
  return of_unload_calls::rows;
}

}  // namespace threadref::stress
