#!/usr/bin/env bash
#
# usage: scripts/report.sh [DIR]
#
# Writes DIR/report.html from the results that lie in DIR: one file that opens without server and
# without network. DIR is what scripts/run.sh wrote; default results/local/latest. Whatever is not
# there the page names, with the command that makes it; results/README.md lists the files.
#
#   --help   this text
#
# exit status: 0 fine, also when something is missing · 1 wrong use, or the page cannot be written
#              3 there is no result in DIR · 130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

folder=
for argument in "$@"; do
  case $argument in
    --help) help_and_exit ;;
    -*) unknown_option "$argument" ;;
    *)
      [[ -z $folder ]] || fail "$misuse" "one folder at a time: '$folder' or '$argument'"
      folder=$argument
      ;;
  esac
done
"$root/scripts/report.py" "${folder:-$root/results/local/latest}"
