#!/usr/bin/env bash
#
# usage: scripts/compare.sh A B [--filter REGEX] [--processes N] [--out DIR]
#
# Says what became slower or faster from A to B, each of them a commit, a build folder or a results
# folder. Of commits it builds bench_threadref, once; then it starts both programs in turns, ABBA,
# pinned, and compares start by start. A change is one if the whole 99.9 % interval of B / A is
# beyond 2 %, beyond what the floors (whose code is the same) differ by between the two programs,
# and beyond what the clones of the subject differ by inside either; and if a second run finds it
# again. Results folders were not measured in turns: there nothing is confirmed.
#
#   A, B            old and new: `HEAD~10`, `build/release`, `results/local/latest`, ...
#   --filter REGEX  which rows; default: the main ones of the default back end, and their floors
#   --processes N   starts of each; default and least useful number: 20; a row that looks changed
#                   without being certain gets up to four times as many
#   --out DIR       where compare.txt, compare.md and compare.json go; default
#                   results/local/compare-<A>-<B>/
#   --help          this text
#
#   scripts/compare.sh HEAD~1 HEAD --filter 'finalize/exit/(registry|floor_.*)/n:256$'
#
# exit status: 0 nothing is slower · 1 wrong use · 2 a confirmed regression · 3 a build failed, a
#   program crashed or the run is not usable · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

[[ " $* " != *" --help "* ]] || help_and_exit
sides=()
passed=()
out=
while (($#)); do
  case $1 in
    --filter | --processes | --out)
      [[ $# -gt 1 && -n $2 ]] || fail "$misuse" "$1 needs a value after it"
      if [[ $1 == --out ]]; then out=$2; else passed+=("$1=$2"); fi
      shift
      ;;
    -*) unknown_option "$1" ;;
    *) sides+=("$1") ;;
  esac
  shift
done
((${#sides[@]} == 2)) ||
  fail "$misuse" "two sides are needed, A and B, each a commit, a build folder or a results folder"

# What a build depends on beside its commit. Another compiler must not pass for another commit.
toolchain=$( (c++ --version; getconf GNU_LIBC_VERSION; echo "${CXXFLAGS:-}") | sha256sum)

# Prints what stands for a side: a results folder, or a program, which is built if need be. The
# clone of a commit stays, so that the next comparison with it builds nothing.
measurable() {  # measurable <side>
  local commit folder
  if [[ -x $1/bin/bench_threadref ]]; then
    (cd "$1/bin" && echo "$PWD/bench_threadref")
  elif [[ -f $1/bench.json ]]; then
    (cd "$1" && pwd)
  elif commit=$(git -C "$root" rev-parse --verify --quiet --short=12 "$1^{commit}"); then
    folder=$root/build/compare/$commit-${toolchain:0:8}
    if [[ ! -x $folder/build/bin/bench_threadref ]]; then
      step "build $1 ($commit)" >&2
      rm -rf "$folder"
      git clone --quiet --shared "$root" "$folder" >&2 || return "$unusable"
      git -C "$folder" checkout --quiet --detach "$commit" >&2 || return "$unusable"
      cmake -S "$folder" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DTHREADREF_BUILD_TESTS=OFF -DTHREADREF_BUILD_STRESS=OFF >&2 || return "$unusable"
      cmake --build "$folder/build" --parallel "$jobs" >&2 ||
        return "$unusable"
    fi
    touch "$folder"  # in use: nightly.sh removes what was not for a month
    echo "$folder/build/bin/bench_threadref"
  else
    fail "$misuse" "'$1' is no commit, no build folder and no results folder"
  fi
}

"$root/scripts/setup.sh" >&2
a=$(measurable "${sides[0]}")
b=$(measurable "${sides[1]}")
plain() { tr -c 'A-Za-z0-9._\n-' '_' <<<"$1"; }
: "${out:=$root/results/local/compare-$(plain "${sides[0]}")-$(plain "${sides[1]}")}"
exec "$root/scripts/compare.py" --names "${sides[0]}" "${sides[1]}" --measurable "$a" "$b" \
  --out "$out" "${passed[@]}"
