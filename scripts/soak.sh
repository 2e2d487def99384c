#!/usr/bin/env bash
#
# usage: scripts/soak.sh [DURATION] [--tool NAME...] [--no-build] [--out FOLDER] [-- FLAG...]
#
# Lets threads come and go under each tool for that long: all scenarios of stress_threadref on all
# back ends. Then one table: threads, finalizers, what was lost or doubled, what the tools reported,
# and how memory grew.
#
#   DURATION        of each tool: 10m, 90s, 1h30m; default 10m
#   --tool NAME...  of these only:
#                     release        optimised
#                     asan           address and undefined-behaviour sanitizers
#                     tsan           thread sanitizer of g++-12; at most 1,000 threads at once
#                     clang19-tsan   that of clang-19; started anew before five million threads,
#                                    since it keeps something of each
#                     memcheck       release, under valgrind; at most 256 threads at once, without
#                                    the pool, whose child process valgrind does not start
#   --no-build      plays the programs as they are
#   --out FOLDER    where all goes; default results/local/soak/<run>/
#   -- FLAG...      for stress_threadref, such as --filter=^mixed/ or --threads=64
#   --help          this text
#
# Leaves <out>/soak.json, the table as one JSON document, and of each run <tool>-<n>.json, what the
# program wrote, and <tool>-<n>.log, what it said. A tool whose run finds something or crashes is
# not started again. Ctrl-C ends the run of now, with its tally so far; the table follows.
#
# exit status, the worst of: 0 fine · 1 wrong use · 2 a forbidden outcome · 3 a crash, a report of a
#   tool, or a build that failed · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all_tools=(release asan tsan clang19-tsan memcheck)
tools=()
duration=10m
out=$root/results/local/soak/$(run_name)
flags=()
building=yes
while (($#)); do
  case $1 in
    --tool)
      [[ $# -gt 1 && $2 != --* ]] || fail "$misuse" "--tool needs at least one name after it"
      while [[ $# -gt 1 && $2 != --* ]]; do
        [[ " ${all_tools[*]} " == *" $2 "* ]] ||
          fail "$misuse" "there is no tool '$2'; valid: ${all_tools[*]}"
        tools+=("$2")
        shift
      done
      ;;
    --out)
      [[ $# -gt 1 && -n $2 ]] || fail "$misuse" "--out needs a folder after it"
      out=$2
      shift
      ;;
    --no-build) building= ;;
    --)
      flags=("${@:2}")
      break
      ;;
    --help) help_and_exit ;;
    -*) unknown_option "$1" ;;
    *) duration=$1 ;;
  esac
  shift
done
((${#tools[@]})) || tools=("${all_tools[@]}")
[[ $duration =~ ^(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?$ && $duration == *[1-9]* ]] ||
  fail "$misuse" "'$duration' is no duration; give one such as 90s, 10m or 1h30m"
seconds=$((10#0${BASH_REMATCH[2]} * 3600 + 10#0${BASH_REMATCH[4]} * 60 + 10#0${BASH_REMATCH[6]}))
mkdir -p "$out" || fail "$misuse" "--out $out can't be made (the reason is above)"
[[ ! -e $out/runs.jsonl ]] || fail "$misuse" "$out holds another soak; give another --out"
out=$(cd "$out" && pwd)

stopped=
# shellcheck disable=SC2317  # called by the trap
on_signal() {
  stopped=yes
  # The program prints its tally and ends; the loop below goes on from there.
  [[ -z $child ]] || kill -INT -- "-$child" 2>/dev/null || true
}
trap on_signal INT TERM

preset_of() { if [[ $1 == memcheck ]]; then echo release; else echo "$1"; fi; }

command_of() {  # command_of <tool>: how its program is started, in the array `command`
  command=("$root/build/$(preset_of "$1")/bin/stress_threadref")
  case $1 in
    memcheck)
      command=(valgrind --quiet --error-exitcode=66 --fair-sched=yes --num-callers=30
        --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite
        "--suppressions=$root/impl/conformance/harness/memcheck.supp" "${command[@]}" --threads=256)
      ;;
    *tsan)
      local prefix
      read -ra prefix <<<"$(tsan_prefix)"
      command=("${prefix[@]}" "${command[@]}")
      # g++-12's takes memory with the square of the threads: 17 GB for 4,000.
      [[ $1 != tsan ]] || command+=(--threads=1000)
      ;;
  esac
}

run_once() {  # run_once <tool> <number> <seconds>: its status is the program's
  local name=$1-$2 began=$SECONDS code=0
  echo "$name: $3 s, log: $out/$name.log"
  logged "$out/$name.log" "${command[@]}" "--filter=$scenarios" "--time=$3s" \
    "--json=$out/$name.json" "${flags[@]}" || code=$?
  printf '{"tool": "%s", "run": %d, "wall_seconds": %d, "status": %d}\n' \
    "$1" "$2" $((SECONDS - began)) "$code" >>"$out/runs.jsonl"
  tail -n 1 "$out/$name.log"
  return "$code"
}

soak() {  # soak <tool>
  local number=0 left=$seconds next code
  command_of "$1"
  # Not the guarantee matrix, which makes few threads: only what the table of scenarios has.
  "${command[@]}" --describe >"$out/describe.json" 2>>"$out/describe.log"
  scenarios=$("$root/scripts/soak.py" filter --tool "$1" "$out")
  while ((left > 0)) && [[ -z $stopped ]]; do
    number=$((number + 1))
    next=$("$root/scripts/soak.py" seconds --tool "$1" --left "$left" "$out")
    code=0
    run_once "$1" "$number" "$next" || code=$?
    if ((code)); then
      note "$1 ended with $code; see $out/$1-$number.log"
      break
    fi
    left=$((left - next))
  done
}

status=$fine
for tool in "${tools[@]}"; do
  [[ -z $stopped ]] || break
  code=0
  [[ -z $building ]] || logged "$out/build-$tool.log" build "$(preset_of "$tool")" \
    --target stress_threadref || code=$?
  if ((code)); then
    [[ -n $stopped ]] || tail -n 30 "$out/build-$tool.log" >&2
    status=$unusable
    continue
  fi
  step "$tool, $duration"
  soak "$tool"
done

step "summary"
code=0
"$root/scripts/soak.py" merge --duration "$duration" "$out" || code=$?
((code <= status)) || status=$code
[[ -z $stopped ]] || status=$interrupted
exit "$status"
