# shellcheck shell=bash
# What every script here shares: where the repository is, how to speak, and the exit statuses.
# Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
program=$(basename "$0")
jobs=$(nproc)

# The scripts use these constants, this file does not.
# shellcheck disable=SC2034
readonly lab=$root/scripts/lab
# One list for every program and script of this repository; each --help prints its part of it, and
# threadref_lab/cli/status.py has the same.
# shellcheck disable=SC2034
readonly fine=0 misuse=1 forbidden=2 unusable=3 uncaught=4 interrupted=130

step() { printf '\n== %s\n' "$*"; }
note() { printf '%s: %s\n' "$program" "$*" >&2; }
fail() {  # fail <status> <sentence>
  note "${*:2}"
  exit "$1"
}
unknown_option() { fail "$misuse" "'$1' is not an option here; $program --help lists them"; }

# The script's own help text is the comment block at its top, so it cannot drift from a second copy.
help_and_exit() {
  sed -n '3,/^[^#]/{/^[^#]/d; s/^# \{0,1\}//; p}' "$0"
  exit 0
}

configure() {  # configure <preset>
  (cd "$root" && cmake --preset "$1") || return "$unusable"
}

build() {  # build <preset> [option of cmake --build...]
  step "build $1 ($jobs jobs)"
  configure "$1" || return "$unusable"
  compile "$@"
}

compile() {  # compile <configured preset> [option of cmake --build...]
  (
    cd "$root"
    NINJA_STATUS='[%f/%t] ' cmake --build --preset "$1" --parallel "$jobs" "${@:2}" | build_progress
  ) || return "$unusable"
}

# Of ninja's lines, which say "[done/all] what": how long it will take. On a terminal in one line
# that is kept up to date, elsewhere now and then; anything else is passed on.
build_progress() {
  local line began=$SECONDS said=$SECONDS is_terminal=
  [[ ! -t 1 ]] || is_terminal=yes
  while IFS= read -r line; do
    if [[ ! $line =~ ^\[([0-9]+)/([0-9]+)\]\  ]]; then
      printf '%s\n' "$line"
      continue
    fi
    local finished=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]} left
    ((finished)) || continue
    left=$(((SECONDS - began) * (all - finished) / finished))
    if [[ -n $is_terminal ]]; then
      printf '\r\033[K%s of %s steps, about %s s left' "$finished" "$all" "$left"
    elif ((SECONDS - said >= 10 || finished == all)); then
      said=$SECONDS
      echo "$finished of $all steps, about $left s left"
    fi
  done
  [[ -z $is_terminal ]] || printf '\r\033[K'
}

# The thread sanitizer of this age aborts at start-up where the kernel randomises more than
# 28 bits of a mapping's address; without randomisation it runs everywhere.
tsan_prefix() {
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
  if ((bits > 28)) && setarch -R true 2>/dev/null; then
    echo setarch -R
  fi
}

# Sorts by time and names the commit: 2026-01-31T020304Z-1a2b3c4
run_name() {
  printf '%s-%s\n' "$(date -u +%Y-%m-%dT%H%M%SZ)" \
    "$(git -C "$root" rev-parse --short=7 HEAD 2>/dev/null || echo nogit)"
}
