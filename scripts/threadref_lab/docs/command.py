"""Writes or checks the tables in the documents that are generated.

usage: scripts/lab docs [--check]
       scripts/lab docs --only NAME [its own options]

  --check       writes nothing, and says which tables are stale
  --only NAME   only this table, whose options `scripts/lab docs --only NAME --help` lists:
                  checks        conformance checks by back end, from build/release/checks
                  prose         links, sizes and commands of the documents; only --check
                  digest        the marks of README.md's table, from the guarantee matrix
                  coverage      which test shows which row, from the tests' tags
                  matrix        the guarantee matrix, from build/release/matrix
                  examples      what the examples print, from build/release/bin
                  losses        where the default loses, from results/local/latest; has no --check,
                                since the next run differs
                  mutants       which test killed each mutant; only --check, since
                                scripts/lab mutate --page runs them and writes it
                  false_alarms  false alarms in a simulated year, as scripts/lab simulate --table;
                                takes minutes to write
  --help        this text

exit status, the worst of: 0 fine · 1 wrong use · 2 a table is stale · 3 the input of a table
  is missing, or cannot be used · 130 interrupted
"""

import collections
import importlib

from threadref_lab.cli.arguments import ended, Parser
from threadref_lab.cli.status import FINE, Refused

Table = collections.namedtuple("Table", "module write check")  # None: there is no such thing
TABLES = {
    "checks": Table("docs.checks", [], ["--check"]),
    "prose": Table("docs.prose", None, ["--check"]),
    "digest": Table("docs.digest", [], ["--check"]),
    "coverage": Table("docs.coverage", [], ["--check"]),
    "matrix": Table("docs.matrix", [], ["--check"]),
    "examples": Table("docs.examples", [], ["--check"]),
    "losses": Table("docs.losses", [], None),
    "mutants": Table("docs.mutants", None, ["--check"]),
    "false_alarms": Table("simulation.study", ["--table"], ["--check"])}


def main_of(name):
    return importlib.import_module(f"threadref_lab.{TABLES[name].module}").main


def one(arguments):
    at = arguments.index("--only")
    name = arguments[at + 1] if len(arguments) > at + 1 else ""
    if name not in TABLES:
        raise Refused(f"--only: there is no table '{name}'; valid: {', '.join(TABLES)}")
    others = arguments[:at] + arguments[at + 2:]
    if name == "false_alarms" and "--check" not in others:
        others.append("--table")
    return main_of(name)(others)


def main(arguments):
    if "--only" in arguments:
        return one(arguments)
    parser = Parser("lab docs", __doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    worst = FINE
    for name, table in TABLES.items():
        how = table.check if options.check else table.write
        if how is None:
            print(f"{name}: left out; scripts/lab docs --help says why")
        else:
            worst = max(worst, ended(f"lab docs --only {name}", main_of(name), how))
    return worst
