#!/usr/bin/python3
"""Writes where the default back end loses into its README, from the results of a run.

usage: losses_table.py [--run DIR] [--readme FILE]

  --run DIR       what scripts/run.sh wrote [results/local/latest]
  --readme FILE   [impl/threadref/backends/<the default>/README.md]
  --help          this text

A line is a figure in which another subject was faster: by more than 2 %, and by more than two
copies of the default's own code differed, where the run has those pairs (scripts/pair.sh). The page
report.html says the same with every figure; this is for who reads the repository.

exit status: 0 fine · 1 wrong use · 3 there is no result in the folder, or nothing to compare
"""

import sys
from pathlib import Path

import readme_table
import report_data as data
import report_losses
from readme_table import FINE, Unusable

ROOT = Path(__file__).resolve().parent.parent
LATEST = ROOT / "results/local/latest"
PLACE = readme_table.Place("losses", "losses_table.py")
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
    lost, _, how_many = report_losses.losses(run)
    if not how_many:
        raise Unusable(f"{run.folder} has nothing that the default could be compared with; "
                       "scripts/run.sh measures all")
    figures = {}
    for loss in lost:  # the worst first, and so are the figures
        figures.setdefault((loss.where, loss.number, loss.own), []).append(loss)
    lines = [f"| {where}: {number} | {own} | {' | '.join(faster(found, kind) for kind in KINDS)} |"
             for (where, number, own), found in figures.items()]
    return "\n".join([f"{how_many} Beside each that is faster, how many times its figure the "
                      f"default's is ({measured(run)}).", "",
                      "| figure | default | faster back ends | faster peers |",
                      "|---|---:|---|---|", *lines])


def write(options):
    if not options.run.is_dir():
        raise Unusable(f"{options.run} is not a folder; name one that scripts/run.sh wrote")
    run = data.Run(options.run)
    if run.is_empty or not run.default:
        raise Unusable(f"{options.run} holds no result of a default back end; scripts/run.sh "
                       "measures one")
    readme = options.readme or ROOT / f"impl/threadref/backends/{run.default}/README.md"
    old = readme.read_text(encoding="utf-8")
    readme.write_text(PLACE.spliced(old, readme, section(run)), encoding="utf-8")
    print(f"{readme.name}: where the default loses is written")
    return FINE


def main(arguments):
    parser = readme_table.DocumentedParser("losses_table.py", __doc__)
    parser.add_argument("--run", type=Path, default=LATEST)
    parser.add_argument("--readme", type=Path)
    return readme_table.run(parser, write, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
