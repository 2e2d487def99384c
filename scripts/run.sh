#!/usr/bin/env bash
#
# usage: scripts/run.sh [--quick] [--out DIR]
#
# Shows what thread-exit cleanup costs on this machine, per back end, and in which order it runs:
# installs what is missing, builds optimised, measures in one process, draws pictures. Takes under
# five minutes on two cores.
#
#   --quick     each benchmark at its smallest useful size: under a minute after the build
#   --out DIR   write there instead of results/local/<run>/
#   --help      this text
#
# Writes bench.txt (the table on the terminal), bench.json (Google Benchmark's format),
# samples.jsonl (every sample), exit_latency and cost as .svg and .png; results/README.md explains
# the keys. results/local/latest leads to the newest run. One process is one accident of memory
# layout: differences of a few percent mean nothing here.
#
# exit status: 0 fine · 1 wrong use · 2 something was lost, doubled or misordered · 3 a crash, or
#              the build failed · 4 a canary was not caught · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

bench_options=()
out=
while (($#)); do
  case $1 in
    --quick) bench_options+=(--smoke) ;;
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

name=$(run_name)
if [[ -z $out ]]; then
  out=$root/results/local/$name
  link=$root/results/local/latest
fi
mkdir -p "$out" || fail "$misuse" "cannot create $out (the reason is above)"
out=$(cd "$out" && pwd)
trap 'rmdir --ignore-fail-on-non-empty "$out"' EXIT  # nothing was measured: leave nothing

step "packages"
"$root/scripts/setup.sh"
build release

step "measure (one process)"
# The table is for people, the JSON beside it for programs.
status=$fine
"$root/build/release/bin/bench_threadref" --benchmark_filter=finalize \
  --benchmark_out="$out/bench.json" --benchmark_out_format=json \
  --samples="$out/samples.jsonl" "${bench_options[@]}" | tee "$out/bench.txt" || status=$?
if ((status == misuse)) || ((status > uncaught && status != interrupted)); then
  note "bench_threadref ended with $status"
  status=$unusable
fi

step "draw"
"$root/scripts/pictures.py" --bench "$out/bench.json" --samples "$out/samples.jsonl" \
  --out "$out" --title "one process, $name" >/dev/null || ((status)) || status=$unusable

if [[ -n ${link:-} ]]; then
  ln -sfn "$name" "$link"
fi
step "results"
echo "  table     $out/bench.txt"
echo "  numbers   $out/bench.json"
echo "  samples   $out/samples.jsonl"
echo "  pictures  $out/exit_latency.svg  $out/cost.svg  (and .png)"
[[ -z ${link:-} ]] || echo "  newest    $link"
echo "  one process: for what runs differ by, measure again; for nights, scripts/nightly.sh"
exit "$status"
