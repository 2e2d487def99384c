"""A bench that is started many times, and how that is reported."""

import json
import math
import sys

from threadref_lab.cli import children
from threadref_lab.cli.status import FINE, MISUSE, Unusable


def start(bench, arguments, may_match_nothing=False, environment=None):
    """Google Benchmark's document of one start; {} where no row matched and that may be."""
    command = [str(bench), "--benchmark_format=json", *arguments]
    done = children.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == MISUSE:
        if may_match_nothing and "no row matches" in done.stderr and "compile" not in done.stderr:
            return {}
        raise Unusable(done.stderr.strip(), MISUSE)
    if done.returncode != FINE:
        raise Unusable(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def say_progress(what, number, of):
    """Every one on a terminal, some in a log."""
    if sys.stderr.isatty() or number % 5 == 0:
        print(f"{what} {number + 1} of {of}", file=sys.stderr, flush=True)


def finite(line):
    """JSON has no infinity: null."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in line.items()}
