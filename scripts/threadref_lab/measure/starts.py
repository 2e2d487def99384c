#!/usr/bin/python3
"""What pairs.py and compare.py share: a bench that is started many times, and how that is asked for
and told."""

import argparse
import json
import math
import subprocess
import sys

FINE, MISUSE, UNUSABLE, INTERRUPTED = 0, 1, 3, 130


class Unusable(Exception):
    """A sentence for the user, and the status to end with."""

    def __init__(self, sentence, status=UNUSABLE):
        super().__init__(sentence)
        self.status = status


def start(bench, arguments, may_match_nothing=False, environment=None):
    """Google Benchmark's document of one start; {} where no row matched and that may be."""
    command = [str(bench), "--benchmark_format=json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
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


class Parser(argparse.ArgumentParser):
    """Of a script `prog`, which has the help text; what is wrong with its arguments is a line."""

    def __init__(self, prog):
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)

    def error(self, message):
        print(f"{self.prog}: {message}; scripts/{self.prog} --help says what is valid",
              file=sys.stderr)
        sys.exit(MISUSE)


def whole_number(least):
    def read(text):
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {least} up")
        return int(text)
    return read


def end_with(prog, main):
    """Ends the program with what main() gives, or with the status of what stopped it."""
    try:
        sys.exit(main(sys.argv[1:]))
    except Unusable as problem:
        print(f"{prog}: {problem}", file=sys.stderr)
        sys.exit(problem.status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
