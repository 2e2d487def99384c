"""Draws the picture of README.md from one run: what each back end costs beside the floor, and how
long a thread's exit takes while other threads come and go.

usage: scripts/lab readme-picture --bench FILE [--out FILE]

  --bench FILE   bench.json of a run's folder, as scripts/run.sh wrote it
  --out FILE     default: results/readme.svg of this repository

exit status: 0 fine · 1 wrong use · 3 the bench file lacks a row that the picture needs
"""

import io
import json
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display needed
from matplotlib import pyplot, ticker  # noqa: E402  after the choice above

from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, Unusable
from threadref_lab.report import pictures
from threadref_lab.store import rows

N = 16  # finalizers on the thread: what a program with some libraries has
FLOORS = {"registration": "floor_bump_store", "exit": "floor_call_loop"}
# A page is light or dark, and an SVG in it is told which. matplotlib knows fixed colours only, so
# the ink is a colour that nothing else has, and is replaced by the reader's.
INK = "#010203"
THEME = ("<style>svg { color: #1f2328 } "
         "@media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }</style>")
REGISTRATION, EXIT, TAIL = "#0072b2", "#e69f00", "#cc79a7"


def figures(document):
    """{(quantity, subject): row} of the rows that the picture needs."""
    found = {}
    for row in rows.bench_rows(document):
        if row["group"] == "finalize" and rows.parameters(row["name"]).get("n") == N:
            found[row["quantity"], row["subject"]] = row
    return found


def in_order(found):
    """The back ends, the cheapest first: what all of the left chart adds up to."""
    names = [subject for quantity, subject in found if quantity == "registration"
             and rows.kind_of(subject) == "backend" and ("exit", subject) in found]
    return sorted(names, key=lambda name: cost(found, name))


def cost(found, subject):
    return sum(found[quantity, subject]["ns"] for quantity in FLOORS)


def draw_cost(axes, found, names):
    left = [0.0] * len(names)
    for quantity, colour in (("registration", REGISTRATION), ("exit", EXIT)):
        widths = [found[quantity, name]["ns"] for name in names]
        axes.barh(names, widths, left=left, color=colour, height=.62,
                  label="registering" if quantity == "registration" else "running at exit")
        left = [one + more for one, more in zip(left, widths)]
    for at, whole in enumerate(left):
        axes.annotate(f"{whole:.3g}", (whole, at), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=9)
    floor = sum(found[quantity, name]["ns"] for quantity, name in FLOORS.items())
    axes.axvline(floor, color=INK, linestyle="--", linewidth=1.2,
                 label=f"floor: a store and a call, {floor:.2g} ns")
    axes.set_title(f"ns per finalizer, {N} on the thread")
    axes.margins(x=.12)


def draw_latency(axes, found, names):
    for at, name in enumerate(names):
        row = found.get(("exit_under_churn", name))
        if row is None:
            continue
        axes.plot([row["p50"], row["p99"]], [at, at], color=INK, alpha=.35, linewidth=1.5)
        axes.plot(row["p50"], at, "o", color=EXIT, markersize=7)
        axes.plot(row["p99"], at, "D", color=TAIL, markersize=6)
    axes.plot([], [], "o", color=EXIT, label="median")
    axes.plot([], [], "D", color=TAIL, label="99th percentile")
    axes.set_title(f"last statement to last of {N} finalizers,\nother threads come and go")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(pictures.nanoseconds)
    axes.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.minorticks_off()


def draw(found):
    pictures.plain_style()
    for key in ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color",
                "grid.color"):
        matplotlib.rcParams[key] = INK
    names = in_order(found)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4.4), sharey=True)
    draw_cost(left, found, names)
    draw_latency(right, found, names)
    for axes in (left, right):
        axes.grid(axis="y", visible=False)
        axes.set_axisbelow(True)
        axes.legend(loc="upper center", bbox_to_anchor=(.5, -.09), ncol=3, fontsize=9)
    left.invert_yaxis()
    figure.tight_layout()
    return figure


def themed(figure):
    """The figure as SVG, in the ink of the page that shows it."""
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    pyplot.close(figure)
    svg = text.getvalue().replace(INK, "currentColor")
    return re.sub(r"(<svg [^>]*>)", lambda head: head.group(1) + "\n " + THEME, svg, count=1)


def main(arguments):
    parser = Parser("lab readme-picture", __doc__)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "readme.svg")
    options = parser.parse_args(arguments)
    problems = []
    found = figures(rows.read_json(options.bench, problems))
    if not in_order(found) or any((quantity, name) not in found
                                  for quantity, name in FLOORS.items()):
        raise Unusable(f"{options.bench} lacks rows finalize/registration and finalize/exit with "
                       f"n:{N} of back ends and floors; scripts/run.sh measures them")
    options.out.write_text(themed(draw(found)), encoding="utf-8")
    print(options.out)
    return FINE
