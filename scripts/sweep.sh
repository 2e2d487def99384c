#!/usr/bin/env bash
#
# usage: scripts/sweep.sh --out DIR [--quick]
#
# Says what the figures depend on: how they move while one thing grows (finalizers, keys, threads
# alive and at once, loaded shared objects, the size of a function object, how the library is
# reached), and from one allocator to the next. Takes some minutes; bench/README.md, "Sweeps", says
# what each asks.
#
#   --out DIR   write there; made if need be
#   --quick     only the smallest value of each, and few threads: no figures
#   --help      this text
#
# Writes sweep.json (the rows sweep/...) and allocator-<name>.json for glibc, jemalloc, tcmalloc and
# mimalloc, each put in place by LD_PRELOAD and only kept if the program says that it had it.
# results/README.md explains the keys. Prints the two tables at the end.
#
# exit status: 0 fine · 1 wrong use · 2 something was lost, doubled or misordered · 3 a crash, the
#              build failed, or a row had not what it needs · 130 interrupted
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
[[ -n $out ]] || fail "$misuse" "say where to write to: --out DIR"
mkdir -p "$out" || fail "$misuse" "cannot create $out (the reason is above)"
out=$(cd "$out" && pwd)

status=$fine
worst() { if (($1 > status)); then status=$1; fi; }

measure() {  # measure <file> <filter>, with whatever LD_PRELOAD is
  local ended=$fine
  "$root/build/release/bin/bench_threadref" --benchmark_filter="$2" "${bench_options[@]}" \
    --benchmark_out="$1" --benchmark_out_format=json >"$log" || ended=$?
  if ((ended == fine)); then return; fi
  grep FAILED "$log" >&2 || true
  note "bench_threadref ended with $ended"
  if ((ended == interrupted)); then exit "$interrupted"; fi
  if ((ended == misuse || ended > uncaught)); then ended=$unusable; fi
  worst "$ended"
}

log=$(mktemp)
trap 'rm -f "$log" "$out"/unchecked.json; rmdir --ignore-fail-on-non-empty "$out"' EXIT
unset LD_PRELOAD
"$root/scripts/setup.sh"
build release --target bench_threadref bench_plugins

step "sweeps"
rm -f "$out"/sweep.json "$out"/allocator-*.json
measure "$out/sweep.json" '^sweep/'

rows='^finalize/(registration|first_registration|exit)/[a-z0-9_]+/n:(1|16)$'
known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
while read -r name object package; do
  step "allocator $name"
  rm -f "$out/unchecked.json"
  if [[ $object == none ]]; then
    measure "$out/unchecked.json" "$rows"
  elif [[ $known != *"$object "* ]]; then
    note "$name is not here; Debian's package $package has it"
    continue
  else
    LD_PRELOAD=$object measure "$out/unchecked.json" "$rows"
  fi
  [[ -s $out/unchecked.json ]] || continue
  if "$root/scripts/sweeps.py" --made-with "$name" "$out/unchecked.json"; then
    mv "$out/unchecked.json" "$out/allocator-$name.json"
  else
    note "no figures of $name are kept"
    worst "$unusable"
  fi
done < <("$root/scripts/sweeps.py" --allocators)

step "results"
"$root/scripts/sweeps.py" "$out" || worst $?
exit "$status"
