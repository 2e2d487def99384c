#!/usr/bin/env bash
#
# usage: scripts/mutate.sh [--only REGEX] [--out FILE] [--readme] [options]
#
# Is each line of the registry that carries the argument for exactly once watched by a test? For
# each mutant of impl/threadref/mutants/ it builds the library with that line broken, in a copy,
# and plays what is listed as its killers until one of them fails. Before that the unbroken library
# must pass the same.
#
# Each result is added to results.jsonl in the folder of --work as it comes, and what has one is not
# played again, unless the sources, the mutant or its killers changed since. So the table can be
# played in several runs, one after the other; on several machines, by shards, if their files are
# put together.
#
#   --only REGEX   the mutants whose id the regular expression is found in
#   --shard I/N    the I-th of N parts of them
#   --time 20m     plays no further one once this time is over (also 90s or 2h)
#   --again        plays also what has a result
#   --out FILE     also as JSON, once each has a result
#   --readme       writes the table into impl/threadref/backends/registry/README.md once each of all
#                  mutants has a result
#   --list         plays nothing: the mutants, what they break and their killers
#   --ci           plays nothing: which of them die by the tests that run for every change, those of
#                  build/release, build/tsan and build/asan without the label nightly. A check that
#                  has to be repeated counts only if such a test repeats it
#   --table PATH   another table of mutants: a file, or a folder of them
#   --root DIR     the checkout that is copied and broken [this one]
#   --work DIR     where the copy and its builds are kept [build/mutants of the checkout]
#   --help         this text
#
# A killer is one of these, under the build `release`, or `tsan: ` or `asan: ` before it:
#   c053_detach_against_exit [x5]   a check of the conformance suite, repeated
#   stress mixed 5s [seed 7]        a scenario or an event of stress_threadref
#   run failing_memory [ARGUMENT]   a test program
#   ctest NAME TARGET...            a test of ctest, for which the targets are built
#
# exit status: 0 every mutant that has a result was killed, and the harmless ones were not · 1 wrong
#   use, or the table is wrong: a mutant does not apply, or does not compile · 2 a mutant survived:
#   a test is missing · 3 the unbroken library fails, or it or what --ci reads is not built
#   4 a harmless mutant was killed · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ " $* " != *" --help "* ]] || help_and_exit
read -ra prefix <<<"$(tsan_prefix)"
exec "${prefix[@]}" nice "$root/scripts/mutate.py" "$@"
