"""The pictures of a report: every sample of every subject, and what sweeps found."""

import collections
import io
import math
import re

import markupsafe

from threadref_lab.report import data, pictures, tables

pyplot = pictures.pyplot
BINS = 240  # to what part of a strip's width a sample is placed
FIGURE_ROW = .21
Picture = collections.namedtuple("Picture", "title svg caption")


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


# ----------------------------------------------------------------------------- distributions


def binned(samples, low, high):
    """[(position, how many)]: each sample is in one of them, so that a single one is seen."""
    width = math.log(high / low) or 1
    counts = collections.Counter(
        round(BINS * math.log(max(value, low) / low) / width) for value in samples)
    return [(low * math.exp(at * width / BINS), count) for at, count in sorted(counts.items())]


def strip(axes, at, samples, extent, colour):
    """One subject: a tick at every time that was seen, higher where more samples are."""
    bins = binned(samples, *extent)
    most = math.log1p(max(count for _, count in bins))
    xs, ys = [], []
    for position, count in bins:
        height = .12 + .30 * math.log1p(count) / most
        xs += [position, position, math.nan]
        ys += [at - height, at + height, math.nan]
    axes.plot(xs, ys, color=colour, linewidth=1.1, solid_capstyle="butt")
    ordered = sorted(samples)
    axes.plot([ordered[len(ordered) // 2]], [at + .47], color=pictures.INK, marker="v",
              markersize=4, linewidth=0)


def strips(found, style, prefix, title):
    """found: {subject: samples}. One picture; times on a logarithmic axis."""
    subjects = [name for name in style if name in found]
    positive = [value for name in subjects for value in found[name] if value > 0]
    if not positive:
        return None
    low, high = min(positive) * .9, max(positive) * 1.1
    height = .8 + FIGURE_ROW * 1.45 * len(subjects)
    figure, axes = pyplot.subplots(figsize=(9.2, height))
    for at, name in enumerate(reversed(subjects)):
        strip(axes, at, found[name], (low, high), style[name]["color"])
    axes.set_yticks(range(len(subjects)), subjects[::-1])
    axes.set_ylim(-.7, len(subjects) - .2)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(pictures.ticker.FuncFormatter(pictures.nanoseconds))
    if high < 1000 * low:
        axes.xaxis.set_major_locator(pictures.ticker.LogLocator(subs=(1, 2, 5), numticks=30))
    axes.grid(axis="y", visible=False)
    figure.tight_layout()
    medians = ", ".join(
        f"{name} {pictures.nanoseconds_short(sorted(found[name])[len(found[name]) // 2])}"
        for name in subjects)
    return inline_svg(figure, prefix, f"{title}: distribution per subject. Medians: {medians}")


def in_words(place, what):
    names = {"drain": "drain: last statement to last finalizer", "total": "total: to the join",
             "per_operation": "one operation"}
    return f"{data.title(place)}, {names.get(what, what)}"


def distributions(run):
    """(pictures of the exits that the tables lead with, pictures of all other rows)"""
    grouped = {}
    for (name, what), values in run.samples.items():
        cell = run.cells.get(name)
        if cell and cell.kind in data.KINDS and not cell.error and values:
            grouped.setdefault((cell.place, what), {})[cell.subject] = values
    order, style = list(run.places()), pictures.styles(run.subjects)
    first, others = [], []
    for number, ((place, what), found) in enumerate(
            sorted(grouped.items(), key=lambda entry: (order.index(entry[0][0]), entry[0][1]))):
        title = in_words(place, what)
        svg = strips(found, style, f"d{number}", title)
        is_first = what in ("drain", "total") and dict(place[1]).get("n") == pictures.EXIT_N
        if svg:
            (first if is_first else others).append(Picture(title, svg, how_many(run, place, found)))
    return first, others


def how_many(run, place, found):
    """What the file holds, of how many: it keeps an even selection with both ends."""
    taken = [cell.values("samples").get(1) for cell in run.places()[place]]
    most = max((int(count) for count in taken if count), default=0)
    kept = max(len(values) for values in found.values())
    return f"Process 1: {kept:,} samples of each subject" + (
        f", evenly spaced by rank among {most:,}, both ends with them" if most > kept else "")


# ----------------------------------------------------------------------------- sweeps


def scale(axes, values):
    """Logarithmic where the sizes differ much; a zero has a place too."""
    if max(values) >= 20 * max(1, min(values)):
        if min(values) > 0:
            axes.set_xscale("log")
        else:
            axes.set_xscale("symlog", linthresh=min(filter(None, values)), linscale=.3)
    axes.minorticks_off()
    axes.set_xticks(values, [f"{value:,}" for value in values],
                    rotation=45 if len(values) > 6 else 0)


def sweep(what, parameter, key, lines, style, prefix):
    """One line a subject; where a result is missing the line breaks."""
    values = sorted({at for points in lines.values() for at in points})
    figure, axes = pyplot.subplots(figsize=(9.2, 4.2))
    drawn = {}
    for name, points in sorted(lines.items(), key=lambda line: list(style).index(
            next(iter(line[1].values())).subject)):
        subject = next(iter(points.values())).subject
        figures = [points[at].figure(key) if at in points else None for at in values]
        if any(figures):
            drawn[name] = style[subject]
            axes.plot(values, [known.value if known else math.nan for known in figures],
                      label=name, **style[subject])
    if not drawn:
        pyplot.close(figure)
        return None
    scale(axes, values)
    pictures.log_axis(axes, pictures.nanoseconds if data.is_time(key)
                      else lambda value, _: f"{value:,g}")
    axes.set_xlabel(parameter.replace("_", " "))
    figure.tight_layout(rect=(0, pictures.legend_below(figure, drawn), 1, 1))
    grown = ", ".join(f"{name} {tables.growth(points, key):.2f} times"
                      for name, points in lines.items() if tables.growth(points, key))
    title = what.replace("_", " ")
    svg = inline_svg(figure, prefix, f"{title} by {parameter}. From the smallest to the "
                     f"largest: {grown or 'not measured'}")
    return Picture(title, svg, f"{tables.column_title(key)} against {parameter}; a line breaks "
                   "where there is no result")


def sweeps(run):
    """([(what, picture or None, table)], the table of those with one size or None)"""
    style, found, points = pictures.styles(run.subjects), [], {}
    for number, (what, entry) in enumerate(tables.sweep_lines(run.sweeps).items()):
        if len({at for line in entry[2].values() for at in line}) > 1:
            found.append((what, sweep(what, *entry, style, f"s{number}"),
                          tables.sweep_table(what, *entry)))
        else:
            points[what] = entry
    return found, tables.point_table(points)
