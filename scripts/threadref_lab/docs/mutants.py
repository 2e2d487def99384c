#!/usr/bin/python3
"""The table of what came of each mutant: on the terminal, as JSON and in a README. Imported by
mutate.py, never run."""

import datetime
import json
import os
import re
from collections import Counter
from pathlib import Path

import readme_table

PLACE = readme_table.Place("mutants", "mutate.py")
HEADING = "## Mutants"


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
            "`scripts/mutate.sh --again --only '^<id>$'`.")
    return "\n".join([*lines, "", tail])


def print_table(found):
    width = max(len(row["id"]) for row in found)
    for row in found:
        print(f"{row['outcome']:9} {row['id']:{width}}  {row['killer'] or '-'}"
              f"  ({row['how'] or 'nothing noticed'}, {row['seconds']} s)")
    print(summary(found))


def write_readme(path, found):
    if path.is_file():
        old = path.read_text(encoding="utf-8")
    else:
        old = "# registry\n"
    if PLACE.begin not in old:
        old = f"{old.rstrip()}\n\n{HEADING}\n\n{PLACE.begin}\n{PLACE.end}\n"
    path.write_text(PLACE.spliced(old, path, markdown(found)), encoding="utf-8")


def write_json(path, found):
    path.write_text(json.dumps({"schema": 1, "date": str(datetime.date.today()),
                                "machine": machine(), "mutants": found}, indent=2) + "\n",
                    encoding="utf-8")
