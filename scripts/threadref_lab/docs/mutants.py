"""The table of mutants and their results, in impl/docs/mutants.md.

usage: scripts/lab docs --only mutants --check [--root DIR]

  --check      does the page have a row for each mutant of impl/conformance/mutants/, and no other?
  --root DIR   the checkout [this one]
  --help       this text

`scripts/lab mutate --page` writes the results, since it has to run the mutants.

exit status: 0 fine · 1 wrong use · 2 the table is stale · 3 the page has no place for it
"""

import datetime
import json
import os
import re
from collections import Counter
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import Refused
from threadref_lab.docs.block import Block
from threadref_lab.quality.mutants import table

PAGE = "impl/docs/mutants.md"
BLOCK = Block("mutants", "mutate --page")


def machine():
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = re.search(r"^model name\s*: (.+)$", text, re.M)
    except OSError:
        model = None
    return f"{os.cpu_count()} CPUs of an {model[1]}" if model else f"{os.cpu_count()} CPUs"


def summary(found):
    counts = Counter(row["outcome"] for row in found)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def markdown(found):
    lines = ["| what is broken | noticed by | how | seconds |", "| --- | --- | --- | ---: |"]
    for row in found:
        killer = f"`{row['killer']}`" if row["killer"] else "-"
        how = row["how"] or f"**{row['outcome']}**"
        lines.append(f"| `{row['id']}`: {row['breaks']} | {killer} | {how} | {row['seconds']} |")
    tail = (f"{datetime.date.today()}, {machine()}: {summary(found)}. The seconds are those of the "
            "check or the scenario,\nwithout the build. Any of them again: "
            "`scripts/lab mutate --again --only '^<id>$'`.")
    return "\n".join([*lines, "", tail])


def print_table(found):
    width = max(len(row["id"]) for row in found)
    for row in found:
        print(f"{row['outcome']:9} {row['id']:{width}}  {row['killer'] or '-'}"
              f"  ({row['how'] or 'nothing noticed'}, {row['seconds']} s)")
    print(summary(found))


def write_json(path, found):
    path.write_text(json.dumps({"schema": 1, "date": str(datetime.date.today()),
                                "machine": machine(), "mutants": found}, indent=2) + "\n",
                    encoding="utf-8")


def check(options):
    if not options.check:
        raise Refused("scripts/lab mutate --page writes this table: it has to play the mutants")
    page = options.root / PAGE
    shown = re.findall(r"^\| (`\w+`: .*?) \| [^|]* \| [^|]* \| [\d.]+ \|$", BLOCK.within(page),
                       re.M)
    wanted = [f"`{mutant.id}`: {mutant.breaks}"
              for mutant in table.read(options.root / table.FOLDER, options.root)]
    differ = Counter(shown)
    differ.subtract(wanted)
    return BLOCK.report(page, [f"{'no row' if count < 0 else 'a row too many'} of {name}"
                               for name, count in differ.items() if count])


def main(arguments):
    parser = Parser("lab docs --only mutants", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, check, arguments)
