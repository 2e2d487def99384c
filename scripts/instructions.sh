#!/usr/bin/env bash
#
# usage: scripts/instructions.sh [--subject NAME...] [--quantity NAME...] [--runs N] [--out FILE]
#
# Counts, under callgrind, the instructions that one more registration, exit or cancellation takes,
# for every back end, floor and peer. Builds optimised first; then it takes three minutes on two
# cores, and does not care what else they do.
#
#   --subject NAME    only this one; may be given again. `build/release/bin/bench_instructions
#                     --list` names them
#   --quantity NAME   only registration, exit or detach; may be given again
#   --runs N          how often each is counted; default: 12
#   --out FILE        the JSON lines, instead of results/local/<run>/instructions.jsonl
#   --help            this text
#
# A figure is marginal: what 256 take is subtracted from what 1280 take on each of four threads,
# after one thread that did it before. bench/README.md says what is counted, results/README.md what
# the keys mean. An interrupted run writes nothing.
#
# exit status: 0 fine · 1 wrong use · 2 something was lost, doubled or misordered · 3 valgrind is
#              missing or can't count, or the build failed · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM HUP

for argument in "$@"; do
  [[ $argument != --help ]] || help_and_exit
done
# Before the build, which takes minutes.
"$root/scripts/instructions.py" --ready "$@"

step "packages"
"$root/scripts/setup.sh"
build release --target bench_instructions

step "count"
out=$root/results/local/$(run_name)/instructions.jsonl
[[ " $*" == *" --out"* ]] || mkdir -p "$(dirname "$out")"
trap '[[ ! -d ${out%/*} ]] || rmdir --ignore-fail-on-non-empty "${out%/*}"' EXIT
"$root/scripts/instructions.py" --driver "$root/build/release/bin/bench_instructions" \
  --out "$out" "$@"
