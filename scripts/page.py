#!/usr/bin/python3
"""Writes results/dashboard/index.html from all that is stored: one file, no server, no network.

usage: page.py --results DIR [--out FILE]

exit status: 0 fine, also when older lines could not be read (the page names them) · 1 wrong use, or
             the page cannot be written · 3 there is no run to show
"""

import argparse
import io
import re
import sys
from pathlib import Path

import jinja2
import markupsafe

import pictures
import rows
import store
import trends

FINE, MISUSE, UNUSABLE = 0, 1, 3
MEANING = {0: "fine", 1: "wrong use", 2: "forbidden outcome", 3: "crashed or not usable",
           4: "canary not caught", 130: "interrupted"}
# The marks of pictures.BACKENDS, for the legend that all panels share.
MARKS = {"full": {"o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼", "P": "✚"},
         "none": {"o": "○", "s": "□", "D": "◇", "^": "△", "v": "▽", "P": "✛"}}
pyplot = pictures.pyplot


# ----------------------------------------------------------------------------- pictures


def inline_svg(figure, prefix, alt):
    """The figure as an <svg> that takes its colours from the page, so that it reads in the dark."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.S)
    # Several pictures on one page: the same id must not name two things.
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", text)
    names = [(pictures.INK, "ink"), (pictures.QUIET, "quiet")]
    names += [(colour, f"b{at}") for at, (colour, _) in enumerate(pictures.BACKENDS)]
    for colour, name in names:
        text = text.replace(colour, f"var(--{name})")
    return markupsafe.Markup(text.replace(
        "<svg ", f'<svg role="img" aria-label="{markupsafe.escape(alt)}" ', 1))


def night_label(run):
    return run.head["started"][5:10]


def draw_trend(axes, runs, lines, style):
    for name, ratios in lines.items():
        values = [float("nan") if ratio is None else ratio for ratio in ratios]
        axes.plot(range(len(runs)), values, **dict(style[name], linewidth=1.8))
    axes.axhline(1, color=pictures.INK, linewidth=1, linestyle="--")
    known = [1] + [ratio for ratios in lines.values() for ratio in ratios if ratio]
    axes.set_ylim(min(known) * .85, max(known) * 1.2)
    pictures.log_axis(axes, lambda value, _: f"{value:g}×")
    step = max(1, -(-len(runs) // 6))
    axes.set_xticks(range(0, len(runs), step), [night_label(run) for run in runs[::step]])
    axes.set_xlim(-.5, len(runs) - .5)


def trend_picture(runs, lines, style, prefix, name):
    figure, axes = pyplot.subplots(figsize=(4.4, 2.6))
    draw_trend(axes, runs, lines, style)
    figure.tight_layout()
    last = ", ".join(f"{backend} {ratios[-1]:.2f}" if ratios[-1] is not None
                     else f"{backend} no result" for backend, ratios in lines.items())
    alt = f"{name}: ratio to the floor over {len(runs)} nights. Last night: {last}."
    return inline_svg(figure, prefix, alt)


def picture_set(run, prefix):
    found = list(run.bench.values())
    if not found:
        return []
    when = f"{run.machine}, {run.head['started'][:10]}"
    return [
        (inline_svg(pictures.exit_latency(found, {}), f"{prefix}-latency",
                    f"Exit latency percentiles per subject, {when}; the numbers are in the table "
                    "of exit latency"),
         "From the stored percentiles: minimum, p50, p90, p99 and p99.9."),
        (inline_svg(pictures.cost(found), f"{prefix}-cost",
                    f"Cost per finalizer against the number of finalizers, {when}; the numbers "
                    "are in the table of the last night"),
         "Both axes are logarithmic. Dashed black: the floor, what nothing can beat.")]


# ----------------------------------------------------------------------------- words


def verdict(run, holes):
    """One sentence on the newest night of a machine."""
    head, totals = run.head, run.totals
    when = f"{run.machine}, {head['started'][:16].replace('T', ' ')} UTC"
    missing = f"; {holes} result{'s' * (holes > 1)} missing, named below" if holes else ""
    if head["status"]:
        problems = head["problems"] or [f"{name} ended with {code}"
                                        for name, code in head["statuses"].items() if code]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        what = problems[0] if problems else "no reason recorded"
        return f"FAILED, {MEANING[head['status']]} ({when}): {what}{more}{missing}."
    ran = "no stress run is stored"
    if totals:
        subjects = len({cell["backend"] for cell in run.stress.values()})
        ran = (f"{subjects} back ends ran {totals['finalizers_run']:,} finalizers on "
               f"{totals['threads_churned']:,} churned threads as they must")
    measured = len(run.bench)
    return (f"All is well ({when}): {ran}, and of {measured} benchmarks none lost, doubled or "
            f"misordered a finalizer{missing}.")


def legend(style, shown):
    """(name, mark, number of its colour) of each back end that has a line somewhere."""
    return [(name, MARKS[arguments["fillstyle"]][arguments["marker"]],
             at % len(pictures.BACKENDS))
            for at, (name, arguments) in enumerate(style.items()) if name in shown]


def machine_view(machine, runs):
    runs = runs[-trends.NIGHTS_MAX:]
    last, names, keys = runs[-1], trends.backends(runs), trends.bench_keys(runs)
    table, stress = trends.last_table(last, names, keys), trends.stress_table(runs, names)
    style = pictures.styles(names)
    panels, shown = [], set()
    for at, (key, lines, holes) in enumerate(trends.series(runs)):
        name = trends.title(key)
        shown.update(lines)
        panels.append((name, trend_picture(runs, lines, style, f"{machine}-t{at}", name), holes))
    return {
        "name": machine, "runs": runs[::-1], "last": last, "backends": names,
        "legend": legend(style, shown),
        "verdict": verdict(last, trends.unexpected_holes(table + stress)),
        "table_holes": trends.table_holes(table, names),
        "stress_holes": trends.table_holes(stress, names),
        "failed": last.head["status"] != 0, "panels": panels, "table": table, "stress": stress,
        "others": trends.others_table(last), "orders": trends.orders(last),
        "latencies": trends.latency_table(last, names, keys),
        "environment": trends.environment_table(runs), "pictures": picture_set(last, machine)}


def headline(views):
    failed = [view["name"] for view in views if view["failed"]]
    if len(views) == 1:
        return views[0]["verdict"]
    if failed:
        rest = len(views) - len(failed)
        well = f"; all is well on {rest} more" if rest else ""
        return f"FAILED on {', '.join(failed)}{well}."
    return f"All is well on all {len(views)} machines."


def html(machines, problems):
    pictures.plain_style()
    views = [machine_view(machine, runs) for machine, runs in sorted(machines.items())]
    loader = jinja2.FileSystemLoader(Path(__file__).resolve().parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(ns=pictures.nanoseconds_short, meaning=MEANING.get,
                               is_hole=lambda cell: isinstance(cell, trends.Hole),
                               is_trace=trends.is_trace, broken=rows.broken)
    newest = max(view["last"].head["started"] for view in views)
    return environment.get_template("page.html.j2").render(
        views=views, headline=headline(views), failed=any(view["failed"] for view in views),
        problems=problems, newest=newest, latencies=trends.LATENCIES,
        palette=[colour for colour, _ in pictures.BACKENDS])


def write(results, out):
    machines, problems = store.load(results)
    # The page may be copied elsewhere: no path of this machine belongs into it.
    problems = [problem.replace(f"{results}/", "results/") for problem in problems]
    for problem in problems:
        print(f"page.py: {problem}", file=sys.stderr)
    if not machines:
        print(f"page.py: {results} holds no run to show", file=sys.stderr)
        return UNUSABLE
    text = html(machines, problems)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        store.write_whole(out, text)
    except OSError as error:
        print(f"page.py: cannot write {out}: {error.strerror}", file=sys.stderr)
        return MISUSE
    print(out)
    return FINE


def main(arguments):
    if "--help" in arguments:
        print(__doc__.strip())
        return FINE
    parser = argparse.ArgumentParser(usage=__doc__.strip(), add_help=False)
    parser.error = lambda why: (print(f"page.py: {why}", file=sys.stderr), sys.exit(MISUSE))
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    return write(options.results, options.out or options.results / "dashboard" / "index.html")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
