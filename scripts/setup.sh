#!/usr/bin/env bash
#
# usage: scripts/setup.sh [--all] [--check]
#
# Installs the missing ones of the Debian 12 packages that this repository needs, after listing them
# and what each is for. Does nothing if all are there.
#
#   --all     also the packages of the clang presets, coverage and other optional things
#   --check   only report; install nothing
#   --help    this text
#
# Without root it prints the command to run and ends with 1.
#
# exit status: 0 everything is there · 1 wrong use, or packages are missing and were not installed
#              3 the installation failed · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The one table: group | package | what it is for.
packages() {
  cat <<'END'
base | g++                 | compiles everything (C++20, g++ 12)
base | libc6-dev           | the C library's headers
base | cmake               | configures the build and runs the tests
base | ninja-build         | the presets' build tool
base | git                 | names the commit that a result belongs to
base | libbenchmark-dev    | Google Benchmark, under bench_threadref
base | libabsl-dev         | Abseil flags, under stress_threadref
base | libgtest-dev        | GoogleTest, under the conformance suite
base | libgmock-dev        | matchers of the conformance suite
base | relacy-dev          | plays the models of the conformance suite
base | libboost-thread-dev | the back end and the peers that use Boost.Thread
base | libtbb-dev          | the pool in both programs, and the peer enumerable_thread_specific
base | pkg-config          | finds GLib
base | libglib2.0-dev      | the peer GPrivate
base | nlohmann-json3-dev  | reads and writes JSON in both programs
base | clang-format-14     | check.sh: layout of the sources, pinned to this version
base | clang-tidy-14       | check.sh: static analysis, pinned to this version
base | shellcheck          | check.sh: these scripts
base | util-linux          | flock (no two nights at once), taskset, setarch
base | python3             | the scripts' Python: /usr/bin/python3
base | python3-pytest      | runs the scripts' own tests
base | python3-matplotlib  | the pictures
base | python3-jinja2      | the template of the report
base | python3-jsonschema  | checks every stored result against results/schema.json
base | python3-numpy       | change points, and the simulated year
base | python3-scipy       | their statistics
all  | clang               | the clang-* presets
all  | libclang-rt-14-dev  | sanitizer run-times of the clang-tsan and clang-asan presets
all  | clang-19            | the preset clang19-tsan
all  | libclang-rt-19-dev  | sanitizer run-times of that
all  | valgrind            | the preset memcheck, and lab instructions
all  | ccache              | lab mutate: what a mutant has not changed is not compiled again
all  | g++-aarch64-linux-gnu | the preset aarch64
all  | qemu-user           | runs what that compiled
all  | libjemalloc2        | lab sweep: the allocator jemalloc
all  | libtcmalloc-minimal4 | lab sweep: the allocator tcmalloc
all  | libmimalloc2.0      | lab sweep: the allocator mimalloc
all  | gcovr               | reads what the coverage preset wrote
all  | qtbase5-dev         | the peer QThreadStorage
all  | chromium            | the tests that open a page in a real browser
all  | nodejs              | builds the dashboard and tests it
all  | npm                 | brings what that needs; any other npm on the PATH is as good
all  | prometheus          | promtool checks the export; its server may be stopped
END
}

groups=base
check_only=
for argument in "$@"; do
  case $argument in
    --all) groups='base|all' ;;
    --check) check_only=yes ;;
    --help) help_and_exit ;;
    *) unknown_option "$argument" ;;
  esac
done
trap 'exit "$interrupted"' INT TERM

command -v dpkg-query >/dev/null ||
  fail "$misuse" "dpkg-query is missing: this is written for Debian 12; on another system install
$(packages | awk -F ' *[|] *' '{printf "  %-20s %s\n", $2, $3}')"

wanted=$(packages | awk -F ' *[|] *' -v groups="^($groups)\$" '$1 ~ groups {print $2}')
# dpkg-query ends with 1 for an unknown package, which is what this looks for.
# shellcheck disable=SC2086  # one word per package
present=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
  awk '$2 == "installed" {print $1}') || true
# A Node from elsewhere is left alone: apt would replace it, or refuse.
node=$(command -v node) || true
if command -v npm >/dev/null; then
  present+=$'\nnodejs\nnpm'
elif [[ $groups == *all* && -n $node ]] &&
  ! dpkg-query -W -f='${Maintainer}' nodejs 2>/dev/null | grep -q Debian; then
  echo "setup: $node is not Debian's and lacks npm, and Debian's npm would replace it:" \
    "install the npm that belongs to it for what builds and tests the dashboard"
  present+=$'\nnodejs\nnpm'
fi
missing=$(comm -23 <(sort <<<"$wanted") <(sort -u <<<"$present") | paste -sd ' ')

if [[ -z $missing ]]; then
  echo "setup: all $(wc -w <<<"$wanted") packages are there, nothing to do"
  exit "$fine"
fi

echo "setup: missing:"
packages | awk -F ' *[|] *' -v missing="$missing" \
  'index(" " missing " ", " " $2 " ") {printf "  %-20s %s\n", $2, $3}'
line="apt-get install -y --no-install-recommends $missing"
if [[ -n $check_only || $EUID -ne 0 ]]; then
  echo "setup: to install them: sudo apt-get update && sudo $line"
  exit "$misuse"
fi
echo "setup: $line"
export DEBIAN_FRONTEND=noninteractive
export PATH=$PATH:/usr/sbin:/sbin  # cron's PATH is without them, and dpkg needs ldconfig
# A freshly booted machine may be updating itself: wait for the lock instead of failing.
apt_lock=(-o DPkg::Lock::Timeout=300)
if ! apt-get "${apt_lock[@]}" update -q || ! $line "${apt_lock[@]}"; then
  fail "$unusable" "apt-get failed (its reason is above)"
fi
echo "setup: done"
