// SPDX-License-Identifier: MIT
#include "stress/cli/options.hpp"

#include <absl/time/time.h>
#include <regex.h>

#include <algorithm>
#include <charconv>

#include "testing/check.hpp"
#include "testing/text.hpp"
#include "threadref/detail/points.hpp"

namespace threadref::stress {

namespace {

using messages = std::vector<std::string>;

// False unless the whole text is a number.
template <class N>
bool is_number(std::string_view digits, N& into, int base = 10) {
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, into, base);
  return error == std::errc{} && stop == end;
}
// Without letters, only a full-length hash counts as one: shorter digits are a number.
bool is_hash(std::string_view digits) {
  constexpr std::string_view decimal = "0123456789";
  constexpr std::string_view all = "0123456789abcdefABCDEF";
  const bool has_letter = digits.find_first_not_of(decimal) != std::string_view::npos;
  return digits.find_first_not_of(all) == std::string_view::npos && digits.size() <= 64 &&
         digits.size() >= (has_letter ? 7U : 40U);
}

// A number, 0x and hexadecimal digits, or a commit hash, of which the first 16 digits count.
void parse_seed(std::string_view given, options& into, messages& errors) {
  if (given.empty()) return;
  std::uint64_t seed = 0;
  const bool is_hex = given.starts_with("0x") || given.starts_with("0X");
  if (is_number(given, seed) || (is_hex && is_number(given.substr(2), seed, 16)) ||
      (is_hash(given) && is_number(given.substr(0, 16), seed, 16))) {
    into.seed = seed;
    return;
  }
  errors.push_back(
      testing::concat("--seed=", given,
                      " is not a seed; give a number up to 2^64-1, hexadecimal digits after 0x, "
                      "or a commit hash of at least 7 digits"));
}

void parse_time(const std::string& given, options& into, messages& errors) {
  if (given.empty()) return;
  absl::Duration time;
  if (!absl::ParseDuration(given, &time) || time == absl::InfiniteDuration()) {
    errors.push_back(testing::concat(
        "--time=", given, " is not a duration; give one such as 500ms, 90s, 3m or 1h30m"));
  } else if (time < absl::Milliseconds(1) || time > absl::Hours(24 * 30)) {
    errors.push_back(
        testing::concat("--time=", given, " is out of range; give between 1ms and 720h"));
  } else {
    into.seconds = absl::ToDoubleSeconds(time);
  }
}

void parse_count(std::string_view flag, const std::string& given, int most, int& into,
                 messages& errors) {
  if (given.empty()) return;
  int count = 0;
  if (!is_number(given, count) || count < 1 || count > most) {
    errors.push_back(testing::concat("--", flag, "=", given,
                                     " is not possible; give a whole number from 1 to ", most));
  } else {
    into = count;
  }
}

void parse_names(const flag_values& given, const names& known, options& into, messages& errors) {
  std::vector<std::string_view> valid = known.backends;
  if (given.canaries) valid = known.canaries;
  if (given.rare) valid = known.rare;
  if (valid.empty()) {
    errors.emplace_back("this program was built without canaries; the preset release has them");
  } else if (!given.backend.empty() &&
             std::find(valid.begin(), valid.end(), given.backend) == valid.end()) {
    errors.push_back(testing::concat("there is no ",
                                     given.canaries || given.rare ? "canary" : "back end", " '",
                                     given.backend, "'; valid: ", join_names(valid)));
  }
  into.backend = given.backend;
  if (const std::string why = pattern::error_in(given.filter); !why.empty()) {
    errors.push_back(
        testing::concat("--filter=", given.filter, " is not a regular expression: ", why));
  }
  into.filter = given.filter;
}

void parse_points(const std::string& given, options& into, messages& errors) {
  if (given.empty()) return;
  into.points_given = true;
  if (given == "none") return;
  const std::vector<std::string_view> valid(std::begin(detail::point_names),
                                            std::end(detail::point_names));
  for (std::string_view rest = given; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    if (std::find(valid.begin(), valid.end(), one) == valid.end())
      errors.push_back(testing::concat("there is no point '", one, "'; valid: ", join_names(valid),
                                       ", or none"));
    into.points.emplace_back(one);
  }
}

void parse_hidden(const flag_values& given, options& into, messages& errors) {
  if (!given.child.empty()) {
    into.what = task::child;
    into.child = given.child;
    if (!is_number(given.child_ledger, into.child_ledger))
      errors.push_back("--child needs --child_ledger; neither is for users");
  }
  if (!given.act.empty()) {
    into.what = task::run_event;
    into.event_trial = given.act;
    if (!is_number(given.child_ledger, into.child_ledger))
      errors.emplace_back("--act needs --child_ledger; neither is for users");
  }
  if (given.plant == "hang") into.plant = planted::hang;
  if (given.plant == "crash") into.plant = planted::crash;
  if (given.plant == "bad_outcome") into.plant = planted::bad_outcome;
  if (given.plant == "killed_child") into.plant = planted::killed_child;
}

void refuse_contradictions(const flag_values& given, messages& errors) {
  if (given.list && given.describe)
    errors.emplace_back("--list and --describe exclude each other; give only one");
  const char* answer = given.list ? "--list" : given.describe ? "--describe" : nullptr;
  if (answer != nullptr) {
    if (given.smoke || !given.time.empty() || !given.json.empty())
      errors.push_back(
          testing::concat(answer, " runs nothing; leave out --smoke, --time and --json"));
  }
  if (given.describe && (!given.filter.empty() || !given.backend.empty()))
    errors.emplace_back("--describe prints everything; use --list with --filter and --backend");
  if (given.rare && (given.canaries || given.smoke || given.matrix || given.shrink))
    errors.emplace_back(
        "--rare can't be combined with --canaries, --smoke, --matrix or --shrink; it runs until "
        "every "
        "fault is caught, at most for --time");
  if (!given.out.empty() && !given.matrix)
    errors.emplace_back("--out is the folder for the matrix's documents; give --matrix with it");
  if (given.matrix && (!given.time.empty() || !given.threads.empty() || !given.finalizers.empty()))
    errors.emplace_back(
        "the matrix has sizes of its own; leave out --time, --threads, --finalizers");
  if (given.shrink && (given.seed.empty() || given.filter.empty() || given.smoke || given.matrix))
    errors.emplace_back(
        "--shrink needs the --filter and --seed of one failing cell, and has sizes of its own");
  if (given.smoke && !given.time.empty())
    errors.emplace_back(
        "--smoke plays one round of each cell, however long that takes; leave out --time");
  if (given.smoke && (!given.threads.empty() || !given.finalizers.empty())) {
    errors.emplace_back(
        "--smoke has sizes of its own; leave it out to choose --threads or --finalizers");
  }
}

}  // namespace

parsed parse(const flag_values& given, const names& known) {
  options o;
  messages errors;
  for (const std::string& u : given.unexpected)
    errors.push_back(testing::concat("'", u, "' is not a flag; all flags begin with --"));
  if (given.list) o.what = task::list;
  if (given.describe) o.what = task::describe;
  o.smoke = given.smoke;
  o.canaries = given.canaries || given.rare;
  o.rare = given.rare;
  o.json = given.json;
  o.matrix = given.matrix;
  o.shrink = given.shrink;
  o.out = given.out;
  parse_names(given, known, o, errors);
  parse_seed(given.seed, o, errors);
  parse_time(given.time, o, errors);
  parse_points(given.points, o, errors);
  parse_count("threads", given.threads, threads_most, o.threads, errors);
  parse_count("finalizers", given.finalizers, finalizers_most, o.finalizers, errors);
  constexpr std::int64_t ledger_most = 100'000'000;
  if (std::int64_t{o.threads} * o.finalizers > ledger_most) {
    errors.push_back(testing::concat("--threads times --finalizers is ",
                                     std::int64_t{o.threads} * o.finalizers,
                                     "; the ledger has room for at most ", ledger_most));
  }
  parse_hidden(given, o, errors);
  refuse_contradictions(given, errors);
  if (!errors.empty()) return errors;
  return o;
}

std::string join_names(const std::vector<std::string_view>& names) {
  std::string all;
  for (std::size_t i = 0; i != names.size(); ++i)
    all += testing::concat(i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return all;
}

std::string pattern::error_in(const std::string& expression) {
  regex_t r;
  const int error = regcomp(&r, expression.c_str(), REG_EXTENDED | REG_NOSUB);
  if (error == 0) {
    regfree(&r);
    return {};
  }
  char why[128];
  regerror(error, &r, why, sizeof why);
  return why;
}

pattern::pattern(const std::string& expression) : compiled_(new regex_t) {
  THREADREF_CHECK(
      regcomp(static_cast<regex_t*>(compiled_), expression.c_str(), REG_EXTENDED | REG_NOSUB) == 0,
      "regcomp of a pattern that was valid");
}

pattern::~pattern() {
  auto* r = static_cast<regex_t*>(compiled_);
  regfree(r);
  delete r;
}

bool pattern::found_in(const std::string& text) const {
  return regexec(static_cast<const regex_t*>(compiled_), text.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace threadref::stress
