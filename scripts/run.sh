#!/usr/bin/env bash
#
# usage: scripts/run.sh [--all | --full | --quick] [--out DIR]
#
# Shows what thread-exit cleanup costs on this machine, per back end, and in which order it runs:
# installs what is missing, builds optimised, measures in one process, draws pictures, and writes
# it all on one page, report.html. About five minutes from a fresh clone on two cores, most of it
# compiling.
#
#   (nothing)   what finalizers cost: every back end, floor and peer with 1, 16 and 256 of them, one
#               row with other threads coming and going, and the order in which they run
#   --all       all sizes, and the rows about refs, memory and workers: about 15 minutes
#   --full      as --all in 20 process starts instead of one, then the controls, sweeps, allocators
#               and instructions: over an hour
#   --quick     every row of --all at its smallest size; no figure of it means anything
#   --out DIR   write there instead of results/local/<run>/
#   --help      this text
#
# Writes report.html, bench.txt (the table on the terminal), bench.json (Google Benchmark's format),
# samples.jsonl (every sample), exit_latency and cost as .svg and .png; results/docs/keys.md
# explains all files and keys. results/local/latest leads to the newest run. One process has
# one memory layout: differences of a few percent mean nothing without --full.
#
# exit status, the worst of all parts: 0 fine · 1 wrong use · 2 something was lost, doubled or
#   misordered · 3 a crash, or the build failed · 4 a canary was not caught, or a control failed
#   130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

readonly process_starts=20
bench_options=()
extent=
out=
choose() {
  [[ -z $extent ]] || fail "$misuse" "$extent and $1 exclude each other"
  extent=$1
}
while (($#)); do
  case $1 in
    --all | --full | --quick) choose "$1" ;;
    --out)
      [[ $# -gt 1 && -n $2 ]] || fail "$misuse" "--out needs a folder after it"
      out=$2
      shift
      ;;
    --help) help_and_exit ;;
    *) unknown_option "$1" ;;
  esac
  shift
done

# What is built and measured. Sweeps take minutes each, so they are part of --full only.
targets=(bench_threadref)
filter='^(finalize|ref|memory|worker)/'
case $extent in
  --all) targets+=(bench_memory) ;;
  --full) targets+=(bench_memory bench_instructions bench_plugins) ;;
  --quick)
    targets+=(bench_memory)
    bench_options+=(--smoke)
    ;;
  *) filter='^finalize/[a-z_]*/[a-z0-9_]*/(n:(0|1|2|16|256)(/churn:[0-9]*)?|alive:1)$' ;;
esac

name=$(run_name)
if [[ -z $out ]]; then
  out=$root/results/local/$name
  link=$root/results/local/latest
fi
mkdir -p "$out" || fail "$misuse" "cannot create $out (the reason is above)"
out=$(cd "$out" && pwd)
trap 'rmdir --ignore-fail-on-non-empty "$out"' EXIT  # nothing was measured: leave nothing

steps=()
# Wall and CPU seconds of everything since the last call, the children's included.
lap() {  # lap <what>
  local now=$SECONDS cpu
  times >"$out/times"  # not through a pipe, whose processes have children of their own
  cpu=$(awk -F '[ms ]' 'NR == 2 {printf "%.0f", $1 * 60 + $2 + $4 * 60 + $5}' "$out/times")
  rm "$out/times"
  steps+=("$(printf '%-9s %5d s, %d s of CPU' "$1" $((now - lap_wall)) $((cpu - lap_cpu)))")
  lap_wall=$now
  lap_cpu=$cpu
}
lap_wall=$SECONDS
lap_cpu=0

step "packages"
"$root/scripts/setup.sh"
lap packages
step "build (about two minutes from nothing on two cores)"
configure release >"$out/configure.log" || { cat "$out/configure.log"; exit "$unusable"; }
rm "$out/configure.log"
compile release --target "${targets[@]}"
lap build

status=$fine
keep() {  # keep <what> <status>: the worst counts, and what no list knows is a crash
  local code=$2
  ((code)) || return 0
  ((code != interrupted)) || exit "$interrupted"
  note "$1 ended with $code"
  ((code != misuse && code <= uncaught)) || code=$unusable
  ((code <= status)) || status=$code
}

bench_options+=("--benchmark_filter=$filter" --benchmark_out_format=json)
bench=$root/build/release/bin/bench_threadref
"$bench" --describe >"$out/describe.json"
step "measure, in one process"
# The table is for people, the JSON beside it for programs.
code=0
"$bench" "${bench_options[@]}" --benchmark_out="$out/bench.json" \
  --samples="$out/samples.jsonl" | tee "$out/bench.txt" || code=$?
keep bench_threadref "$code"
lap measure

more_processes() {
  local number code
  for ((number = 2; number <= process_starts; ++number)); do
    echo "process $number of $process_starts"
    code=0
    "$bench" "${bench_options[@]}" >"$out/process.log" \
      --benchmark_out="$(printf '%s/process-%02d.json' "$out" "$number")" || code=$?
    ((code == fine)) || tail -n 15 "$out/process.log" >&2
    keep "process $number" "$code"
  done
  rm "$out/process.log"
}

part() {  # part <command of lab> <arguments...>: a part of --full
  step "$*"
  local code=0
  "$lab" "$@" || code=$?
  keep "$1" "$code"
}

if [[ $extent == --full ]]; then
  step "measure ($process_starts process starts in all)"
  more_processes
  part pair --controls --pairs 60 --out "$out/pairs.jsonl"
  part sweep --out "$out"
  part instructions --out "$out/instructions.jsonl"
  lap "the rest"
fi

step "draw"
"$lab" pictures --bench "$out/bench.json" --samples "$out/samples.jsonl" \
  --out "$out" --title "one process, $name" >/dev/null || ((status)) || status=$unusable
"$lab" report "$out" >/dev/null || ((status)) || status=$unusable
lap draw

if [[ -n ${link:-} ]]; then
  ln -sfn "$name" "$link"
fi
step "results"
echo "  report    $out/report.html"
echo "  table     $out/bench.txt"
echo "  numbers   $out/bench.json"
echo "  samples   $out/samples.jsonl"
echo "  pictures  $out/exit_latency.svg  $out/cost.svg  (and .png)"
[[ -z ${link:-} ]] || echo "  newest    $link"
printf '  %s\n' "${steps[@]}"
case $extent in
  --full) ;;
  --all | --quick) echo "  one process: for what processes differ by, --full; nights: nightly.sh" ;;
  *) echo "  more rows and all sizes: --all; what processes differ by: --full" ;;
esac
exit "$status"
