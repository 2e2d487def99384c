"""The results store: JSON lines under results/<machine>/<yyyy>/<run>.jsonl, one file a run."""

import datetime
import json
import re
from pathlib import Path

from threadref_lab.cli.status import Refused, UNUSABLE
from threadref_lab.store.files import PART, write_whole
from threadref_lab.store.schema import complaints, parse, required_keys

NOT_MACHINES = ("local", "dashboard")
MACHINE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


# ----------------------------------------------------------------------------- writing


def check_machine(name):
    if not MACHINE.fullmatch(name) or name in NOT_MACHINES:
        raise Refused(f"'{name}' cannot name a machine: use 1 to 40 of a-z 0-9 _ -, beginning with "
                      f"a letter or digit, and none of {', '.join(NOT_MACHINES)}")


def ready(results, machine):
    """Creates the folders of a run; raises Refused when it could not be stored there."""
    check_machine(machine)
    year = str(datetime.datetime.now(datetime.timezone.utc).year)
    for folder in (results / machine / year, results / "dashboard"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left_over in folder.glob(f".*{PART}"):
                left_over.unlink()  # a run that was killed; nothing else writes here now
            probe = folder / f".probe{PART}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise Refused(f"cannot write to {folder}: {error.strerror}") from error


def add(results, lines):
    """Stores one run, head first; refuses a second run of that name."""
    for complaint in complaints(lines):
        raise Refused(f"not stored: {complaint}", UNUSABLE)
    head = lines[0]
    check_machine(head["machine"])
    path = results / head["machine"] / head["started"][:4] / f"{head['run']}.jsonl"
    if path.exists():
        raise Refused(f"not stored: {path} is there already; a run is stored once")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines))
    except OSError as error:
        raise Refused(f"cannot write to {path.parent}: {error.strerror}") from error
    return path


# ----------------------------------------------------------------------------- reading


class Run:
    """One stored run: its head line and its rows. Of a line of schema 1 nothing is missing that has
    a meaning without it."""

    # Of each kind, by what a line of it is known in its run.
    NAMES = {"bench": ("name",), "stress": ("cell",), "stress_totals": (), "pair": ("series",),
             "control": ("control", "a", "b", "quantity", "n"),
             "instructions": ("quantity", "subject"), "matrix": ("row", "backend"),
             "target": ("target",), "canary": ("name",), "sanitizer": ("leg",)}

    def __init__(self, path, head):
        self.path, self.head = path, head
        self.machine, self.name = head["machine"], head["run"]
        self.commit, self.quick = head["commit"], head["quick"]
        self.is_usable = head.get("usable", head["status"] != UNUSABLE)
        self.environment_hash = head.get("environment_hash", "")
        self.lines = {kind: {} for kind in self.NAMES}

    def take(self, line):
        """Adds a row; False if the run has one of that name already."""
        key = "/".join(str(line.get(name)) for name in self.NAMES[line["kind"]])
        return self.lines[line["kind"]].setdefault(key, line) is line

    @property
    def bench(self):
        return self.lines["bench"]

    @property
    def stress(self):
        return self.lines["stress"]

    @property
    def totals(self):
        return self.lines["stress_totals"].get("")

    def of(self, kind):
        """The lines of one kind, as they stand in the file."""
        return list(self.lines[kind].values())


def load_file(path, required, problems):
    run, found = None, []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(),
                                  1):
        line, wrong = parse(text, required)
        if wrong:
            problems.append(f"{path}:{number}: {wrong}")
        elif line["kind"] == "run" and run is None:
            run = Run(path, line)
        else:
            found.append((number, line))
    if run is None:
        problems.append(f"{path}:1: skipped: the file has no line of kind run")
        return None
    for number, line in found:
        if line["run"] != run.name or line["kind"] == "run" or not run.take(line):
            problems.append(f"{path}:{number}: skipped: not of this run, or there already")
    return run


def load(results):
    """({machine: runs, oldest first}, problems): what can be read is, the rest is named."""
    machines, problems, seen, required = {}, [], {}, required_keys()
    for path in sorted(Path(results).glob("*/[0-9][0-9][0-9][0-9]/*.jsonl")):
        if path.parts[-3] in NOT_MACHINES:
            continue
        run = load_file(path, required, problems)
        if run is None:
            continue
        first = seen.setdefault((run.machine, run.name), path)
        if first != path:
            problems.append(f"{path}:1: skipped: the same run is in {first}")
            continue
        machines.setdefault(run.machine, []).append(run)
    for runs in machines.values():
        runs.sort(key=lambda run: run.head["started"])
    return machines, problems
