// SPDX-License-Identifier: MIT
#include "bench/paired/pairs.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "bench/harness/statistics.hpp"
#include "bench/scenarios/scenario.hpp"
#include "testing/text.hpp"

// A second copy of the objects behind all_subjects(), in which clone.cmake has renamed `threadref`.
// It returns the same types.
namespace threadref_clone::bench {
const threadref::bench::subject_list& all_subjects();
}

namespace threadref::bench {

namespace {

constexpr std::string_view clone_suffix = "_clone";
constexpr std::string_view planted_suffix = "_planted";
// Smaller differences count as none.
constexpr double least_change = 0.02;

// One subject of one quantity.
struct instance {
  std::string_view subject;
  const subject_code* code;
  const scenario_code* quantity;
  bool is_planted = false;  // does 4 % more work, which pairs must notice

  [[nodiscard]] int size(int n) const { return is_planted ? n + n / 25 : n; }
};

std::string_view name_of(const scenario_code& what) {
  const std::string_view whole = scenarios::row(what.key).name;
  return whole.substr(whole.find('/') + 1);
}

bool can_be_paired(id key) {
  const scenarios::scenario& s = scenarios::row(key);
  return scenarios::in(s.tools, scenarios::tool::bench) && !is_sweep(s) &&
         scenario_of(key).take != nullptr;
}

// The scenario of a quantity of which single samples can be taken, or null.
const scenario_code* find_quantity(std::string_view quantity) {
  for (const scenarios::scenario& s : scenarios::table) {
    if (can_be_paired(s.key) && name_of(scenario_of(s.key)) == quantity) return &scenario_of(s.key);
  }
  return nullptr;
}

void add_instances(const scenario_code& what, std::vector<instance>& all) {
  // Instances hold views of these names; a deque never moves its elements.
  static std::deque<std::string> planted_names;
  for (const std::string_view name : what.floors)
    all.push_back({name, &subject_named(name), &what});
  for (const subject_code* s : subjects_of(row_kind::back_end)) {
    all.push_back({s->name, s, &what});
    if (what.operations(256 + 256 / 25) == what.operations(256)) continue;
    planted_names.push_back(testing::concat(s->name, planted_suffix));
    all.push_back({planted_names.back(), s, &what, true});
  }
  if (what.all_peers) {
    for (const subject_code* s : subjects_of(row_kind::peer)) all.push_back({s->name, s, &what});
  }
  for (const std::string_view name : what.peers) all.push_back({name, &subject_named(name), &what});
}

// Every subject of every quantity of which single samples can be taken.
const std::vector<instance>& instances() {
  static const std::vector<instance> all = [] {
    std::vector<instance> made;
    for (const scenarios::scenario& s : scenarios::table) {
      if (can_be_paired(s.key)) add_instances(scenario_of(s.key), made);
    }
    return made;
  }();
  return all;
}

const instance* find(std::string_view subject, std::string_view quantity) {
  for (const instance& i : instances()) {
    if (i.subject == subject && name_of(*i.quantity) == quantity) return &i;
  }
  return nullptr;
}

// The timed code is linked twice: as it is, and as a clone at other addresses.
enum class copy { original, clone };

copy swapped(copy c) {
  return c == copy::original ? copy::clone : copy::original;
}

instance in_copy(copy which, instance i) {
  if (which == copy::clone) {
    i.code = find_subject(threadref_clone::bench::all_subjects(), i.code->name);
  }
  return i;
}

struct pair {
  instance a;
  instance b;
};

// The name of a side, split into its subject and the suffix that asks for the other copy.
struct side_name {
  explicit side_name(std::string_view name) : subject(name) {
    is_clone = subject.ends_with(clone_suffix);
    if (is_clone) subject.remove_suffix(clone_suffix.size());
  }
  std::string_view subject;
  bool is_clone;
};

// Bit 0 of --layout chooses the copy of A, bit 1 that of B. If B is the same subject as A, or A
// with planted work, bit 0 chooses both, so that the layout does not differ as well. A name that
// ends with _clone then asks for the other copy.
pair make_pair(const options& asked, const side_name& a, const side_name& b,
               std::string_view quantity) {
  const bool is_same_subject =
      b.subject == a.subject || b.subject == testing::concat(a.subject, planted_suffix);
  const int bit_of_b = is_same_subject ? 0 : 1;
  copy copy_a = (asked.layout & 1) != 0 ? copy::clone : copy::original;
  copy copy_b = ((asked.layout >> bit_of_b) & 1) != 0 ? copy::clone : copy::original;
  if (a.is_clone) copy_a = swapped(copy_a);
  if (b.is_clone) copy_b = swapped(copy_b);
  return {in_copy(copy_a, *find(a.subject, quantity)), in_copy(copy_b, *find(b.subject, quantity))};
}

// The samples of one side, one block per pair.
struct side {
  const instance from;
  const int n;
  std::vector<samples> blocks;
  samples empty;
  verdict found;

  // Each block allocates anew and so reuses the memory that the other side's block has just freed:
  // where data lies matters as much as where code lies (9 % of an exit were seen).
  void take_block(int threads) {
    const int size = from.size(n);
    probe at(from.quantity->most(size));
    samples& block = blocks.emplace_back();
    for (int i = 0; i != threads; ++i) {
      const sample taken = from.quantity->take(*from.code, at, size, found);
      block.push_back(static_cast<double>(taken.region));
      empty.push_back(static_cast<double>(taken.empty));
    }
    if (from.code->release != nullptr) from.code->release();
  }
  // Merges neighbouring blocks until `into` are left.
  void merge(std::size_t into) {
    const std::size_t each = blocks.size() / into;
    if (each < 2) return;
    std::vector<samples> merged(into);
    for (std::size_t i = 0; i != into * each; ++i) {
      merged[i / each].insert(merged[i / each].end(), blocks[i].begin(), blocks[i].end());
    }
    blocks = std::move(merged);
  }
  [[nodiscard]] double operations() const { return from.quantity->operations(n); }
  samples figures() {
    std::sort(empty.begin(), empty.end());
    const double clock = trimmed_mean(empty).value;
    samples all;
    for (samples& block : blocks) {
      std::sort(block.begin(), block.end());
      all.push_back((trimmed_mean(block).value - clock) / operations());
    }
    return all;
  }
};

// A block is short, so that both sides of a pair see the machine in the same state, but much longer
// than a tick of the clock.
constexpr int threads_of_a_block(int n, bool smoke) {
  return smoke ? 1 : n < 64 ? 50 : 24;
}
// A region of a few clock ticks needs many threads for one figure: its blocks are merged into so
// many.
constexpr std::size_t figures_of_short_regions = 20;

// The verdict of one process; scripts/lab pair combines many processes.
std::string_view verdict_on(const interval& ratio) {
  if (ratio.low > 1 + least_change) return "B is slower";
  if (ratio.high < 1 / (1 + least_change)) return "B is faster";
  const bool is_same = ratio.low > 1 / (1 + least_change) && ratio.high < 1 + least_change;
  return is_same ? "same" : "undecided";
}

void run_pair(benchmark::State& state, session& session, const row& row, const pair& p) {
  session.go_solo();
  side a{p.a, row.n, {}, {}, {}};
  side b{p.b, row.n, {}, {}, {}};
  const int threads = threads_of_a_block(row.n, session.asked.smoke);
  bool a_first = true;
  for (auto _ : state) {
    if (a_first) a.take_block(threads);
    b.take_block(threads);
    if (!a_first) a.take_block(threads);
    a_first = !a_first;
    state.SetIterationTime(b.blocks.back().back() * 1e-9 / b.operations());
  }
  a.found.add(b.found);
  if (!judge(state, session, row, a.found)) return;
  const bool is_short =
      quantile(a.blocks.front(), 0.5) < ticks_for_a_median * session.machine.clock_tick_ns;
  if (is_short) {
    a.merge(figures_of_short_regions);
    b.merge(figures_of_short_regions);
  }
  samples figures_a = a.figures();
  samples figures_b = b.figures();
  samples ratios;
  for (std::size_t i = 0; i != figures_a.size(); ++i) {
    if (figures_a[i] > 0 && figures_b[i] > 0) ratios.push_back(figures_b[i] / figures_a[i]);
  }
  for (samples* each : {&figures_a, &figures_b, &ratios}) std::sort(each->begin(), each->end());
  const interval found = median_interval(ratios);
  auto& counters = state.counters;
  counters["ratio"] = found.middle;
  counters["low"] = found.low;
  counters["high"] = found.high;
  counters["pairs"] = static_cast<double>(ratios.size());
  counters["a_ns"] = quantile(figures_a, 0.5);
  counters["b_ns"] = quantile(figures_b, 0.5);
  counters["layout"] = session.asked.layout;
  counters["pinned_cpu"] = session.pinned_cpu();
  counters["samples"] = static_cast<double>(a.empty.size());
  for (const char* fault : {"lost", "doubled", "misordered"}) counters[fault] = 0;
  state.SetLabel(testing::concat("one process: ", verdict_on(found)));
}

void add_pair(session& session, std::string_view a, std::string_view b, std::string_view quantity,
              int n) {
  const pair p = make_pair(session.asked, side_name(a), side_name(b), quantity);
  const scenarios::scenario& s = scenarios::row(p.a.quantity->key);
  const std::string name =
      testing::concat("paired/", a, "_vs_", b, "/", quantity, "/", s.parameter, ":", n);
  if (session.find(name) != nullptr) return;  // both sides may have the same control
  std::string_view why = why_not(*p.a.quantity, *p.a.code, n);
  if (why.empty()) why = why_not(*p.b.quantity, *p.b.code, n);
  const int pairs = why.empty() ? session.pairs(session.asked.pairs) : 1;
  const row r{s.key, name, p.a.subject, row_kind::pair, n, pairs};
  session.add_row(r);
  const auto run = [&session, r, p, why](benchmark::State& state) {
    if (why.empty()) return run_pair(state, session, r, p);
    report_absent(state, session, why);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(pairs)
      ->UseManualTime()
      ->Unit(benchmark::kNanosecond);
}

void add_controls(session& session, std::string_view subject, std::string_view quantity, int n) {
  add_pair(session, subject, subject, quantity, n);
  add_pair(session, subject, testing::concat(subject, clone_suffix), quantity, n);
}

template <class Get>
std::string listed_once(Get get) {
  std::vector<std::string_view> all;
  for (const instance& i : instances()) {
    if (std::find(all.begin(), all.end(), get(i)) == all.end()) all.push_back(get(i));
  }
  return testing::listed(all);
}

std::optional<std::string> complaint_about(std::string_view name, std::string_view quantity) {
  if (find(side_name(name).subject, quantity) != nullptr) return std::nullopt;
  return testing::concat("--pair: ", quantity, " has no subject ", name, "; quantities: ",
                         listed_once([](const instance& i) { return name_of(*i.quantity); }),
                         "; subjects: ", listed_once([](const instance& i) { return i.subject; }),
                         ", each also with _clone");
}

// Large enough for exact samples, small enough for many blocks.
constexpr int control_size = 256;
int size_for_controls(const scenario_code& quantity, bool smoke) {
  const scenarios::size_list& sizes = scenarios::row(quantity.key).finalizers;
  int chosen = sizes.smoke();
  for (const int n : sizes) chosen = !smoke && n <= control_size ? n : chosen;
  return chosen;
}

}  // namespace

std::optional<std::string> register_pair(session& session) {
  const options& asked = session.asked;
  for (const std::string& quantity : asked.quantities) {
    for (const std::string& name : {asked.pair_a, asked.pair_b}) {
      if (auto complaint = complaint_about(name, quantity)) return complaint;
    }
    for (const int n : scenarios::row(find_quantity(quantity)->key).finalizers) {
      add_pair(session, asked.pair_a, asked.pair_b, quantity, n);
      for (const std::string& name : {asked.pair_a, asked.pair_b})
        add_controls(session, side_name(name).subject, quantity, n);
      if (asked.smoke) break;
    }
  }
  return std::nullopt;
}

void register_control_pairs(session& session) {
  const auto& wanted = session.asked.quantities;
  for (const instance& i : instances()) {
    const std::string_view quantity = name_of(*i.quantity);
    const bool is_asked = std::find(wanted.begin(), wanted.end(), quantity) != wanted.end();
    if (!is_asked && i.code->kind != row_kind::floor) continue;
    const int n = size_for_controls(*i.quantity, session.asked.smoke);
    if (i.is_planted) {
      add_pair(session, i.code->name, i.subject, quantity, n);
    } else {
      add_controls(session, i.subject, quantity, n);
    }
  }
}

}  // namespace threadref::bench
