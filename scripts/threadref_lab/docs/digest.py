"""Writes the marks of README.md's table of guarantees: those rows of the guarantee matrix that the
table names, for the mechanisms that most programs use.

usage: scripts/lab docs --only digest [--check] [--root DIR]

  --check      writes nothing, and says whether the marks agree with the matrix
  --root DIR   the checkout whose README.md is written [this one]
  --help       this text

README.md itself chooses its rows and their titles; each row names its event.

exit status: 0 fine · 1 wrong use · 2 a mark is stale · 3 a row or a column is not in the matrix
"""

import re
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import Unusable
from threadref_lab.docs import matrix
from threadref_lab.docs.block import Block

BLOCK = Block("digest", "docs --only digest")
README = "README.md"
COLUMNS = ("peer_vector", "peer_key_list", "peer_boost_tss_each", "peer_cxa_thread_atexit",
           "registry")
MARKS = {"guaranteed": "✓", "conditional": "~", "refused": "∅",
         **dict.fromkeys(("lost", "doubled", "misordered", "misplaced"), "✗"),
         **dict.fromkeys(("crashes", "hangs", "corrupts", "grows"), "‼")}
ROW = re.compile(r"^(\| .*`(?P<event>[a-z_]+/\w+)`[^|]*)\|.*\|$", re.M)


def marked(table, words):
    """The table with the marks of `words`, {event: {mechanism: word}}."""
    def row(found):
        event = found["event"]
        if event not in words:
            raise Unusable(f"{README}: the matrix has no event '{event}'")
        missing = [name for name in COLUMNS if words[event].get(name) not in MARKS]
        if missing:
            raise Unusable(f"{README}: the matrix has no usable word for {event}/{missing[0]}")
        return found[1] + "".join(f"| {MARKS[words[event][name]]} " for name in COLUMNS) + "|"
    if not ROW.search(table):
        raise Unusable(f"{README}: its table names no event")
    return ROW.sub(row, table)


def work(options):
    page = options.root / README
    _, words = matrix.shown(matrix.BLOCK.within(options.root / matrix.PAGE))
    return BLOCK.update(page, marked(BLOCK.within(page), words), options.check)


def main(arguments):
    parser = Parser("lab docs --only digest", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, work, arguments)
