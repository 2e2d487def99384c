#!/usr/bin/env bash
#
# usage: scripts/nightly.sh [--machine NAME] [--quick] [--results DIR]
#
# One night: builds, measures (release), stresses under the thread sanitizer for a minute, proves
# that the canaries are caught and the mutants killed, judges the targets of the default back end,
# stores every row and rewrites the dashboard; then the tests that are too slow for every change,
# and those of the slow presets: the clang builds, valgrind and aarch64.
#
#   --machine NAME  whose results these are; default $THREADREF_MACHINE, else this host's name
#   --quick         smallest useful sizes, without mutants and slow tests, to try it out; the page
#                   says so
#   --results DIR   where results live; default results/ of this repository
#   --help          this text
#
# Stores  <results>/<machine>/<yyyy>/<run>.jsonl   one line a row, whole or not at all
#         <results>/dashboard/index.html           all nights of all machines, opens without server
#         <results>/local/nightly/<run>/           raw output and logs, removed after 30 days
#
# For cron, `crontab -e` (a mail arrives only when something is wrong):
#   17 2 * * *  <checkout>/scripts/nightly.sh >~/threadref.log 2>&1 || cat ~/threadref.log
# As another user than root, run scripts/setup.sh once by hand before. Nothing is committed:
# `git add results && git commit` whenever the history should be shared.
#
# exit status, the worst of: 0 fine · 1 wrong use, or results cannot be written · 2 a forbidden
#   outcome in stress, something lost, doubled or misordered in bench, a target missed that is not
#   listed, or a mutant survived · 3 a program crashed, the build failed, the run is not usable, or
#   another night still runs · 4 a canary was not caught · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

machine=${THREADREF_MACHINE:-}
results=$root/results
quick=()
bench_options=()
stress_seconds=60
rare_seconds=300  # at most: until each is caught
slow_presets=(clang-release clang19-tsan clang-asan memcheck aarch64)
while (($#)); do
  case $1 in
    --machine | --results)
      [[ $# -gt 1 && -n $2 ]] || fail "$misuse" "$1 needs a value after it"
      if [[ $1 == --machine ]]; then machine=$2; else results=$2; fi
      shift
      ;;
    --quick)
      quick=(--quick)
      bench_options=(--smoke)
      stress_seconds=5
      ;;
    --help) help_and_exit ;;
    *) unknown_option "$1" ;;
  esac
  shift
done
if [[ -z $machine ]]; then
  machine=$(uname -n | tr '[:upper:]' '[:lower:]' | sed 's/\..*//; s/[^a-z0-9_-]/-/g; s/^[-_]*//')
  machine=${machine:0:40}
fi

# shellcheck disable=SC2317  # called by the trap
on_signal() {
  if [[ -n $child ]]; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" || true
  fi
  note "interrupted: nothing was stored"
  exit "$interrupted"
}
trap on_signal INT TERM

statuses=()
keep() {  # keep <name> <status> <log>: for the record, and said at once when it is bad
  statuses+=(--status "$1=$2")
  if (($2)); then
    note "$1 ended with $2; the end of $3:"
    tail -n 15 "$3" >&2 || true
  fi
}

mkdir -p "$root/build"
exec 9>"$root/build/nightly.lock"
flock -n 9 || fail "$unusable" "another night still runs here (build/nightly.lock is held)"

step "packages"
"$root/scripts/setup.sh"
# Before the long run, not after it.
"$root/scripts/store.py" ready --results "$results" --machine "$machine"
results=$(cd "$results" && pwd)
started=$(date -u +%Y-%m-%dT%H:%M:%SZ)
run=$(run_name)
raw=$results/local/nightly/$run
mkdir -p "$raw"
find "$results/local/nightly" -mindepth 1 -maxdepth 1 -type d -name '20*Z-*' -mtime +30 \
  -exec rm -rf {} +

for preset in release tsan; do
  step "build $preset ($jobs jobs)"
  logged "$raw/build-$preset.log" build "$preset" || {
    tail -n 30 "$raw/build-$preset.log" >&2
    fail "$unusable" "preset $preset did not build (log: $raw/build-$preset.log)"
  }
done
bench=$root/build/release/bin/bench_threadref
stress=$root/build/tsan/bin/stress_threadref
read -ra prefix <<<"$(tsan_prefix)"

step "measure"
code=0
logged "$raw/bench.log" "$bench" --benchmark_filter=finalize \
  --benchmark_out="$raw/bench.json" --benchmark_out_format=json \
  --samples="$raw/samples.jsonl" "${bench_options[@]}" || code=$?
keep bench "$code" "$raw/bench.log"

step "stress under the thread sanitizer, $stress_seconds s"
code=0
# The scenarios, whose cells have one slash: the matrix makes few threads, and its tests play it.
logged "$raw/stress.log" "${prefix[@]}" "$stress" --time="${stress_seconds}s" \
  --filter='^[a-z_]+/[a-z0-9_]+$' --json="$raw/stress.json" || code=$?
keep stress "$code" "$raw/stress.log"

# The back ends broken on purpose. Not under the sanitizer: its report would hide whether the
# programs themselves noticed.
step "canaries"
code=0
logged "$raw/bench-canaries.log" "$bench" --canaries || code=$?
keep bench_canaries "$code" "$raw/bench-canaries.log"
code=0
logged "$raw/stress-canaries.log" "$root/build/release/bin/stress_threadref" --canaries ||
  code=$?
keep stress_canaries "$code" "$raw/stress-canaries.log"
code=0
logged "$raw/stress-rare.log" "$root/build/release/bin/stress_threadref" --rare \
  --time="${rare_seconds}s" --json="$raw/stress-rare.json" || code=$?
keep stress_rare "$code" "$raw/stress-rare.log"
grep 'was caught by' "$raw/stress-rare.log" || true

step "targets"
code=0
logged "$raw/targets.log" "$root/scripts/targets.sh" "${quick[@]}" --out "$raw/targets.json" ||
  code=$?
keep targets "$code" "$raw/targets.log"
tail -n 1 "$raw/targets.log"

if ((${#quick[@]} == 0)); then
  step "mutants"
  code=0
  logged "$raw/mutants.log" "$root/scripts/mutate.sh" --out "$raw/mutants.json" || code=$?
  keep mutants "$code" "$raw/mutants.log"
  tail -n 1 "$raw/mutants.log"
fi

step "store"
described=()
for program_path in "$bench" "$stress"; do
  description=$raw/$(basename "$program_path")-describe.json
  if "$program_path" --describe >"$description" 2>>"$raw/describe.log"; then
    described+=(--describe "$description")
  else
    note "$(basename "$program_path") --describe failed: holes may go unseen this night"
  fi
done
status=$fine
"$root/scripts/store.py" add --results "$results" --machine "$machine" --run "$run" \
  --started "$started" "${quick[@]}" "${statuses[@]}" "${described[@]}" \
  --bench "$raw/bench.json" --stress "$raw/stress.json" || status=$?

step "page"
page_status=$fine
"$root/scripts/page.py" --results "$results" || page_status=$?
((page_status <= status)) || status=$page_status

if ((${#quick[@]} == 0)); then
  step "the slow tests"
  code=0
  logged "$raw/slow.log" "$root/scripts/test.sh" --nightly --preset release || code=$?
  tail -n 1 "$raw/slow.log"
  ((code <= status)) || status=$code

  step "the slow presets"
  code=0
  logged "$raw/presets.log" "$root/scripts/test.sh" --preset "${slow_presets[@]}" || code=$?
  tail -n 1 "$raw/presets.log"
  ((code <= status)) || status=$code
fi

step "done, status $status"
exit "$status"
