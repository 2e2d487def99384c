#!/usr/bin/env bash
#
# usage: scripts/nightly.sh [--machine NAME] [--quick] [--dry-run] [--since RUN|COMMIT]
#                           [--bisect SERIES] [--results DIR]
#
# One night: builds, proves by controls that the figures can be believed, compares today's build
# with that of the last usable night, measures every benchmark over 20 process starts, counts
# instructions, runs the guarantee matrix, runs the stress scenarios without and with the thread
# sanitizer, proves that canaries are caught and mutants killed, and judges the targets. Stores
# every row, rewrites the page, and ends with one sentence: what changed, or that nothing did. Then
# come clang-tidy over all sources, the tests that are too slow for every change, and the slow
# presets: the clang builds, valgrind and aarch64.
#
#   --machine NAME   whose results these are; default $THREADREF_MACHINE, else this host's name
#   --quick          smallest useful sizes, under ten minutes once built: to try it out; the page
#                    says so
#   --dry-run        the steps, how long each takes and what would be compared; changes nothing
#   --since X        compare with this run or commit, not with the last usable night
#   --bisect SERIES  runs no night: which commit since the last usable night, or since --since,
#                    made this series slower or faster? Halves the range with scripts/lab compare
#   --results DIR    where results live; default results/ of this repository
#   --help           this text
#
#   scripts/nightly.sh --bisect finalize/registration/registry/n:256 --since HEAD~20
#
# scripts/lab detect prints what changed, as on the page: a time counts if two independent runs
# of pairs found it, or as a step in the nights' ratios. One that was expected has a line in
# <results>/notes.jsonl (results/README.md) and makes no night fail. A night that was cut off goes
# on after its last step if it is started again for the same commit within 12 hours.
#
# Stores  <results>/<machine>/<yyyy>/<run>.jsonl   one line a row, whole or not at all
#         <results>/dashboard/index.html           all nights of all machines, opens without server
#         <results>/local/nightly/<run>/           raw output, logs and stamps; 30 days
#
# For cron, `crontab -e` (a mail arrives only when something is wrong):
#   17 2 * * *  <checkout>/scripts/nightly.sh >~/threadref.log 2>&1 || cat ~/threadref.log
# If you are not root, run scripts/setup.sh --all once by hand before. Nothing is committed:
# `git add results && git commit` whenever the history should be shared.
#
# exit status, the worst of: 0 nothing is worse · 1 wrong use, or results cannot be written · 2 a
#   regression that was not expected, a forbidden outcome, a target missed that is not listed, or a
#   mutant survived · 3 the run is not usable: a control left 1 %, a program crashed,
#   the build failed, the page could not be built, or another night still runs · 4 a canary was not
#   caught · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ " $* " != *" --help "* ]] || help_and_exit
# Before anything is installed.
"$lab" night --ready "$@"
if [[ " $* " != *" --dry-run "* ]]; then
  # What only some steps need may be missing: they say so.
  "$root/scripts/setup.sh" --all || "$root/scripts/setup.sh"
fi
exec "$lab" night "$@"
