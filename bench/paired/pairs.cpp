// SPDX-License-Identifier: MIT
#include "paired/pairs.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "bodies/body.hpp"
#include "statistics.hpp"
#include "text.hpp"

// The same objects as all_subjects(), linked a second time with `threadref` renamed: see
// CMakeLists.txt. What they hand out has the same types.
namespace threadref_clone::bench {
const threadref::bench::subject_list& all_subjects();
}

namespace threadref::bench {

namespace {

constexpr std::string_view clone_suffix = "_clone";
constexpr std::string_view planted_suffix = "_planted";
// Smaller differences are not told from none.
constexpr double least_change = 0.02;

// One subject of one quantity.
struct instance {
  std::string_view subject;
  const subject_code* code;
  const body* quantity;
  bool is_planted = false;  // with more work to do, which pairs must notice

  [[nodiscard]] int size(int n) const { return is_planted ? n + n / 25 : n; }
};

std::string_view name_of(const body& what) {
  const std::string_view whole = scenarios::row(what.key).name;
  return whole.substr(whole.find('/') + 1);
}

bool can_be_paired(id key) {
  const scenarios::scenario& s = scenarios::row(key);
  return scenarios::in(s.tools, scenarios::tool::bench) && !is_sweep(s) &&
         body_of(key).take != nullptr;
}

// The body of a quantity of which single samples can be taken, or null.
const body* find_quantity(std::string_view quantity) {
  for (const scenarios::scenario& s : scenarios::table) {
    if (can_be_paired(s.key) && name_of(body_of(s.key)) == quantity) return &body_of(s.key);
  }
  return nullptr;
}

void add_instances(const body& what, std::vector<instance>& all) {
  // A name of its own for each, since instances hand out views.
  static std::deque<std::string> planted_names;
  for (const std::string_view name : what.floors)
    all.push_back({name, &subject_named(name), &what});
  for (const subject_code* s : subjects_of(row_kind::back_end)) {
    all.push_back({s->name, s, &what});
    if (what.operations(256 + 256 / 25) == what.operations(256)) continue;
    planted_names.push_back(concat(s->name, planted_suffix));
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
      if (can_be_paired(s.key)) add_instances(body_of(s.key), made);
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

// The same in that copy: 0 as it stands, 1 the clone.
instance compiled(int which, const instance& of) {
  if (which == 0) return of;
  instance cloned = of;
  cloned.code = find_subject(threadref_clone::bench::all_subjects(), of.code->name);
  return cloned;
}

struct pair {
  instance a;
  instance b;
};

// A side's name, as it was written, and without "_clone".
struct spoken {
  explicit spoken(std::string_view name) : whole(name), base(name) {
    is_clone = base.ends_with(clone_suffix);
    if (is_clone) base.remove_suffix(clone_suffix.size());
  }
  std::string_view whole;
  std::string_view base;
  bool is_clone;
};

// Which of the two copies each side uses: bit 0 of the layout for A, bit 1 for B. A function and
// itself are in one copy, and so are those with and without planted work, which is all that differs
// there; a function and its clone are in both.
pair pick(const options& asked, const spoken& a, const spoken& b, std::string_view quantity) {
  const int of_a = (asked.layout & 1) ^ static_cast<int>(a.is_clone);
  const bool is_one = a.base == b.base || b.base == concat(a.base, planted_suffix);
  const int of_b = is_one ? of_a ^ static_cast<int>(a.is_clone != b.is_clone)
                          : (asked.layout >> 1) ^ static_cast<int>(b.is_clone);
  return {compiled(of_a, *find(a.base, quantity)), compiled(of_b, *find(b.base, quantity))};
}

// The regions of one side, a block a pair.
struct side {
  const instance from;
  const int n;
  std::vector<samples> blocks;
  samples empty;
  verdict found;

  // Each block begins anew, in the memory that the block of the other side has just given back: two
  // places of data differ as much as two places of code (9 % of an exit were seen).
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
  // Several blocks as one.
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

// A block is short, so that both halves of a pair see the same machine; and long against the clock.
constexpr int threads_of_a_block(int n, bool smoke) {
  return smoke ? 1 : n < 64 ? 50 : 24;
}
// Regions of a few clock ticks need this many threads for one figure, and so give fewer of them.
constexpr std::size_t figures_of_short_regions = 20;

// What one process can say; pairs over many processes are scripts/lab pair's.
std::string_view in_words(const interval& ratio) {
  if (ratio.low > 1 + least_change) return "B is slower";
  if (ratio.high < 1 / (1 + least_change)) return "B is faster";
  const bool is_same = ratio.low > 1 / (1 + least_change) && ratio.high < 1 + least_change;
  return is_same ? "same" : "undecided";
}

void run_pair(benchmark::State& state, session& all, const row& of, const pair& p) {
  all.go_solo();
  side a{p.a, of.n, {}, {}, {}};
  side b{p.b, of.n, {}, {}, {}};
  const int threads = threads_of_a_block(of.n, all.asked.smoke);
  bool a_first = true;
  for (auto _ : state) {
    if (a_first) a.take_block(threads);
    b.take_block(threads);
    if (!a_first) a.take_block(threads);
    a_first = !a_first;
    state.SetIterationTime(b.blocks.back().back() * 1e-9 / b.operations());
  }
  a.found.add(b.found);
  if (!judge(state, all, of, a.found)) return;
  const bool is_short =
      quantile(a.blocks.front(), 0.5) < ticks_for_a_median * all.machine.clock_tick_ns;
  if (is_short) {
    a.merge(figures_of_short_regions);
    b.merge(figures_of_short_regions);
  }
  samples of_a = a.figures();
  samples of_b = b.figures();
  samples ratios;
  for (std::size_t i = 0; i != of_a.size(); ++i) {
    if (of_a[i] > 0 && of_b[i] > 0) ratios.push_back(of_b[i] / of_a[i]);
  }
  for (samples* each : {&of_a, &of_b, &ratios}) std::sort(each->begin(), each->end());
  const interval found = median_interval(ratios);
  auto& counters = state.counters;
  counters["ratio"] = found.middle;
  counters["low"] = found.low;
  counters["high"] = found.high;
  counters["pairs"] = static_cast<double>(ratios.size());
  counters["a_ns"] = quantile(of_a, 0.5);
  counters["b_ns"] = quantile(of_b, 0.5);
  counters["layout"] = all.asked.layout;
  counters["pinned_cpu"] = all.pinned_cpu();
  counters["samples"] = static_cast<double>(a.empty.size());
  for (const char* fault : {"lost", "doubled", "misordered"}) counters[fault] = 0;
  state.SetLabel(concat("one process: ", in_words(found)));
}

void add(session& all, std::string_view a, std::string_view b, std::string_view quantity, int n) {
  const pair p = pick(all.asked, spoken(a), spoken(b), quantity);
  const scenarios::scenario& s = scenarios::row(p.a.quantity->key);
  const std::string name = concat("paired/", a, "_vs_", b, "/", quantity, "/", s.parameter, ":", n);
  if (all.find(name) != nullptr) return;  // a control that both sides share
  const std::string_view of_a = why_not(*p.a.quantity, *p.a.code, n);
  const std::string_view why = of_a.empty() ? why_not(*p.b.quantity, *p.b.code, n) : of_a;
  const int pairs = why.empty() ? all.pairs(all.asked.pairs) : 1;
  const row r{s.key, name, p.a.subject, row_kind::pair, n, pairs};
  all.add_row(r);
  const auto run = [&all, r, p, why](benchmark::State& state) {
    if (why.empty()) return run_pair(state, all, r, p);
    say_absent(state, all, why);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(pairs)
      ->UseManualTime()
      ->Unit(benchmark::kNanosecond);
}

void add_controls(session& all, std::string_view subject, std::string_view quantity, int n) {
  add(all, subject, subject, quantity, n);
  add(all, subject, concat(subject, clone_suffix), quantity, n);
}

template <class Get>
std::string names(Get get) {
  std::vector<std::string_view> all;
  for (const instance& i : instances()) {
    if (std::find(all.begin(), all.end(), get(i)) == all.end()) all.push_back(get(i));
  }
  return listed(all);
}

std::optional<std::string> complaint_about(std::string_view name, std::string_view quantity) {
  if (find(spoken(name).base, quantity) != nullptr) return std::nullopt;
  return concat("--pair: there is no ", name, " of ", quantity,
                "; quantities: ", names([](const instance& i) { return name_of(*i.quantity); }),
                "; subjects: ", names([](const instance& i) { return i.subject; }),
                ", each also with _clone");
}

// Large enough for an exact region, small enough for many blocks.
constexpr int control_size = 256;
int size_for_controls(const body& quantity, bool smoke) {
  const scenarios::size_list& sizes = scenarios::row(quantity.key).finalizers;
  int chosen = sizes.smoke();
  for (const int n : sizes) chosen = !smoke && n <= control_size ? n : chosen;
  return chosen;
}

}  // namespace

std::optional<std::string> register_pair(session& all) {
  const options& asked = all.asked;
  for (const std::string& quantity : asked.quantities) {
    for (const std::string& name : {asked.pair_a, asked.pair_b}) {
      if (auto complaint = complaint_about(name, quantity)) return complaint;
    }
    for (const int n : scenarios::row(find_quantity(quantity)->key).finalizers) {
      add(all, asked.pair_a, asked.pair_b, quantity, n);
      for (const std::string& name : {asked.pair_a, asked.pair_b})
        add_controls(all, spoken(name).base, quantity, n);
      if (asked.smoke) break;
    }
  }
  return std::nullopt;
}

void register_control_pairs(session& all) {
  const auto& wanted = all.asked.quantities;
  for (const instance& i : instances()) {
    const std::string_view quantity = name_of(*i.quantity);
    const bool is_asked = std::find(wanted.begin(), wanted.end(), quantity) != wanted.end();
    if (!is_asked && i.code->kind != row_kind::floor) continue;
    const int n = size_for_controls(*i.quantity, all.asked.smoke);
    if (i.is_planted) {
      add(all, i.code->name, i.subject, quantity, n);
    } else {
      add_controls(all, i.subject, quantity, n);
    }
  }
}

}  // namespace threadref::bench
