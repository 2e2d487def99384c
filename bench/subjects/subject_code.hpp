// SPDX-License-Identifier: MIT
// A subject as the rest of the program sees it: a table of functions. Templates over a subject are
// instantiated only where its table is made, so rows, pairs and sweeps are compiled once for all
// subjects.
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
#include "threadref/version.hpp"

namespace threadref::inline THREADREF_ABI {
struct backend_info;
}

namespace threadref::bench {

struct registered_thread;
struct mark;

enum class row_kind : std::uint8_t { back_end, floor, peer, pair };

// Asks whether the thread that created it is still alive.
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

// Functions that a subject does not support are null.
struct subject_code {
  using routine = probe::routine;
  using sampler_function = sample (*)(probe& at, verdict& found);
  template <class T>
  using by_removal = std::array<T, 3>;  // indexed by `removal`

  std::string_view name;
  row_kind kind = row_kind::peer;
  const backend_info* info = nullptr;  // of a back end

  // For a peer that is in every row about finalizers.
  std::string_view summary;
  std::string_view lacks;

  bool oldest_first = false;                   // the oldest registration runs first
  bool registers_nothing = false;              // a floor without finalizers
  bool runs_itself = false;                    // the thread has to run them as its last statement
  int most = std::numeric_limits<int>::max();  // how many a thread may register
  std::string_view why_no_more;
  std::string_view no_exit;  // why nothing runs at a thread's exit

  // Each copy of the timed code has its own copy of the function that runs a probe.
  sample (*run)(probe& at, routine what, int registered, verdict& found) = nullptr;

  // The single steps of a thread with finalizers.
  void (*arm)(entry* storage, int n) = nullptr;
  void (*register_range)(ledger& of, std::int64_t from, std::int64_t to) = nullptr;
  void (*leave)() = nullptr;
  // Each registers one finalizer, which counts, waits or records an event. `stored` outlives the
  // thread.
  void (*add_counting)(registered_thread& of) = nullptr;
  void (*add_waiting)() = nullptr;
  void (*add_mark)(mark* stored) = nullptr;
  bool (*add_destructor)(void** variable) = nullptr;  // the variable points to a mark
  std::unique_ptr<alive_question> (*ask_alive)() = nullptr;
  void (*release)() = nullptr;  // frees what a row used, once its threads have ended
  void (*trim)() = nullptr;

  // Routines of a probe's thread.
  routine registration = nullptr;
  routine first_registration = nullptr;
  routine exit = nullptr;
  routine exit_mixed = nullptr;
  routine ensure = nullptr;
  routine ensure_many = nullptr;  // probe::n times
  by_removal<routine> owner{};    // registers and removes repeatedly
  routine register_and_cancel = nullptr;
  std::array<routine, callable_sizes.size()> sized_registration{};
  std::array<routine, callable_sizes.size()> sized_exit{};
  routine registration_at_once = nullptr;
  routine exit_at_once = nullptr;

  // These take whole samples: the timed part runs on the calling thread.
  by_removal<sampler_function> foreign{};
  sampler_function ref_check = nullptr;
  sampler_function ref_lock = nullptr;

  // For a back end: makes a list of all live threads and returns its size or the serials in it.
  std::size_t (*count_everyone)() = nullptr;
  std::vector<std::uint64_t> (*serials_of_everyone)() = nullptr;
};

using subject_list = std::vector<const subject_code*>;

// Back ends in the order of their table, floors, the peers that only a few rows have, and the other
// peers in the order of their table.
const subject_list& all_subjects();
// The back ends that are broken on purpose.
const subject_list& all_canaries();

// The subjects of that kind. Of peers, only those that are in every row about finalizers.
subject_list subjects_of(row_kind kind);
// The subject of that name, or null.
const subject_code* find_subject(const subject_list& among, std::string_view name);
// The subject of that name, which must exist.
const subject_code& subject_named(std::string_view name);

}  // namespace threadref::bench
