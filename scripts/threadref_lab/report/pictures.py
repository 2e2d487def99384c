"""Draws what one bench run measured, as SVG and PNG.

usage: scripts/lab pictures --bench FILE [--samples FILE] --out DIR [--title TEXT]

exit_latency  how long thread exit takes: percentiles, alone and while other threads come and go
cost          registration and exit, per finalizer, against the number of finalizers

exit status: 0 fine · 1 wrong use · 3 the bench file is not usable
"""

import json
import math
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no display needed
from matplotlib import pyplot, ticker  # noqa: E402  after the choice above

from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.status import FINE, Unusable
from threadref_lab.store import rows

# Okabe and Ito's colours: told apart with every common kind of colour blindness. Each back end has
# a mark of its own as well; floors and peers are there to compare with, and stay behind.
BACKENDS = (("#d55e00", "o"), ("#0072b2", "s"), ("#009e73", "D"), ("#cc79a7", "^"),
            ("#e69f00", "v"), ("#56b4e9", "P"))
INK, QUIET = "#222222", "#8a8a8a"
PEER_LINES = ("-", "--", "-.", ":")
PEER_MARKS = ("x", "+", "1", "2", "3", "4", "|", "_")
PERCENTILES = (("min", 0), ("p50", .5), ("p90", .9), ("p99", .99), ("p999", .999))
EXIT_N = 16


def plain_style():
    matplotlib.rcParams.update({
        "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False,
        "axes.spines.right": False, "axes.grid": True, "grid.alpha": .25, "grid.linewidth": .6,
        "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK,
        "ytick.color": INK, "axes.titlesize": 11, "axes.titlelocation": "left",
        "legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "threadref",
        "figure.dpi": 100})


def in_legend_order(subjects):
    """Back ends first, then floors, then peers; inside a kind as the bench wrote them."""
    kinds = ("backend", "floor", "peer")
    known = [subject for subject in dict.fromkeys(subjects) if rows.kind_of(subject) in kinds]
    return sorted(known, key=lambda subject: kinds.index(rows.kind_of(subject)))


def styles(subjects):
    """{subject: keyword arguments of a line}, the same in every picture of a run."""
    found, counts = {}, {"backend": 0, "floor": 0, "peer": 0}
    for subject in in_legend_order(subjects):
        kind = rows.kind_of(subject)
        at = counts[kind]
        counts[kind] += 1
        if kind == "backend":
            colour, mark = BACKENDS[at % len(BACKENDS)]
            again = at >= len(BACKENDS)  # more back ends than colours: then hollow and dashed
            found[subject] = {"color": colour, "marker": mark, "linewidth": 2.2, "zorder": 4,
                              "markersize": 5, "fillstyle": "none" if again else "full",
                              "linestyle": (0, (4, 1.2)) if again else "-"}
        elif kind == "floor":
            found[subject] = {"color": INK, "linestyle": ("--", ":", "-.")[at % 3],
                              "linewidth": 1.6, "zorder": 3, "markersize": 0}
        else:
            found[subject] = {"color": QUIET, "linewidth": 1,
                              "linestyle": PEER_LINES[(at + at // 8) % 4],
                              "marker": PEER_MARKS[at % 8], "zorder": 2, "markersize": 5,
                              "markeredgecolor": QUIET}
    return found


def legend_below(figure, style):
    """Draws the legend of all panels once; returns the share of the height that it takes."""
    lines = [matplotlib.lines.Line2D([], [], label=subject, **arguments)
             for subject, arguments in style.items()]
    columns = min(4, max(1, len(lines)))
    figure.legend(handles=lines, loc="lower center", ncol=columns, fontsize=9,
                  bbox_to_anchor=(.5, 0))
    return (.15 + .19 * math.ceil(len(lines) / columns)) / figure.get_figheight()


def log_axis(axes, words):
    """Marks at 1, 2 and 5 where there are few decades, else at the decades only."""
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(words))
    low, high = axes.get_ylim()
    if high < 1000 * low:
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5), numticks=30))


def nanoseconds(value, _=None):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{value / size:g} {unit}"
    return f"{value:g} ns"


def nanoseconds_short(value):
    """For tables: three figures, whatever the size."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} ns"


# ----------------------------------------------------------------------------- exit latency


def percentile_points(samples):
    """(share, value) pairs, closer together towards the slow end, where it matters."""
    ordered, count = sorted(samples), len(samples)
    shares = [0.0] + [1 - 10 ** (-step / 20) for step in range(1, int(20 * math.log10(count)) + 1)
                      ] if count > 1 else [0.0]
    return [(share, ordered[min(count - 1, int(share * count))]) for share in shares]


def stored_points(row, prefix=""):
    return [(share, row[prefix + key]) for key, share in PERCENTILES if row.get(prefix + key)]


def exit_rows(found, churned):
    """({subject: row}, n) of one number of finalizers, 16 where it was measured."""
    wanted = [row for row in found if row["quantity"] == ("exit_under_churn" if churned else "exit")
              and "error" not in row]
    sizes = {row["n"] for row in wanted if row.get("n")}
    if not sizes:
        return {}, None
    size = EXIT_N if EXIT_N in sizes else min(sizes)
    # A thread without any finalizer has no drain, and is the floor of the total.
    return {row["subject"]: row for row in wanted if row.get("n") in (0, size)}, size


def exit_panel(axes, picked, samples, what, style):
    for subject in style:
        row = picked.get(subject)
        if row is None or (what == "drain" and row["n"] == 0):
            continue
        measured = samples.get((row["name"], what))
        points = (percentile_points(measured) if measured
                  else stored_points(row, "total_" if what == "total" else ""))
        points = [(share, value) for share, value in points if value > 0]
        if points:
            arguments = dict(style[subject], markevery=max(1, len(points) // 6))
            axes.plot([-math.log10(1 - share) for share, _ in points],
                      [value for _, value in points], **arguments)
    axes.xaxis.set_major_locator(ticker.FixedLocator([0, -math.log10(.5), 1, 2, 3, 4]))
    axes.set_xticklabels(["min", "p50", "p90", "p99", "p99.9", "p99.99"])
    say_missing(axes, style, picked)


def say_missing(axes, style, drawn):
    """A line that is not there is not seen to be missing."""
    missing = [subject for subject in style if rows.kind_of(subject) == "backend"
               and subject not in drawn]
    text = f"no result: {', '.join(missing)}" if missing else ""
    if not axes.lines:
        text = "not measured in this run"
    axes.text(.02, .97, text, transform=axes.transAxes, va="top", fontsize=8, fontstyle="italic")


def exit_latency(found, samples, title=""):
    subjects = [row["subject"] for row in found if row["quantity"].startswith("exit")]
    style = styles(subjects)
    figure, grid = pyplot.subplots(2, 2, figsize=(10, 8), sharex=True, sharey="row")
    names = {"drain": "drain: last statement to last finalizer",
             "total": "total: last statement to join"}
    for column, churned in enumerate((False, True)):
        picked, size = exit_rows(found, churned)
        where = "while other threads come and go" if churned else "alone"
        for line, what in enumerate(names):
            axes = grid[line][column]
            exit_panel(axes, picked, samples, what, style)
            axes.set_title(f"{names[what]}\n{where}" + (f", {size} finalizers" if size else ""),
                           fontsize=10)
    for axes in grid.flat:  # when all are drawn: panels of a row share their axis
        log_axis(axes, nanoseconds)
    finish(figure, style, "Exit latency" + title)
    return figure


# ----------------------------------------------------------------------------- cost against N


def cost_panel(axes, wanted, style):
    sizes = sorted({row["n"] for row in wanted})
    drawn = set()
    for subject, arguments in style.items():
        values = {row["n"]: row["ns"] for row in wanted if row["subject"] == subject}
        if not values:
            continue
        # Where a back end has no result its line breaks; floors and peers are not measured
        # everywhere, and by design.
        drawn.add(subject)
        at = sizes if rows.kind_of(subject) == "backend" else sorted(values)
        axes.plot(at, [values.get(size, math.nan) for size in at], **arguments)
    axes.set_xscale("log", base=4)
    axes.set_xticks(sizes, [f"{size}" for size in sizes])
    log_axis(axes, nanoseconds)
    axes.set_xlabel("finalizers on the thread")
    say_missing(axes, style, drawn)


def cost(found, title=""):
    panels = (("registration", "registration, per finalizer"), ("exit", "exit, per finalizer"))
    wanted = [row for row in found if row["quantity"] in dict(panels) and row.get("ns")
              and row.get("n")]
    style = styles([row["subject"] for row in wanted])
    figure, grid = pyplot.subplots(1, 2, figsize=(10, 5.6))
    for axes, (quantity, name) in zip(grid, panels):
        cost_panel(axes, [row for row in wanted if row["quantity"] == quantity], style)
        axes.set_title(name)
    finish(figure, style, "Cost per finalizer" + title)
    return figure


def finish(figure, style, title):
    figure.suptitle(title, x=.02, ha="left", fontweight="bold")
    figure.tight_layout(rect=(0, legend_below(figure, style), 1, 1))


# ----------------------------------------------------------------------------- the program


def load_samples(path, problems):
    found = {}
    if path and path.exists():
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
                samples = [float(value) for value in line["samples"]]
                found[rows.ADDED.sub("", line["name"]), str(line["what"])] = samples
            except (ValueError, KeyError, TypeError):
                problems.append(f"{path.name}:{number}: a line without name, what and samples, "
                                "skipped")
    return found


def save(figure, out, name):
    for ending in ("svg", "png"):
        figure.savefig(out / f"{name}.{ending}", facecolor="white",
                       **({"dpi": 150} if ending == "png" else {"metadata": {"Date": None}}))
        print(out / f"{name}.{ending}")
    pyplot.close(figure)


def main(arguments):
    parser = Parser("lab pictures", __doc__)
    parser.add_argument("--bench", type=Path, required=True)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--title", default="")
    options = parser.parse_args(arguments)
    problems = []
    found = [row for row in rows.bench_rows(rows.read_json(options.bench, problems))
             if "absent" not in row]
    if not found:
        raise Unusable(f"{options.bench} holds nothing to draw {'; '.join(problems)}")
    plain_style()
    options.out.mkdir(parents=True, exist_ok=True)
    title = f"  ({options.title})" if options.title else ""
    samples = load_samples(options.samples, problems)
    for problem in problems:
        print(f"lab pictures: {problem}", file=sys.stderr)
    save(exit_latency(found, samples, title), options.out, "exit_latency")
    save(cost(found, title), options.out, "cost")
    return FINE
