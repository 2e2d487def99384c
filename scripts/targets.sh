#!/usr/bin/env bash
#
# usage: scripts/targets.sh [--only REGEX] [--processes N] [--quick] [--out FILE]
#
# Does the default back end reach its targets? Prints each with what was measured beside it and
# the 99.9 % interval over process starts (order statistics, whatever the distribution), for all
# sizes. Builds optimised first; then it takes ten minutes on two cores, which should be idle. Rows
# are pinned but for those on several cores at once. A ratio to a floor is measured in turns with
# it; one of two rows is formed in each process start.
#
#   --only REGEX    only targets whose name it is found in, as in the first column of the table
#   --processes N   process starts; default, and the least that decides: 20
#   --quick         3 of them: shows what is measured, and decides nothing
#   --out FILE      also as JSON (results/README.md), and the text as FILE with .txt for its ending
#   --help          this text
#
#   scripts/targets.sh --only '^exit/n:256$'
#
# A target is met when its whole interval is within the limit, and missed when all of it is beyond;
# else it is undecided, and counts as missed unless its median is within. What is missed has to be
# in a table of the back end's README.md, in impl/threadref/backends/<name>/:
#   ## Targets that are missed
#   | target | measured | why | best variant tried |
# with a reason; on another processor a target that is listed may be met, which is said.
#
# exit status: 0 all are met, or listed; or too few starts to say · 1 wrong use · 2 one is missed
#   and not listed, or the list can't be read · 3 not usable: a row is absent, a
#   program crashed, a floor differed from itself by more than 1 % · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

[[ " $* " != *" --help "* ]] || help_and_exit
# Before the build, which takes minutes.
"$root/scripts/targets.py" --ready "$@"
# The allocators and valgrind are among all; what needs one that is missing says so.
"$root/scripts/setup.sh" --all >&2 || note "what needs a missing package will not be usable"
build release --target bench_threadref bench_memory bench_instructions >&2
exec "$root/scripts/targets.py" --bench "$root/build/release/bin/bench_threadref" "$@"
