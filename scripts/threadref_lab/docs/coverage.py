"""Writes the coverage table into stress/docs/coverage.md, from the tags in the tests.

Each row of coverage_rows.txt, beside this file, gets the tests that show it, or how this library
differs. coverage_tags.py says how tags are written.

usage: scripts/lab docs --only coverage [--check] [--root DIR]

  --check      writes nothing, and says whether the table agrees with the tags
  --root DIR   the checkout whose tags are read and whose table is written [this one]
  --help       this text

exit status: 0 fine · 1 wrong use · 2 the table is stale, a row has no tag, or a tag is wrong
             3 the list of rows or the table can't be used
"""

import collections
import re
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FORBIDDEN, Unusable
from threadref_lab.docs import coverage_tags
from threadref_lab.docs.block import Block
from threadref_lab.quality import style

ROWS = Path(__file__).resolve().parent / "coverage_rows.txt"
BLOCK = Block("coverage", "docs --only coverage")
PAGE, SCENARIOS = "stress/docs/coverage.md", "impl/scenarios/scenarios.hpp"
NOTHING = "**nothing**"


def read_rows(text):
    """{heading: {id: what it is}}"""
    sections = {}
    ids = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if heading := re.fullmatch(r"\[(.+)\]", line):
            rows = sections.setdefault(heading[1], {})
            continue
        one, _, what = line.partition(" ")
        if not sections or not coverage_tags.ID.fullmatch(one) or not what or one in ids:
            raise Unusable(f"coverage_rows.txt:{number}: neither a heading nor a new row: {line}")
        ids.add(one)
        rows[one] = what
    return sections


def read_tags(root, ids):
    """(tags, faults) of all sources."""
    tree = style.Tree(root)
    scenarios = coverage_tags.scenario_names(tree.text(SCENARIOS))
    tags, faults = [], []
    for path in tree.matching(*style.CXX, under=style.PROGRAMS):
        found, wrong = coverage_tags.in_file(path, tree.text(path), scenarios)
        tags += found
        faults += wrong
    faults += [f"{tag.place}: there is no row {tag.id}" for tag in tags if tag.id not in ids]
    return tags, faults


def cell(tags):
    """The tests that show a row, then how this library differs, each reason with its tests."""
    shown = list(dict.fromkeys(f"`{tag.item}`" for tag in tags if not tag.differs))
    reasons = collections.defaultdict(dict)
    for tag in tags:
        if tag.differs:
            reasons[tag.differs][f"`{tag.item}`"] = True
    parts = [", ".join(shown)] if shown else []
    parts += [f"*differs:* {reason} ({', '.join(items)})" for reason, items in reasons.items()]
    return "; ".join(parts).replace("|", "\\|") or NOTHING


def table(sections, tags):
    by_id = collections.defaultdict(list)
    for tag in tags:
        by_id[tag.id].append(tag)
    lines = ["| | what it is | what shows it here, or how it differs |", "| --- | --- | --- |"]
    for heading, rows in sections.items():
        lines.append(f"| | **{heading}** | |")
        lines += [f"| {one} | {what} | {cell(by_id[one])} |" for one, what in rows.items()]
    return "\n".join(lines)


def work(options):
    sections = read_rows(ROWS.read_text(encoding="utf-8"))
    ids = [one for rows in sections.values() for one in rows]
    tags, faults = read_tags(options.root, ids)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return FORBIDDEN
    status = BLOCK.update(options.root / PAGE, table(sections, tags), options.check)
    have = {tag.id for tag in tags}
    missing = [one for one in ids if one not in have]
    if missing:
        print(f"nothing shows {', '.join(missing)}; tag what does, as"
              " scripts/threadref_lab/docs/coverage_tags.py says", file=sys.stderr)
        return FORBIDDEN
    return status


def main(arguments):
    parser = Parser("lab docs --only coverage", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, work, arguments)
