#!/usr/bin/env bash
#
# usage: scripts/pair.sh A,B [--quantity Q[,Q]] [--n N] [options]
#        scripts/pair.sh --controls [--subject NAME] [--rounds N] [options]
#
# Says whether subject B is faster or slower than subject A, over many process starts. In each
# process both take turns, ABBA; each start draws anew which of two copies of the same code
# either side is, so that an accident of layout widens the interval instead of deciding. A verdict
# needs the whole 99.9 % interval beyond 2 % and beyond what the clones of A and B differ by, and a
# second run that agrees; where it can't be had, more pairs are taken, and then it is "undecided".
#
#   A,B             subjects: back ends, floor_<what>, peer_<what>, each also with _clone behind
#   --quantity Q    registration, exit, ...; default: registration,exit
#   --n N           finalizers a thread; default: 256, where there is such a row
#   --controls      no A and B: every subject with itself and with its clone, which must never be
#                   told apart, and every back end with itself and 4 % more work, which must
#   --subject NAME  of the controls, only those of this one
#   --rounds N      the whole N times, independently; default: 1
#   --processes N   process starts; default and least useful number: 20
#   --pairs N       pairs a process, to begin with; default: 200
#   --out FILE      also as JSON lines (results/README.md), whole or not at all
#   --help          this text
#
#   scripts/pair.sh registry,pthread_key --quantity registration
#
# exit status: 0 a verdict each, whichever · 1 wrong use · 3 not usable: a function differed from
#   itself by more than 1 %, or a program crashed · 4 (--controls) identical code was told apart, or
#   planted work was found fewer than 9 times in 10 · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

[[ " $* " != *" --help "* ]] || help_and_exit
"$root/scripts/setup.sh" >&2
build release --target bench_threadref >&2
exec "$root/scripts/pairs.py" --bench "$root/build/release/bin/bench_threadref" "$@"
