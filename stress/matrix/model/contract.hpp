// SPDX-License-Identifier: MIT
// A back end of the contract as a mechanism of the matrix.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stress/matrix/model/mechanism.hpp"
#include "threadref/threadref.hpp"

namespace threadref::stress {

template <backend B, exit_phase Phase>
std::function<bool()> attach_detachable(callback c) {
  auto tried = try_finalize_in<B>(Phase, [c] { c.run(c.with); });
  if (!tried) return nullptr;
  return [f = tried.handle] { return f.cancel(); };
}

template <backend B>
const mechanism& contract_mechanism() {
  static constexpr mechanism m{
      .name = B::info.name,
      .attach =
          [](callback c) { return static_cast<bool>(try_finalize<B>([c] { c.run(c.with); })); },
      .attach_early =
          [](callback c) {
            return static_cast<bool>(try_finalize_in<B>(exit_phase::early, [c] { c.run(c.with); }));
          },
      .attach_detachable = &attach_detachable<B, exit_phase::last>,
      .attach_detachable_early = &attach_detachable<B, exit_phase::early>,
      .watch = []() -> std::function<bool()> {
        return [r = basic_ref<B>()] { return !r.expired(); };
      },
      .identity =
          [] {
            const thread_handle me = try_current<B>();
            return me ? me.serial() : 0;
          },
      .withdraw = [](const void* code) { return detach_all<B>(code); },
      .works_inside_malloc = &can_register_inside_malloc<B>,
      .threads =
          [] {
            std::vector<known_thread> all;
            for (const thread_handle& h : enumerate<B>())
              all.push_back({h.serial(), h.state() != thread_state::running});
            return all;
          },
      .name_of = []() -> std::function<std::string()> {
        thread_handle me = current<B>();
        static_cast<void>(me.name());  // what it is called later is what was asked for in its life
        return [me] { return me.name(); };
      },
      .attach_variable = [](void** variable,
                            void (*run)(void*)) { return !register_destructor<B>(variable, run); },
      .detach_variable = [](void** variable) { return unregister_destructor<B>(variable); },
      .set_value =
          [](callback c) {
            static constinit thread_local void* value = nullptr;
            value = c.with;
            return !register_destructor<B>(&value, c.run);
          }};
  return m;
}

template <class List>
const mechanism* find_mechanism(List list, std::string_view name) {
  const mechanism* found = nullptr;
  for_each_type(list, [&]<class B>() {
    if (B::info.name == name) found = &contract_mechanism<B>();
  });
  return found;
}

}  // namespace threadref::stress
