"""What came of each mutant that was played, so that the table can be played in several runs."""

import hashlib
import json
import time
from pathlib import Path

# What no build of a mutant reads, or what a result's own key has.
OTHERS = ("scripts/", "results/", ".ci/", "impl/conformance/mutants/")


class TimeOver(Exception):
    """The time that a run was given; what it has found is stored."""


class Clock:
    """How far a run has come, and how much of its time is left."""

    def __init__(self, steps, seconds=None, now=time.monotonic):
        self.now, self.begun = now, now()
        self.steps, self.done = steps, 0
        self.seconds = seconds

    def begin(self):
        """Before each step. Raises TimeOver."""
        if self.seconds is not None and self.now() - self.begun >= self.seconds:
            raise TimeOver

    def end(self):
        """After each step: (how many are done, of how many, how long the others take)"""
        self.done += 1
        self.steps = max(self.steps, self.done)
        left = (self.now() - self.begun) / self.done * (self.steps - self.done)
        return f"[{self.done} of {self.steps}, about {left / 60:.0f} min left]"


class Stored:
    """A line a result, added as it comes. It counts for as long as the sources, what is broken in
    them and what is to notice are the same."""

    def __init__(self, path, source):
        self.path = path
        self._sources = digest(source)
        self._rows = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except json.JSONDecodeError:
                continue  # a run was cut off inside it
            self._rows[found["key"]] = found["row"]

    def _key(self, what):
        return hashlib.sha256(f"{self._sources}{what!r}".encode()).hexdigest()

    def of(self, what):
        return self._rows.get(self._key(what))

    def add(self, what, row):
        self._rows[self._key(what)] = row
        is_cut = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * is_cut + json.dumps({"key": self._key(what), "row": row}) + "\n")

    def forget(self, what):
        self._rows.pop(self._key(what), None)


def digest(source):
    """Of all that decides what is built."""
    found = hashlib.sha256()
    for path in sorted(each for each in Path(source).rglob("*") if each.is_file()):
        name = str(path.relative_to(source))
        if not name.startswith(OTHERS) and not name.endswith(".md"):
            found.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
