#!/usr/bin/env bash
#
# usage: scripts/test.sh [--quick] [--nightly] [--preset NAME...]
#
# Builds and runs every test: the conformance suite over all back ends and canaries, the whole
# bench and stress matrix at smoke size, the install and its consumer, the scripts' own tests.
# Builds three presets: optimised, thread sanitizer, address + undefined. The two with sanitizers
# test only the two back ends that differ most, and no bench. The nightly presets clang19-tsan and
# clang-asan test all back ends.
#
#   --quick            preset release only
#   --nightly          only the tests labelled nightly, which are left out otherwise
#   --preset NAME...   these presets instead of release, tsan and asan; `cmake --list-presets`
#                      names them
#   --help             this text
#
# Ends with one line per preset, the names of the failing tests, and alone on the last line
# "N passed, M failed" over all presets. A preset that does not build or that has no test counts
# as one failure.
#
# exit status: 0 everything passed · 1 wrong use · 2 a test failed · 3 a preset could not be built
#              or has no test · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

presets=()
chosen=(-LE '^nightly$')
while (($#)); do
  case $1 in
    --quick) presets+=(release) ;;
    --nightly) chosen=(-L '^nightly$') ;;
    --preset)
      [[ $# -gt 1 && $2 != --* ]] || fail "$misuse" "--preset needs at least one name after it"
      while [[ $# -gt 1 && $2 != --* ]]; do
        presets+=("$2")
        shift
      done
      ;;
    --help) help_and_exit ;;
    *) unknown_option "$1" ;;
  esac
  shift
done
((${#presets[@]})) || presets=(release tsan asan)

wanted_packages=()
[[ ! " ${presets[*]}" =~ " clang"|" memcheck"|" aarch64" ]] || wanted_packages=(--all)
if ! "$root/scripts/setup.sh" "${wanted_packages[@]}"; then
  echo "0 passed, 1 failed"
  exit "$unusable"
fi
known=$(cd "$root" && cmake --list-presets=test | sed -n 's/^ *"\(.*\)".*/\1/p')
for preset in "${presets[@]}"; do
  grep -qxF -- "$preset" <<<"$known" ||
    fail "$misuse" "there is no preset '$preset'; valid: $(paste -sd ' ' <<<"$known")"
done

reports=()
for preset in "${presets[@]}"; do
  report=$root/build/$preset/ctest.xml
  rm -f "$report"  # a build that fails must not be counted with the last run's tests
  reports+=("$preset=$report")
  build "$preset" || continue
  step "test $preset"
  prefix=()
  [[ $preset != *tsan ]] || read -ra prefix <<<"$(tsan_prefix)"
  (cd "$root" && "${prefix[@]}" ctest --preset "$preset" "${chosen[@]}" --parallel "$jobs" \
    --output-junit "$report") || true  # the report says which failed
done

step "summary"
"$lab" summary "${reports[@]}"
