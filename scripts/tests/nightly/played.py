"""Nights to test with, whose programs are played: a checkout, a clock, and what a night says."""

import atexit
import contextlib
import functools
import io
import os
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.nightly import fake_programs as fake
from threadref_lab.cli import commands
from threadref_lab.cli.status import Unusable
from threadref_lab.nightly import night as driver
from threadref_lab.regressions import detection
from threadref_lab.store import archive

RUN_COMMAND = driver.Night.run_command


@functools.cache
def after_one_night():
    """A checkout with one night in its store; a copy of it is cheaper than another one."""
    folder = tempfile.TemporaryDirectory(prefix="threadref-night-")
    atexit.register(folder.cleanup)
    root = Path(folder.name)
    fake.checkout(root)
    play(root, iter(["2026-01-01T020000Z"]), ["--quick"])
    return root


def run_here(night, command, log):
    """Instead of Night.run_command: plays the program in this process, which costs a tenth. Not the
    one that is cut off: that takes a signal."""
    words = [str(word) for word in command]
    names = {str(night.root / name): name for name in fake.PLAYED} | {"cmake": "path/cmake"}
    at = next(at for at, word in enumerate(words) if word in names)
    if fake.cuts_off(night.root, names[words[at]], words[at + 1:]):
        return RUN_COMMAND(night, command, log)
    with open(log, "a", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        return fake.called(night.root, names[words[at]], words[at + 1:])


def play(root, clock, arguments, run_command=run_here):
    """(status, what the night says)"""
    said = io.StringIO()
    # A second has one name; nights of a test begin within one.
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), \
            mock.patch.object(driver, "moment", lambda: next(clock)), \
            mock.patch.object(driver.Night, "run_command", run_command), \
            mock.patch.dict(os.environ, {"PATH": f"{root / 'path'}:{os.environ['PATH']}",
                                         "PYTHONDONTWRITEBYTECODE": "1"}):
        signal.signal(signal.SIGTERM, commands.interrupt)
        try:
            status = driver.main(["--machine", "box", *arguments], root)
        except Unusable as problem:
            print(problem)
            status = problem.status
    return status, said.getvalue()


class Played(unittest.TestCase):
    nights = 0  # that are in the store already
    run_command = staticmethod(run_here)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-night-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        if self.nights:
            shutil.copytree(after_one_night(), self.root, dirs_exist_ok=True,
                            ignore=shutil.ignore_patterns("local"))
            self.first = fake.git(self.root, "rev-parse", "--short=12", "HEAD")
        else:
            self.first = fake.checkout(self.root)
        self.results = self.root / "results"
        self.clock = iter(f"2026-01-{day:02}T020000Z" for day in range(1 + self.nights, 29))

    def night(self, *arguments):
        return play(self.root, self.clock, arguments, self.run_command)

    def runs(self):
        return archive.load(self.results)[0].get("box", [])

    def last_line(self, *arguments):
        status, said = self.night(*arguments)
        return status, said.strip().splitlines()[-1]

    def assert_everybody_says(self, sentence):
        """Who judges the stored nights says what the night said, stored and ended with."""
        self.assertEqual(detection.verdict(detection.load(self.results)[0])["sentence"], sentence)
        self.assertEqual(self.runs()[-1].head["sentence"], sentence)
