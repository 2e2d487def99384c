#!/usr/bin/python3
"""The stored nights as detect.py, page_data.py and export.py see them: usable or not, in which
environment, and what else than benchmarks and stress cells they hold. Imported, never run."""

import hashlib
import json
import re

import rows
import store
import trends

# What a night holds beside its benchmarks and stress cells, and what makes two lines the same one.
EXTRA = {"pair": ("series",), "control": ("control", "a", "quantity", "n"),
         "instructions": ("quantity", "subject"), "matrix": ("row", "backend"),
         "target": ("target",), "canary": ("name",), "sanitizer": ("leg",)}
IS_EXTRA = re.compile(r'"kind": ?"(' + "|".join(EXTRA) + ')"')
# Not a property of where it was measured.
NO_ENVIRONMENT = (*trends.RESTLESS, "commit", "version", "pinned_cpu")
NOTE_KEYS = {"series", "commit", "reason"}
CRASHED, INTERRUPTED = 3, 130


def environment_hash(environment):
    """Of nights that were stored without one."""
    kept = sorted((key, value) for key, value in environment.items()
                  if not key.startswith(NO_ENVIRONMENT))
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:12]


class Night:
    """One stored run; `at` is its place among those of its machine, oldest first."""

    def __init__(self, run, at):
        self.run, self.at = run, at
        self.head, self.bench = run.head, run.bench
        self.stress, self.totals = run.stress, run.totals
        self.machine, self.commit = run.machine, run.head["commit"]
        self.environment_hash = (run.head.get("environment_hash")
                                 or environment_hash(run.head["environment"]))
        # Schema 1 did not say: a crash, or a part that was not there, made it unusable.
        self.usable = run.head.get("usable", not run.head["quick"] and run.head["status"]
                                   not in (CRASHED, INTERRUPTED))
        self._extra = self._read_extra()

    def _read_extra(self):
        """What store.Run has no place for; torn lines are named by store.load."""
        found = {kind: {} for kind in EXTRA}
        for text in self.run.path.read_text(encoding="utf-8", errors="replace").splitlines():
            if not IS_EXTRA.search(text):
                continue
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                continue
            keys = EXTRA.get(line.get("kind"), ())
            if keys and line.get("run") == self.run.name and all(key in line for key in keys):
                found[line["kind"]].setdefault(tuple(line[key] for key in keys), line)
        return found

    def lines(self, kind):
        """The rows of that kind, none of them twice."""
        return list(self._extra[kind].values())


def load(results):
    """({machine: nights, oldest first}, problems)"""
    machines, problems = store.load(results)
    return {machine: [Night(run, at) for at, run in enumerate(runs)]
            for machine, runs in sorted(machines.items())}, problems


def notes(results):
    """(the lines of notes.jsonl, problems): which changes are expected, and why."""
    path, found, problems = results / "notes.jsonl", [], []
    if not path.exists():
        return found, problems
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(),
                                  1):
        try:
            note = json.loads(text)
        except json.JSONDecodeError:
            problems.append(f"{path}:{number}: a torn line, skipped: not whole JSON")
            continue
        if isinstance(note, dict) and all(note.get(key) for key in NOTE_KEYS):
            found.append(note)
        else:
            needed = ", ".join(sorted(NOTE_KEYS))
            problems.append(f"{path}:{number}: skipped: a note needs {needed}")
    return found, problems


def last_usable(nights):
    """The newest usable night, or None."""
    return next((night for night in reversed(nights) if night.usable), None)


def segments(nights):
    """The usable nights in runs of one environment: figures are compared inside one only."""
    found = []
    for night in nights:
        if not night.usable:
            continue
        if not found or found[-1][-1].environment_hash != night.environment_hash:
            found.append([])
        found[-1].append(night)
    return found


def judged_series(nights):
    """The names of all rows that have a ratio and are of a back end: floors and peers change
    without anybody's doing."""
    return list(dict.fromkeys(
        name for night in reversed(nights) for name, row in night.bench.items()
        if row.get("ratio") is not None and rows.kind_of(row["subject"]) == "backend"))
