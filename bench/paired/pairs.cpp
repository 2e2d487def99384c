// SPDX-License-Identifier: MIT
#include "paired/pairs.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "measure.hpp"
#include "paired/face.hpp"
#include "statistics.hpp"
#include "text.hpp"

namespace threadref::bench {

namespace {

using threadref_pairs::instance;
using threadref_pairs::sampler;
using threadref_pairs::subject_kind;
using instance_list = std::vector<instance>;

constexpr std::string_view clone_suffix = "_clone";
using threadref_pairs::planted_suffix;
// Smaller differences are not told from none.
constexpr double least_change = 0.02;

// Both compilations of everything, in the same order: [0] as it stands, [1] the clone.
const instance_list& compiled(int which) {
  static const instance_list both[] = {threadref::bench::instances(),
                                       threadref_clone::bench::instances()};
  return both[which];
}

const instance* find(int which, std::string_view subject, std::string_view quantity) {
  for (const instance& i : compiled(which)) {
    if (i.subject == subject && i.quantity == quantity) return &i;
  }
  return nullptr;
}

struct pair {
  const instance* a;
  const instance* b;
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

// Which of the two compilations each side uses: bit 0 of the layout for A, bit 1 for B. A function
// and itself are one compilation, and so are those with and without planted work, which is all that
// differs there; a function and its clone are both.
pair pick(const options& asked, const spoken& a, const spoken& b, std::string_view quantity) {
  const int of_a = (asked.layout & 1) ^ static_cast<int>(a.is_clone);
  const bool is_one = a.base == b.base || b.base == concat(a.base, planted_suffix);
  const int of_b = is_one ? of_a ^ static_cast<int>(a.is_clone != b.is_clone)
                          : (asked.layout >> 1) ^ static_cast<int>(b.is_clone);
  return {find(of_a, a.base, quantity), find(of_b, b.base, quantity)};
}

// The regions of one side, a block a pair.
struct side {
  const instance* from;
  int n;
  std::vector<samples> blocks;
  samples empty;
  std::uint64_t faults = 0;

  // Each block begins anew, in the memory that the block of the other side has just given back: two
  // places of data differ as much as two places of code (9 % of an exit were seen).
  void take_block(int threads) {
    const std::unique_ptr<sampler> source = from->open(n);
    samples& block = blocks.emplace_back();
    for (int i = 0; i != threads; ++i) {
      const threadref_pairs::timed t = source->take();
      block.push_back(static_cast<double>(t.region));
      empty.push_back(static_cast<double>(t.empty));
      faults += t.faults;
    }
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
  samples figures() {
    std::sort(empty.begin(), empty.end());
    const double clock = trimmed_mean(empty).value;
    samples all;
    for (samples& block : blocks) {
      std::sort(block.begin(), block.end());
      all.push_back((trimmed_mean(block).value - clock) / from->operations(n));
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

// What one process can say; pairs over many processes are scripts/pair.sh's.
std::string_view in_words(const interval& ratio) {
  if (ratio.low > 1 + least_change) return "B is slower";
  if (ratio.high < 1 / (1 + least_change)) return "B is faster";
  const bool is_same = ratio.low > 1 / (1 + least_change) && ratio.high < 1 + least_change;
  return is_same ? "same" : "undecided";
}

void run_pair(benchmark::State& state, session& all, const row& of, const pair& p) {
  all.go_solo();
  side a{p.a, of.n, {}, {}};
  side b{p.b, of.n, {}, {}};
  const int threads = threads_of_a_block(of.n, all.asked.smoke);
  bool a_first = true;
  for (auto _ : state) {
    if (a_first) a.take_block(threads);
    b.take_block(threads);
    if (!a_first) a.take_block(threads);
    a_first = !a_first;
    state.SetIterationTime(b.blocks.back().back() * 1e-9 / p.b->operations(of.n));
  }
  if (!judge(state, all, of, {a.faults + b.faults, 0, 0})) return;
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

const scenarios::scenario* row_of(std::string_view quantity) {
  for (const scenarios::scenario& s : scenarios::table) {
    const bool is_bench = scenarios::in(s.tools, scenarios::tool::bench);
    if (is_bench && s.name.substr(s.name.find('/') + 1) == quantity) return &s;
  }
  return nullptr;
}

void add(session& all, std::string_view a, std::string_view b, std::string_view quantity, int n) {
  const pair p = pick(all.asked, spoken(a), spoken(b), quantity);
  const scenarios::scenario& s = *row_of(quantity);
  const std::string name = concat("paired/", a, "_vs_", b, "/", quantity, "/", s.parameter, ":", n);
  if (all.find(name) != nullptr) return;  // a control that both sides share
  const row r{s.key, name, p.a->subject, row_kind::pair, n, 0};
  all.add_row(r);
  const std::string_view of_a = p.a->why_not(n);
  const std::string_view why = of_a.empty() ? p.b->why_not(n) : of_a;
  const auto run = [&all, r, p, why](benchmark::State& state) {
    if (why.empty()) return run_pair(state, all, r, p);
    say_absent(state, all, why);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(why.empty() ? all.pairs(all.asked.pairs) : 1)
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
  for (const instance& i : compiled(0)) {
    if (std::find(all.begin(), all.end(), get(i)) == all.end()) all.push_back(get(i));
  }
  return listed(all);
}

std::optional<std::string> complaint_about(std::string_view name, std::string_view quantity) {
  if (find(0, spoken(name).base, quantity) != nullptr) return std::nullopt;
  return concat("--pair: there is no ", name, " of ", quantity,
                "; quantities: ", names([](const instance& i) { return i.quantity; }),
                "; subjects: ", names([](const instance& i) { return i.subject; }),
                ", each also with _clone");
}

// Large enough for an exact region, small enough for many blocks.
constexpr int control_size = 256;
int size_for_controls(std::string_view quantity) {
  const scenarios::size_list& sizes = row_of(quantity)->finalizers;
  int chosen = sizes.smoke();
  for (const int n : sizes) chosen = n <= control_size ? n : chosen;
  return chosen;
}

}  // namespace

std::optional<std::string> register_pair(session& all) {
  const options& asked = all.asked;
  for (const std::string& quantity : asked.quantities) {
    for (const std::string& name : {asked.pair_a, asked.pair_b}) {
      if (auto complaint = complaint_about(name, quantity)) return complaint;
    }
    for (const int n : row_of(quantity)->finalizers) {
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
  for (const instance& i : compiled(0)) {
    const bool is_asked = std::find(wanted.begin(), wanted.end(), i.quantity) != wanted.end();
    if (!is_asked && i.kind != subject_kind::floor) continue;
    const int n =
        all.asked.smoke ? row_of(i.quantity)->finalizers.smoke() : size_for_controls(i.quantity);
    if (i.kind == subject_kind::planted) {
      add(all, i.subject.substr(0, i.subject.size() - planted_suffix.size()), i.subject, i.quantity,
          n);
    } else {
      add_controls(all, i.subject, i.quantity, n);
    }
  }
}

}  // namespace threadref::bench
