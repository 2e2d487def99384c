"""Builds the dashboard's page without data, or tests it; needs npm.

usage: scripts/lab page build | test | browser

Installs the packages of package-lock.json from npm if that file is newer than the installed ones.
Needs Node 18.20 or later, which Debian 12 has.

  build     writes results/dashboard/dist/index.html: the page without data, one file
  test      types and logic; no browser
  browser   builds, then opens the page in /usr/bin/chromium without a network: accessibility of
            each view, what clicks and keys do, how long a year takes to open; writes a picture
            of each view to results/dashboard/shots/
  --help    this text

exit status: 0 fine · 1 wrong use, or npm or chromium is missing · 2 a test failed
             3 the packages could not be installed, or the page could not be built
             130 interrupted
"""

import os
import shutil

from threadref_lab.cli import children
from threadref_lab.cli.arguments import ended, Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Refused, Unusable

FOLDER = ROOT / "results" / "dashboard"
BROWSER = "/usr/bin/chromium"
# npm writes this file last, so half an installation counts as none.
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
# A night's mail is read for what went wrong, not for npm's news.
QUIET = {"npm_config_audit": "false", "npm_config_fund": "false",
         "npm_config_update_notifier": "false", "npm_config_progress": "false",
         "npm_config_loglevel": "error", "NO_COLOR": "1"}
# The npm scripts of each, in order: (name, the sentence for one that fails).
BUILD = ("build", Unusable("the page could not be built"))
STEPS = {"build": (BUILD,),
         "test": (("test", Unusable("a test of the page's logic failed", FORBIDDEN)),),
         "browser": (BUILD, ("test:built", Unusable("a test of the page in the browser failed",
                                                    FORBIDDEN)))}


def npm(*arguments):
    """Its exit status."""
    return children.run(["npm", *arguments], cwd=FOLDER, env={**os.environ, **QUIET}).returncode


def is_installed():
    lock = FOLDER / "package-lock.json"
    return INSTALLED.exists() and INSTALLED.stat().st_mtime >= lock.stat().st_mtime


def work(options):
    if not shutil.which("npm"):
        raise Refused("npm is missing: scripts/setup.sh --all installs it")
    if options.what == "browser" and not os.access(BROWSER, os.X_OK):
        raise Refused(f"{BROWSER} is missing: scripts/setup.sh --all installs it")
    if not is_installed():
        print("\n== install what package-lock.json names", flush=True)
        if npm("ci") != FINE:
            raise Unusable("npm ci failed (its reason is above)")
    print(f"\n== dashboard: {options.what}", flush=True)
    for name, failed in STEPS[options.what]:
        if npm("run", "--silent", name) != FINE:
            raise failed
    return FINE


def main(arguments):
    parser = Parser("lab page", __doc__)
    parser.add_argument("what", choices=STEPS)
    return ended(parser.prog, work, parser.parse_args(arguments))
