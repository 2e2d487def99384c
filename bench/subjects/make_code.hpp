// SPDX-License-Identifier: MIT
// Makes the table of functions of one subject. A file that includes this compiles all timed code
// for each subject that it names. The timed code is not in an unnamed namespace: compilers optimize
// functions with internal linkage differently, which user code would not see.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "bench/subjects/questions.hpp"
#include "bench/subjects/removal.hpp"
#include "bench/subjects/routines.hpp"
#include "bench/subjects/subject_code.hpp"

namespace threadref::bench {

// Sweeps have few peers. For the other peers, the functions that only sweeps call are not compiled.
enum class scope { rows, rows_and_sweeps };

template <class S>
class alive_by_ref final : public alive_question {
 public:
  [[nodiscard]] bool is_alive() const override { return !of_.expired(); }

 private:
  typename S::reference of_;
};

template <class S>
void describe_subject(subject_code& code) {
  code.name = S::name;
  code.oldest_first = oldest_first<S>;
  code.registers_nothing = registers_nothing<S>;
  code.runs_itself = runs_itself<S>;
  if constexpr (requires { S::info; }) code.info = &S::info;
  if constexpr (requires { S::summary; }) code.summary = S::summary;
  if constexpr (requires { S::lacks; }) code.lacks = S::lacks;
  if constexpr (requires { S::most; }) code.most = S::most;
  if constexpr (requires { S::why_no_more; }) code.why_no_more = S::why_no_more;
  if constexpr (requires { S::no_exit; }) code.no_exit = S::no_exit;
}

template <subject S>
void add_steps(subject_code& code) {
  code.arm = [](entry* storage, int n) { S::arm(storage, n); };
  code.register_range = &register_range<S>;
  code.leave = [] { leave<S>(); };
  code.add_counting = [](registered_thread& of) {
    S::arm(&of.storage, 1);
    S::add(registered_thread::finalizer(of.stored), &of.stored);
  };
  code.add_waiting = [] {
    static waiting_finalizer stored;
    S::add(waiting_finalizer{}, &stored);
  };
  code.add_mark = [](mark* stored) { S::add(*stored, stored); };
  if constexpr (requires { &S::add_destructor; }) {
    code.add_destructor = [](void** variable) {
      return !S::add_destructor(variable, &run_state<mark>);
    };
  }
  if constexpr (requires { S::release(); }) code.release = [] { S::release(); };
  if constexpr (requires { S::trim(); }) code.trim = [] { S::trim(); };
}

template <subject S>
void add_routines(subject_code& code) {
  code.registration = &registration_routine<S>;
  code.first_registration = &first_registration_routine<S>;
  code.exit = &exit_routine<S>;
  code.exit_mixed = &exit_mixed_routine<S>;
}

template <subject S>
void add_sweeps(subject_code& code) {
  [&]<std::size_t... I>(std::index_sequence<I...> /*sizes*/) {
    code.sized_registration = {&sized_routine<callable_sizes[I], false, S>...};
    code.sized_exit = {&sized_routine<callable_sizes[I], true, S>...};
  }
  (std::make_index_sequence<callable_sizes.size()>{});
  code.registration_at_once = &register_at_once<S>;
  code.exit_at_once = &exit_at_once<S>;
}

template <class S>
void add_removal(subject_code& code) {
  if constexpr (requires(counted * stored) {
                  S::template add_then_remove<removal::cancel>(*stored, stored);
                }) {
    code.owner = {&owner_routine<removal::cancel, S>, &owner_routine<removal::detach, S>,
                  &owner_routine<removal::call, S>};
  }
  if constexpr (requires { typename S::handle; }) {
    code.foreign = {&remove_from_another<removal::cancel, S>,
                    &remove_from_another<removal::detach, S>,
                    &remove_from_another<removal::call, S>};
    code.register_and_cancel = &register_and_cancel_routine<S>;
  }
}

template <class S>
void add_questions(subject_code& code) {
  if constexpr (requires { S::is_known(); }) {
    code.ensure = &ensure_routine<S>;
    code.ensure_many = &ensure_many_routine<S>;
  }
  if constexpr (requires { typename S::reference; }) {
    code.ref_check = &ask_ref<by_check, S>;
    code.ref_lock = &ask_ref<by_lock, S>;
    code.ask_alive = []() -> std::unique_ptr<alive_question> {
      return std::make_unique<alive_by_ref<S>>();
    };
  }
  if constexpr (requires { S::everyone(); }) {
    code.count_everyone = [] { return S::everyone().size(); };
    code.serials_of_everyone = [] {
      std::vector<std::uint64_t> serials;
      for (const auto& t : S::everyone()) serials.push_back(t.serial());
      return serials;
    };
  }
}

template <class S, scope Wanted>
subject_code make_code(row_kind kind) {
  subject_code code;
  code.kind = kind;
  describe_subject<S>(code);
  code.run = &run_probe;
  if constexpr (subject<S>) {
    add_steps<S>(code);
    add_routines<S>(code);
    if constexpr (Wanted == scope::rows_and_sweeps) add_sweeps<S>(code);
    add_removal<S>(code);
  }
  add_questions<S>(code);
  return code;
}

}  // namespace threadref::bench
