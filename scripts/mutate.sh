#!/usr/bin/env bash
#
# usage: scripts/mutate.sh [--only REGEX] [--out FILE] [--readme] [options]
#
# Is each line of the registry that carries the argument for exactly once watched by a test? For
# each mutant of impl/threadref/mutants/ it builds the library with that line broken, in a copy,
# and plays what is listed as its killers until one of them fails. Before that the unbroken library
# must pass the same.
#
#   --only REGEX   the mutants whose id the regular expression is found in
#   --out FILE     also as JSON
#   --readme       writes the table into impl/threadref/backends/registry/README.md; of all mutants
#   --list         plays nothing: the mutants, what they break and their killers
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
# exit status: 0 every mutant was killed, and the harmless one was not · 1 wrong use, or the table
#   is wrong: a mutant does not apply, or does not compile · 2 a mutant survived: a test is missing
#   3 the unbroken library fails, or can't be built · 4 the harmless mutant was killed
#   130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ " $* " != *" --help "* ]] || help_and_exit
read -ra prefix <<<"$(tsan_prefix)"
exec "${prefix[@]}" nice "$root/scripts/mutate.py" "$@"
