#!/usr/bin/env bash
#
# usage: scripts/dashboard.sh build | test | browser
#
# The page of results/dashboard: builds its template, or tests it. Installs what package-lock.json
# names, from npm, when that is newer than what is installed. Needs Node from 18.20 on, which is
# Debian 12's.
#
#   build     writes results/dashboard/dist/index.html: the page without data, one file
#   test      types and logic; no browser
#   browser   builds, then opens the page in /usr/bin/chromium without a network: accessibility of
#             each view, what clicks and keys do, how long a year takes to open; leaves a picture
#             of each view in results/dashboard/shots/
#   --help    this text
#
# exit status: 0 fine · 1 wrong use, or npm or chromium is missing · 2 a test failed
#              3 the packages could not be installed, or the page could not be built
#              130 interrupted
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
trap 'exit "$interrupted"' INT TERM

[[ $# -gt 0 ]] || fail "$misuse" "say what to do: build, test or browser"
[[ $# -eq 1 ]] || fail "$misuse" "one thing at a time: '$1' or '$2'"
case $1 in
  --help) help_and_exit ;;
  build | test | browser) ;;
  -*) unknown_option "$1" ;;
  *) fail "$misuse" "'$1' is not build, test or browser" ;;
esac

folder=$root/results/dashboard
browser=/usr/bin/chromium
command -v npm >/dev/null || fail "$misuse" "npm is missing: scripts/setup.sh --all installs it"
[[ $1 != browser || -x $browser ]] ||
  fail "$misuse" "$browser is missing: scripts/setup.sh --all installs it"

# A night's mail is read for what went wrong, not for npm's news.
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
export npm_config_progress=false npm_config_loglevel=error NO_COLOR=1

# npm writes this file last, so half an installation counts as none.
installed=$folder/node_modules/.package-lock.json
if [[ ! -e $installed || $folder/package-lock.json -nt $installed ]]; then
  step "install what package-lock.json names"
  (cd "$folder" && npm ci) || fail "$unusable" "npm ci failed (its reason is above)"
fi

step "dashboard: $1"
cd "$folder"
case $1 in
  build) npm run --silent build || fail "$unusable" "the page could not be built" ;;
  test) npm run --silent test || fail "$forbidden" "a test of the page's logic failed" ;;
  browser)
    npm run --silent build || fail "$unusable" "the page could not be built"
    npm run --silent test:built || fail "$forbidden" "a test of the page in the browser failed"
    ;;
esac
