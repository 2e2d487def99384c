// SPDX-License-Identifier: MIT
// A subject as the rest of the program sees it: a table of functions. Templates over a subject are
// compiled where its table is made and nowhere else, so that a row, a pair or a sweep is compiled
// once for all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/subjects/removal_kind.hpp"
#include "bench/timing/probe.hpp"

namespace threadref {
struct backend_info;
}

namespace threadref::bench {

struct registered_thread;
struct mark;

enum class row_kind : std::uint8_t { back_end, floor, peer, pair };

// Whether the thread that made it is still alive.
class alive_question {
 public:
  alive_question() = default;
  alive_question(const alive_question&) = delete;
  alive_question& operator=(const alive_question&) = delete;
  virtual ~alive_question() = default;
  [[nodiscard]] virtual bool is_alive() const = 0;
};

// The sizes of function objects that sweep/callable goes through, in bytes.
inline constexpr std::array<std::size_t, 5> callable_sizes{8, 16, 24, 64, 256};

// What a subject cannot do is null.
struct subject_code {
  using routine = probe::routine;
  using sampler_function = sample (*)(probe& at, verdict& found);
  template <class T>
  using by_removal = std::array<T, 3>;  // indexed by `removal`

  std::string_view name;
  row_kind kind = row_kind::peer;
  const backend_info* info = nullptr;  // of a back end

  // Of a peer that is in every row about finalizers.
  std::string_view summary;
  std::string_view lacks;

  bool oldest_first = false;                   // the first that was registered runs first
  bool registers_nothing = false;              // a floor that leaves out the finalizers
  bool runs_itself = false;                    // the thread has to run them as its last statement
  int most = std::numeric_limits<int>::max();  // how many a thread may register
  std::string_view why_no_more;
  std::string_view no_exit;  // why nothing runs at a thread's exit

  // Each copy of the program's timed code brings its own copy of what runs a probe.
  sample (*run)(probe& at, routine what, int registered, verdict& found) = nullptr;

  // The steps that a thread with finalizers takes, by themselves.
  void (*arm)(entry* storage, int n) = nullptr;
  void (*register_range)(ledger& of, std::int64_t from, std::int64_t to) = nullptr;
  void (*leave)() = nullptr;
  // One finalizer each, that counts, waits or leaves a mark. `stored` outlives the thread.
  void (*add_counting)(registered_thread& of) = nullptr;
  void (*add_waiting)() = nullptr;
  void (*add_mark)(mark* stored) = nullptr;
  bool (*add_destructor)(void** variable) = nullptr;  // of a mark
  std::unique_ptr<alive_question> (*ask_alive)() = nullptr;
  void (*release)() = nullptr;  // gives back what a row took, when its threads are gone
  void (*trim)() = nullptr;

  // What a probe's thread does.
  routine registration = nullptr;
  routine first_registration = nullptr;
  routine exit = nullptr;
  routine exit_mixed = nullptr;
  routine ensure = nullptr;
  routine ensure_many = nullptr;  // probe::n times
  by_removal<routine> owner{};    // registers and removes, again and again
  routine register_and_cancel = nullptr;
  std::array<routine, callable_sizes.size()> sized_registration{};
  std::array<routine, callable_sizes.size()> sized_exit{};
  routine registration_at_once = nullptr;
  routine exit_at_once = nullptr;

  // Whole samples, where the timed part is on the thread that asks.
  by_removal<sampler_function> foreign{};
  sampler_function ref_check = nullptr;
  sampler_function ref_lock = nullptr;

  // Of a back end: the list of all live threads, made and dropped, and the serials in it.
  std::size_t (*count_everyone)() = nullptr;
  std::vector<std::uint64_t> (*serials_of_everyone)() = nullptr;
};

using subject_list = std::vector<const subject_code*>;

// Back ends in the order of their table, floors, peers in the order of theirs and those that a few
// rows have beside them.
const subject_list& all_subjects();
// The back ends that are broken on purpose.
const subject_list& all_canaries();

// Of that kind; of peers, those that are in every row about finalizers.
subject_list subjects_of(row_kind kind);
// The one of that name, or null.
const subject_code* find_subject(const subject_list& among, std::string_view name);
// The one of that name; there has to be one.
const subject_code& subject_named(std::string_view name);

}  // namespace threadref::bench
