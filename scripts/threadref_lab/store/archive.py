#!/usr/bin/python3
"""The results store: JSON lines under results/<machine>/<yyyy>/<run>.jsonl, one file a run.

usage: store.py ready  --results DIR --machine NAME   can a run be stored? asked before it begins
       store.py add    --results DIR --machine NAME --run NAME --started TIME [--quick]
                       [--status NAME=N...] [--describe FILE...] [--bench FILE] [--stress FILE]
       store.py check  --results DIR                  is every stored line whole and valid?
       store.py sqlite --results DIR --out FILE       all of it as a database, made anew
       store.py query  --results DIR --sql STATEMENT  one question to such a database

`add` reads what bench_threadref (--benchmark_out) and stress_threadref (--json) wrote and prints
the file it stored; a night is stored by scripts/nightly.sh. Keys, units and the tables of the
database: results/README.md.

exit status: 0 fine · 1 wrong use, or the folder cannot be written · 2 the run holds a forbidden
             outcome, or something lost, doubled or misordered · 3 not usable · 4 a canary was not
             caught
"""

import argparse
import datetime
import json
import os
import re
import sys
from pathlib import Path

import rows

FINE, MISUSE, FORBIDDEN, UNUSABLE = 0, 1, 2, 3
SCHEMA = Path(__file__).resolve().parent.parent / "results" / "schema.json"
# What a stored line may be, and which part of the schema says how it looks.
KINDS = {"run": "run", "bench": "bench", "stress": "stress", "stress_totals": "stress_totals",
         "pair": "stored_pair", "control": "control", "instructions": "stored_instructions",
         "matrix": "matrix", "target": "stored_target", "canary": "canary",
         "sanitizer": "sanitizer"}
NOT_MACHINES = ("local", "dashboard")
MACHINE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
PART = ".part"


class Refused(Exception):
    """A sentence for the user, and the exit status that goes with it."""

    def __init__(self, sentence, status=MISUSE):
        super().__init__(sentence)
        self.status = status


# ----------------------------------------------------------------------------- writing


def write_whole(path, text):
    """All of it or nothing, also when the machine stops in the middle."""
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        with open(part, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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


def validator(definition):
    import jsonschema  # slow to import, and reading does without
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def complaints(lines):
    """One sentence for each line that the schema does not allow."""
    validators = {}
    for number, line in enumerate(lines, 1):
        kind = line.get("kind")
        if kind not in KINDS:
            yield f"line {number}: kind is {kind!r}; expected one of {', '.join(KINDS)}"
            continue
        if kind not in validators:
            validators[kind] = validator(KINDS[kind])
        for error in validators[kind].iter_errors(line):
            where = ".".join(str(part) for part in error.absolute_path)
            yield f"line {number} ({kind}) {where}: {error.message[:200]}"


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


def required_keys():
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    return {kind: set(definitions[name]["required"]) for kind, name in KINDS.items()}


def parse(text, required):
    """(line, None) or (None, what is wrong): a torn line ends in the middle of its JSON."""
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return None, "a torn line, skipped: not whole JSON"
    if not isinstance(line, dict) or line.get("kind") not in required:
        return None, f"skipped: no line of a kind known here ({', '.join(KINDS)})"
    missing = required[line["kind"]] - line.keys()
    if missing:
        return None, f"skipped: a {line['kind']} line without {', '.join(sorted(missing))}"
    return line, None


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


# ----------------------------------------------------------------------------- commands


def add_command(options):
    head, found = rows.collect(options)
    path = add(options.results, [head, *found])
    for problem in head["problems"]:
        print(f"store.py: {problem}", file=sys.stderr)
    print(path)
    return head["status"]


def check_command(options):
    machines, problems = load(options.results)
    for runs in machines.values():
        for run in runs:
            whole = [json.loads(text) for text in run.path.read_text(encoding="utf-8").splitlines()
                     if parse(text, required_keys())[0]]
            problems += [f"{run.path}: {complaint}" for complaint in complaints(whole)]
    for problem in problems:
        print(problem)
    count = sum(len(runs) for runs in machines.values())
    print(f"store.py: {count} runs of {len(machines)} machines, {len(problems)} problems")
    return UNUSABLE if problems else FINE


def sqlite_command(options):
    import sqlite_copy  # only these two commands need it
    machines, problems = load(options.results)
    for problem in problems:
        print(f"store.py: {problem}", file=sys.stderr)
    try:
        if options.command == "query":
            sqlite_copy.ask(machines, options.sql)
        else:
            print(sqlite_copy.write(machines, options.out))
    except sqlite_copy.Failed as failed:
        raise Refused(str(failed)) from failed
    return UNUSABLE if problems else FINE


def options_from(arguments):
    parser = argparse.ArgumentParser(usage=__doc__.strip(), add_help=False)
    parser.error = lambda why: (print(f"store.py: {why}; see store.py --help", file=sys.stderr),
                                sys.exit(MISUSE))
    parser.add_argument("command", choices=("ready", "add", "check", "sqlite", "query"))
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--machine", default="")
    parser.add_argument("--run", default="")
    parser.add_argument("--started", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--status", action="append", default=[])
    parser.add_argument("--describe", type=Path, action="append", default=[])
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--stress", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sql")
    parser.set_defaults(raw=None, first=None, program="")
    options = parser.parse_args(arguments)
    for command, needed in (("sqlite", "out"), ("query", "sql")):
        if options.command == command and not getattr(options, needed):
            parser.error(f"{command} needs --{needed}")
    return options


COMMANDS = {"ready": lambda options: ready(options.results, options.machine) or FINE,
            "add": add_command, "check": check_command, "sqlite": sqlite_command,
            "query": sqlite_command}


def main(arguments):
    if "--help" in arguments:
        print(__doc__.strip())
        return FINE
    options = options_from(arguments)
    try:
        return COMMANDS[options.command](options)
    except Refused as refused:
        print(f"store.py: {refused}", file=sys.stderr)
        return refused.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
