"""Writes where the default back end loses into impl/docs/losses.md, from the results of a run.

usage: scripts/lab docs --only losses [--run DIR] [--page FILE]

  --run DIR       the folder that scripts/run.sh wrote [results/local/latest]
  --page FILE     [impl/docs/losses.md]
  --help          this text

Each line is a figure in which another subject was faster by more than 2 %, and by more than the
difference between two copies of the default's own code, if the run has those pairs
(scripts/lab pair).
The page report.html says the same with every figure.

exit status: 0 fine · 1 wrong use · 3 there is no result in the folder, or nothing to compare
"""

from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import Unusable
from threadref_lab.docs.block import Block
from threadref_lab.report import data, losses

LATEST, PAGE = ROOT / "results/local/latest", ROOT / "impl/docs/losses.md"
BLOCK = Block("losses", "docs --only losses")
KINDS = ("backend", "peer")


def faster(losses, kind):
    """Those of a kind that were, with the default's share of theirs, the fastest first."""
    return ", ".join(f"{loss.other} {loss.ratio.value:.2f}" for loss in losses
                     if loss.kind == kind) or "-"


def measured(run):
    context = run.contexts[0]
    starts = "1 process start" if len(run.contexts) == 1 else f"{len(run.contexts)} process starts"
    return (f"commit {context.get('commit', 'unknown')}, "
            f"{context.get('cpu', 'an unknown processor')}, {starts}")


def section(run):
    lost, _, how_many = losses.losses(run)
    if not how_many:
        raise Unusable(f"{run.folder} has nothing that the default could be compared with; "
                       "scripts/run.sh --all measures them")
    figures = {}
    for loss in lost:  # the worst first, and so are the figures
        figures.setdefault((loss.where, loss.number, loss.own), []).append(loss)
    lines = [f"| {where}: {number} | {own} | {' | '.join(faster(found, kind) for kind in KINDS)} |"
             for (where, number, own), found in figures.items()]
    return "\n".join([f"{how_many} Beside each that is faster, how many times its figure the "
                      f"default's is ({measured(run)}).", "",
                      "| figure | default | faster back ends | faster peers |",
                      "|---|---:|---|---|", *lines])


def work(options):
    if not options.run.is_dir():
        raise Unusable(f"{options.run} is not a folder; name one that scripts/run.sh wrote")
    run = data.Run(options.run)
    if run.is_empty or not run.default:
        raise Unusable(f"{options.run} holds no result of a default back end; scripts/run.sh "
                       "measures one")
    return BLOCK.write(options.page, section(run))


def main(arguments):
    parser = Parser("lab docs --only losses", __doc__)
    parser.add_argument("--run", type=Path, default=LATEST)
    parser.add_argument("--page", type=Path, default=PAGE)
    return run(parser, work, arguments)
