#!/usr/bin/env bash
#
# usage: scripts/check.sh [--all | --since REV]
#        scripts/check.sh --times [TARGET...]
#
# All checks of the sources that need no run of the programs: layout (clang-format-14),
# the rules of scripts/lab style, shellcheck, the documents (coverage table, digest of the matrix,
# links, sizes), and clang-tidy-14 over what the preset release compiles. Each tool first has to
# find a fault planted for it; all tools run, then it ends.
#
# clang-tidy takes long, so it reads what was touched: the sources, and for each header a source
# that includes it. What is not committed always counts, and all is read if clang-tidy's rules or
# these scripts changed. Touched means since the commit at which this branch left origin/main, or
# its upstream; on main itself, in the 4 hours before its newest commit. A night reads all.
#
#   --all         clang-tidy reads everything
#   --since REV   it reads what was touched since this commit
#   --times       checks nothing else: compiles these targets without a compiler cache, those that
#                 have a budget if none is named, and prints the CPU seconds by target, the slowest
#                 files, and the budgets (scripts/lab times). A second time it compiles only
#                 what changed
#   --help        this text
#
# exit status: 0 nothing found · 1 wrong use · 2 findings, or a budget exceeded by more than a fifth
#              3 a tool could not be run · 4 a planted fault was not found · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

touched=()
times=
targets=()
while (($#)); do
  case $1 in
    --all) touched=(--all) ;;
    --since)
      git -C "$root" rev-parse --quiet --verify "${2:-}^{commit}" >/dev/null ||
        fail "$misuse" "--since needs a commit of this repository after it, not '${2:-}'"
      touched=(--since "$2")
      shift
      ;;
    --times)
      times=yes
      while [[ $# -gt 1 && $2 != --* ]]; do
        targets+=("$2")
        shift
      done
      ;;
    --help) help_and_exit ;;
    *) unknown_option "$1" ;;
  esac
  shift
done

"$root/scripts/setup.sh"
cd "$root"
if [[ -n $times ]]; then
  ((${#targets[@]})) || read -ra targets <<<"$("$lab" times --targets)"
  launcher="$lab;times;--launch"
  step "compile ${targets[*]} in build/times ($jobs jobs)"
  if ! cmake --preset release -B build/times -DCMAKE_C_COMPILER_LAUNCHER="$launcher" \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" ||
    ! cmake --build build/times --parallel "$jobs" --target "${targets[@]}"; then
    fail "$unusable" "${targets[*]} could not be built (see above)"
  fi
  step "times"
  exec "$lab" times build/times "${targets[@]}"
fi
# Without it the lists below would be empty, and a tool without files finds nothing.
git ls-files >/dev/null || fail "$unusable" "this needs a git checkout (git's reason is above)"
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
status=$fine
worst() { if (($1 > status)); then status=$1; fi; }

# Files not yet added count too, deleted ones do not.
files() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do
  if [[ -f $f ]]; then echo "$f"; fi; done; }

# What the helpers below call by name.
# shellcheck disable=SC2317
format() { clang-format-14 --style=file:"$root/.clang-format" --dry-run -Werror "$@"; }
# One line a file is enough: the remedy is the same for all of its lines.
# shellcheck disable=SC2317
format_files() {
  format "$@" 2>&1 | awk -F : '/error:/ && !seen[$1]++ {
    print $1 ":" $2 ": layout; run clang-format-14 -i " $1}' && ((PIPESTATUS[0] == 0))
}
# shellcheck disable=SC2317
tidy() { clang-tidy-14 --quiet --config-file="$root/.clang-tidy" "$@" 2>/dev/null; }

# A planted fault has to make the tool end with a failure: must_find <tool> <command...>
must_find() {
  if "${@:2}" >/dev/null 2>&1; then
    note "$1 did not find the fault planted for it (see plant in this script)"
    worst "$uncaught"
  else
    echo "$1: finds a planted fault"
  fi
}

# The same for what should be clean: a tool that cannot run at all would pass must_find.
must_pass() {
  if ! "${@:2}" >/dev/null 2>&1; then
    note "$1 finds fault with clean input; does it run at all? try: ${*:2}"
    worst "$unusable"
  fi
}

judge() {  # judge <tool> <command...>
  if "${@:2}"; then
    echo "$1: nothing found"
  else
    note "$1: findings above"
    worst "$forbidden"
  fi
}

plant() {
  printf '%s\n' 'int main() {' '  return 0;' '}' >"$planted/clean.cpp"
  printf '%s\n' 'int  main( ){return 0;}' >"$planted/format.cpp"
  printf '%s\n' 'class BadName {};' 'int main() { return 0; }' >"$planted/tidy.cpp"
  printf '%s\n' 'int f(int n) {' "$(printf '  ++n;\n%.0s' {1..68})" '  return n;' '}' \
    >"$planted/long.cpp"
  printf '%s\n' '#!/usr/bin/env bash' 'true' >"$planted/clean.sh"
  # The unquoted $1 is the fault.
  # shellcheck disable=SC2016
  printf '%s\n' '#!/usr/bin/env bash' 'rm $1' >"$planted/shell.sh"
  mkdir -p "$planted/checkout/stress/docs"
  grep -- '-- \(begin\|end\): coverage' stress/docs/coverage.md \
    >"$planted/checkout/stress/docs/coverage.md"
  # The same, but one test shows every row.
  cp -r "$planted/checkout" "$planted/tagged"
  mkdir "$planted/tagged/stress/tests"
  {
    sed -n 's|^\([A-Z]\{1,2\}-[0-9][0-9]\) .*|// Shows: \1.|p' \
      scripts/threadref_lab/docs/coverage_rows.txt
    echo 'TEST(planted, shows_every_row) {}'
  } >"$planted/tagged/stress/tests/all_test.cpp"
}

step "each tool finds a fault planted for it"
plant
must_pass clang-format format "$planted/clean.cpp"
must_find clang-format format "$planted/format.cpp"
must_pass clang-tidy tidy "$planted/clean.cpp" -- -std=c++20
must_find clang-tidy tidy "$planted/tidy.cpp" -- -std=c++20
must_find clang-tidy tidy "$planted/long.cpp" -- -std=c++20
must_pass shellcheck shellcheck "$planted/clean.sh"
must_find shellcheck shellcheck "$planted/shell.sh"
"$lab" style --self-test || worst $?
must_pass "lab docs" "$lab" docs --only coverage --root "$planted/tagged"
must_pass "lab docs" "$lab" docs --only coverage --check --root "$planted/tagged"
# A checkout in which nothing has a tag.
must_find "lab docs" "$lab" docs --only coverage --check --root "$planted/checkout"

step "clang-format"
mapfile -t sources < <(files '*.hpp' '*.cpp' '*.h' '*.c')
judge clang-format format_files "${sources[@]}"

step "style"
"$lab" style || worst $?

step "shellcheck"
mapfile -t shells < <(files 'scripts/*.sh' .ci/run)
judge shellcheck shellcheck -x "${shells[@]}"

step "documents"
for table in coverage digest prose; do
  "$lab" docs --only "$table" --check || worst $?
done

step "clang-tidy over build/release ($jobs jobs)"
configure release >"$planted/configure.log" 2>&1 || {
  cat "$planted/configure.log"
  fail "$unusable" "preset release could not be configured (see above)"
}
# The headers' findings come with each file that includes them: shown once.
judge clang-tidy "$lab" tidy build/release "$jobs" "${touched[@]}"

step "done"
case $status in
  "$fine") echo "check.sh: nothing found" ;;
  *) note "not clean, status $status (see above)" ;;
esac
exit "$status"
