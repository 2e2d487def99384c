"""Checks, questions and copies of the results store, one file of JSON lines a run.

usage: scripts/lab store check  [--results DIR]       is every stored line whole and valid?
       scripts/lab store query  --sql STATEMENT       an SQL query over all of it
       scripts/lab store sqlite --out FILE            writes it as an SQLite database
       scripts/lab store ready  --machine NAME        could a run be stored?
       scripts/lab store add    --machine NAME --run NAME --started TIME [--quick]
                                [--status NAME=N...] [--describe FILE...] [--bench FILE]
                                [--stress FILE]

  --results DIR   the store; default: results/ of this repository
  --help          this text

`add` reads what bench_threadref (--benchmark_out) and stress_threadref (--json) wrote and prints
the file it stored; a night is stored by scripts/nightly.sh. Keys, units and the tables of the
database: results/docs/keys.md.

exit status: 0 fine · 1 wrong use, or the folder cannot be written · 2 the run holds a forbidden
             outcome, or something lost, doubled or misordered · 3 not usable · 4 a canary was not
             caught
"""

import json
import sys
from pathlib import Path

from threadref_lab.cli.arguments import ended, Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, UNUSABLE
from threadref_lab.store import archive, rows, schema


def add_command(options):
    head, found = rows.collect(options)
    path = archive.add(options.results, [head, *found])
    for problem in head["problems"]:
        print(f"lab store: {problem}", file=sys.stderr)
    print(path)
    return head["status"]


def check_command(options):
    machines, problems = archive.load(options.results)
    for runs in machines.values():
        for run in runs:
            whole = [json.loads(text) for text in run.path.read_text(encoding="utf-8").splitlines()
                     if schema.parse(text, schema.required_keys())[0]]
            problems += [f"{run.path}: {complaint}" for complaint in schema.complaints(whole)]
    for problem in problems:
        print(problem)
    count = sum(len(runs) for runs in machines.values())
    print(f"lab store: {count} runs of {len(machines)} machines, {len(problems)} problems")
    return UNUSABLE if problems else FINE


def sqlite_command(options):
    from threadref_lab.store import sqlite  # slow to import, and only these two commands need it
    machines, problems = archive.load(options.results)
    for problem in problems:
        print(f"lab store: {problem}", file=sys.stderr)
    if options.command == "query":
        sqlite.ask(machines, options.sql)
    else:
        print(sqlite.write(machines, options.out))
    return UNUSABLE if problems else FINE


def ready_command(options):
    archive.ready(options.results, options.machine)
    return FINE


COMMANDS = {"ready": ready_command, "add": add_command, "check": check_command,
            "sqlite": sqlite_command, "query": sqlite_command}


def main(arguments):
    parser = Parser("lab store", __doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
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
    return ended(parser.prog, COMMANDS[options.command], options)


