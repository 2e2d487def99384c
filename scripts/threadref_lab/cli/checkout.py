"""Where the checkout is, and what scripts/common.sh knows about it and its builds."""

import subprocess
import sys
from pathlib import Path

from threadref_lab.cli import children
from threadref_lab.cli.status import FINE, INTERRUPTED, Unusable

ROOT = Path(__file__).resolve().parents[3]
LAB = ROOT / "scripts" / "lab"
# run.sh and test.sh build with these functions too, so they are written once, in shell.
IN_SHELL = ["bash", "-c", 'set -euo pipefail; source "$0"; "$@"', ROOT / "scripts" / "common.sh"]


def printed_by(function):
    """The words that a function of common.sh prints."""
    done = subprocess.run([*IN_SHELL, function], capture_output=True, text=True, check=True)
    return done.stdout.split()


def run_name():
    """A name for a run that begins now."""
    return printed_by("run_name")[0]


def tsan_prefix():
    """What goes before a command that may run a program of the thread sanitizer."""
    return printed_by("tsan_prefix")


def program(preset, name):
    return ROOT / "build" / preset / "bin" / name


def done(command, out):
    """Runs the command and returns its exit status. Output goes to the file `out`, or to standard
    error."""
    status = children.run(command, stdout=out or sys.stderr).returncode
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return status


def set_up(*options, is_needed=True, out=None):
    """Installs what is missing; is all of it there now?"""
    status = done([ROOT / "scripts" / "setup.sh", *options], out)
    if status != FINE and is_needed:
        raise Unusable("packages are missing (see above)", status)
    return status == FINE


def bench(*others):
    """The optimised bench_threadref, built with these other targets."""
    set_up()
    build("release", "bench_threadref", *others)
    return program("release", "bench_threadref")


def build_command(preset, *targets):
    """Configures a preset and builds these targets of it."""
    return [*IN_SHELL, "build", preset, "--target", *targets]


def build(preset, *targets, out=None):
    if done(build_command(preset, *targets), out) != FINE:
        raise Unusable(f"{', '.join(targets)} could not be built with the preset {preset} "
                       "(see above)")
