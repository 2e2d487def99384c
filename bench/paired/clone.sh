#!/bin/sh
# clone.sh LD NM OBJCOPY OUT OBJECT...
#
# Links the objects into one, OUT, and renames each symbol of this project that they define:
# `threadref` becomes `threadref_clone`. In a mangled name the length of a namespace precedes its
# name; names of C functions begin with it. Local symbols are renamed too, since some of them name a
# group of sections of which the linker keeps only one.
set -eu
linker=$1 nm=$2 objcopy=$3 out=$4
shift 4
"$linker" -r -o "$out.whole" "$@"
"$nm" --defined-only --format=posix "$out.whole" |
  awk '/9threadref|^threadref/ && !seen[$1]++ {
    name = $1
    sub(/^threadref/, "threadref_clone", name)
    gsub(/9threadref/, "15threadref_clone", name)
    print $1, name
  }' >"$out.names"
"$objcopy" --redefine-syms="$out.names" "$out.whole" "$out"
rm "$out.whole"
