"""The tables of a report: rows and cells ready to be written, in words and marks."""

import collections
import re

from threadref_lab.report import data, words
from threadref_lab.store import rows

# parts: [(heading of a group of rows or "", [(what the row is about, [Shown])])]; notes: holes.
Table = collections.namedtuple("Table", "caption columns parts notes", defaults=((),))
Shown = collections.namedtuple("Shown", "text small mark", defaults=("", ""))
NOTHING = Shown("–", "", "hole")

HEADINGS = {"backend": "back ends", "peer": "peers, under no contract", "floor": "floors"}
LATENCIES = ("p50", "p99", "p999", "total_p50", "total_p99", "total_p999", "total_ratio",
             "life_ratio")
# Keys about the row, not about its subject; and percentiles, which have tables of their own.
ABOUT = re.compile(r"n|ns_se|floor_ns|ratio|empty_ns|pinned_cpu|samples|lost|doubled|misordered|"
                   r"threads|min|max|p\d+|(total|life)_\w+")


def column_title(key):
    text = key.replace("p999", "p99.9").replace("_", " ")
    if key == "ns":
        return "each"
    return f"drain {text}" if key.startswith("p") and key[1:].isdigit() else text


def spread_note(figure):
    """Half of the range over process starts, as a share of the median."""
    if figure.low == figure.high or not figure.value:
        return ""
    return plus_minus((figure.high - figure.low) / 2 / abs(figure.value))


def plus_minus(share):
    return f"±{100 * share:.2g} %" if share < 1 else f"±{100 * share:,.0f} %"


def shown(cell, key, best, spread=None):
    """One figure with what belongs to it; spread: by how much copies of this code differed."""
    if cell is None:
        return NOTHING
    if cell.error:
        return Shown(cell.error, "", "bad")
    if cell.absent:
        return Shown("absent", "", "hole")
    figure = cell.figure(key)
    if figure is None:
        return NOTHING
    small = [spread_note(figure)]
    if key == "ns":
        error, ratio = cell.figure("ns_se"), cell.figure("ratio")
        if figure.count == 1 and error:
            small = [plus_minus(error.value / figure.value) if figure.value else ""]
        small.append(f"{ratio.value:.2f}×" if ratio else "")
        small.append(f"copies {100 * spread:.2g} %" if spread is not None else "")
    is_best = best is not None and cell.kind != "floor" and words.is_close(figure, best, key)
    return Shown(words.say(figure.value, key), " ".join(filter(None, small)),
                 "best" if is_best else "")


def best_of(cells, key):
    """The figure that is marked: floors are not in the contest."""
    known = {cell.subject: cell for cell in cells if cell and cell.kind != "floor"
             and cell.figure(key)}
    if len(known) < 2:
        return None
    return known[words.best(known, key, known)[0]].figure(key)


def subject_table(run, caption, columns):
    """columns: [(title, {subject: cell}, key)]; a row for every subject of any column."""
    subjects = {}
    for _, known, _ in columns:
        subjects.update({name: cell.kind for name, cell in known.items()})
    bests = [best_of(known.values(), key) for _, known, key in columns]
    parts, notes, spreads = [], [], run.clone_spreads()
    for kind in data.KINDS:
        named = [name for name in subjects if subjects[name] == kind]
        if kind == "backend":
            named = [name for name in run.backends if name in subjects]
            # If no back end has a row, none was meant to: floors have sizes of their own.
            notes += missing_backends(run, subjects, columns) if named else []
        found = [(name, [shown(known.get(name), key, best, spread_of(spreads, known.get(name)))
                         for (_, known, key), best in zip(columns, bests)]) for name in named]
        if found:
            parts.append((HEADINGS[kind], found))
    notes += dict.fromkeys(f"{cell.subject}: absent ({cell.absent})" for _, known, _ in columns
                           for cell in known.values() if cell.absent)
    return Table(caption, [title for title, _, _ in columns], parts, notes)


def spread_of(spreads, cell):
    return spreads.get((cell.subject, cell.quantity, cell.parameters.get("n"))) if cell else None


def missing_backends(run, subjects, columns):
    """Why a back end has no row at all."""
    what = {cell.what for _, known, _ in columns for cell in known.values()}
    found = [f"{name}: absent ({why})" for name, why in run.absent.items()]
    for name in run.backends:
        if name not in subjects:
            why = next(filter(None, (run.why_not(name, one) for one in sorted(what))), "")
            found.append(f"{name}: no result ({why or 'and no reason recorded'})")
    return found


def own_counters(cells):
    """What these rows counted, apart from times and their checks."""
    found = dict.fromkeys(key for cell in cells for key in cell.counters())
    return [key for key in found if not ABOUT.fullmatch(key) and key != "ns"]


def has(key):
    return lambda cell: cell.figure(key) is not None


def is_latency(cells):
    return any(cell.figure("total_p50") for cell in cells)


def quantity_tables(run):
    """What has one size only, in one table; then each quantity that has several sizes, the last one
    first; then exits by size, each with its distribution."""
    exits, by_what = [], {}
    for place, cells in run.places().items():
        if has_tables_of_its_own(place, cells):
            continue
        if is_latency(cells):
            exits.append(latency_table(run, place, cells))
        else:
            by_what.setdefault(place[0], []).append((place, cells))
    by_size, single = [], []
    for what, places in by_what.items():
        if len(places) > 1:
            by_size.append(size_table(run, what, places))
        else:
            single += quantity_columns(data.title((what, ())), what, places[0][1])
    one = [subject_table(run, "one operation", single)] if single else []
    return [*one, *reversed(by_size), *exits]


def has_tables_of_its_own(place, cells):
    return place[0].startswith(("memory/", "sweep/")) or all(is_trace(cell) for cell in cells)


def latency_table(run, place, cells):
    """One size of exits, with its distribution."""
    known = {cell.subject: cell for cell in cells}
    # Without finalizers there is no drain: the row's own time is the thread's life.
    own = "life" if dict(place[1]).get("n") == 0 else "drain"
    columns = [(column_title(key).replace("drain", own), known, key)
               for key in ("ns", *LATENCIES) if any(map(has(key), cells))]
    return subject_table(run, data.title(place), columns)


def size_table(run, what, places):
    """All sizes of a quantity, beside each other."""
    columns = []
    for place, cells in places:
        size = ", ".join(f"{key} {value}" for key, value in place[1]) or "each"
        columns += quantity_columns(size, what, cells)
    return subject_table(run, data.title((what, ())), columns)


def quantity_columns(heading, what, cells):
    """The time of one place, then what its rows counted."""
    known = {cell.subject: cell for cell in cells}
    title = data.title((what, ()))
    counted = [(f"{title}, {column_title(key).removesuffix(' ns')}", known, key)
               for key in own_counters(cells) if any(map(has(key), known.values()))]
    return [(heading, known, "ns"), *counted]


def is_trace(cell):
    return not cell.error and cell.figure("ns") is None and bool(cell.order or cell.absent)


def memory_tables(run):
    """One for each place: what was counted, in columns."""
    found = []
    for place, cells in run.find(r"memory/\w+").items():
        known = {cell.subject: cell for cell in cells}
        keys = [key for key in ("ns", *own_counters(cells)) if any(map(has(key), cells))] or ["ns"]
        found.append(subject_table(run, data.title(place),
                                   [(column_title(key), known, key) for key in keys]))
    return found


# ----------------------------------------------------------------------------- sweeps, allocators


def sweep_lines(cells):
    """{what: (parameter, key, {line: {value of the parameter: cell}})}; the parameter is the one
    that takes most values, the others are part of the line's name."""
    found = {}
    for cell in cells.values():
        if cell.kind in data.KINDS and cell.parameters:
            found.setdefault(cell.quantity, []).append(cell)
    lines = {}
    for what, each in found.items():
        values = collections.defaultdict(set)
        for cell in each:
            for name, value in cell.parameters.items():
                values[name].add(value)
        parameter = max(values, key=lambda name: len(values[name]))
        keys = [key for key in ("ns", *own_counters(each))
                if any(cell.figure(key) for cell in each)]
        grouped = {}
        for cell in each:
            rest = "".join(f", {name} {value}" for name, value in cell.parameters.items()
                           if name != parameter and len(values[name]) > 1)
            if parameter in cell.parameters:
                grouped.setdefault(cell.subject + rest, {})[cell.parameters[parameter]] = cell
        lines[what] = parameter, keys[0] if keys else "ns", grouped
    return lines


def growth(points, key):
    """At the largest parameter divided by at the smallest, or None."""
    known = [cell.figure(key).value for _, cell in sorted(points.items()) if cell.figure(key)]
    return known[-1] / known[0] if len(known) > 1 and known[0] else None


def point_table(lines_of):
    """The sweeps that have one size only, beside each other; None if there are none."""
    columns = []
    for what, (parameter, key, lines) in lines_of.items():
        known = {cell.subject: cell for points in lines.values() for cell in points.values()}
        columns.append((what.replace("_", " "), known, key))
    if not columns:
        return None
    subjects = {name: cell.kind for _, known, _ in columns for name, cell in known.items()}
    parts = [(HEADINGS[kind], [(name, [shown(known.get(name), key, None)
                                       for _, known, key in columns])
                               for name in subjects if subjects[name] == kind])
             for kind in data.KINDS]
    return Table("single sizes", [heading for heading, _, _ in columns],
                 [part for part in parts if part[1]])


def sweep_table(what, parameter, key, lines):
    values = sorted({at for points in lines.values() for at in points})
    parts = {}
    # Of an exit: the drain, and the whole way to the join.
    ends = [key] + ["total_p50"] * any(cell.figure("total_p50") for points in lines.values()
                                       for cell in points.values())
    for name, points in lines.items():
        kind = next(iter(points.values())).kind
        cells = [shown(points.get(at), key, None) for at in values]
        cells = [Shown(cell.text, "", cell.mark) for cell in cells]
        for grown in (growth(points, end) for end in ends):
            cells.append(Shown(f"{grown:.2f}×") if grown else NOTHING)
        parts.setdefault(HEADINGS[kind], []).append((name, cells))
    ordered = [(heading, parts[heading]) for heading in HEADINGS.values() if heading in parts]
    return Table(what.replace("_", " "), [f"{parameter} {at:,}" for at in values]
                 + ["largest to smallest", "total, largest to smallest"][:len(ends)], ordered)


def allocator_table(run):
    """Rows: each quantity by subject; columns: the allocators, as the program saw them."""
    names = [asked if asked in seen or seen in asked else f"{asked} (the program saw {seen})"
             for asked, seen, _ in run.allocators]
    places, parts = {}, []
    for at, (_, _, cells) in enumerate(run.allocators):
        for cell in cells.values():
            if cell.kind in data.KINDS:
                places.setdefault(cell.place, {}).setdefault(cell.subject, {})[at] = cell
    for place, subjects in places.items():
        found = []
        for subject, by_allocator in subjects.items():
            cells = [shown(by_allocator.get(at), "ns", None) for at in range(len(names))]
            values = [cell.figure("ns").value for cell in by_allocator.values()
                      if cell.figure("ns")]
            ratio = (Shown(f"{max(values) / min(values):.2f}×") if len(values) > 1 and min(values)
                     else NOTHING)
            found.append((subject, [*cells, ratio]))
        parts.append((data.title(place), found))
    return Table("ns each, by the allocator under malloc", [*names, "largest to smallest"], parts)


def orders(run):
    """[(subject, [step], what is wrong, why absent)] of what was seen when a thread ended."""
    return [(cell.subject, cell.order.split(" > ") if cell.order else [], cell.error, cell.absent)
            for place, cells in run.places().items() for cell in cells
            if place[0].endswith("/ordering")]


# ----------------------------------------------------------------------------- controls and more


def interval(line):
    if not all(data.is_a(line.get(key), float) for key in ("low", "high")):
        return "–"
    return f"{line['low']:.3f} to {line['high']:.3f}"


def minimum(lines):
    changes = [line["min_change"] for line in lines if data.is_a(line.get("min_change"), float)]
    return f"{100 * max(changes):.2g} %" if changes else "–"


def control_table(run):
    """Identical code, and code made slower: one row for each pair, however often it was run."""
    grouped = {}
    for line in run.pairs:
        if line["control"]:
            key = (line["control"], line["a"], line["b"], line["quantity"], line.get("n"))
            grouped.setdefault(key, []).append(line)
    parts = {}
    for (control, a, b, quantity, size), lines in grouped.items():
        verdicts = collections.Counter(line["verdict"] for line in lines)
        is_false = control != "planted" and (verdicts["faster"] or verdicts["slower"])
        is_missed = control == "planted" and verdicts["slower"] < len(lines)
        ratios = [line["ratio"] for line in lines]
        extent = (interval(lines[0]) if len(lines) == 1 else
                  f"{min(line.get('low', line['ratio']) for line in lines):.3f} to "
                  f"{max(line.get('high', line['ratio']) for line in lines):.3f}")
        parts.setdefault(control, []).append((
            f"{a}, {b}", [
                Shown(quantity), Shown(str(size) if size is not None else "–"),
                Shown(", ".join(f"{verdict} {count}" if len(lines) > 1 else verdict
                                for verdict, count in verdicts.items()), "",
                      "bad" if is_false or is_missed else ""),
                Shown(f"{sorted(ratios)[len(ratios) // 2]:.3f}"), Shown(extent),
                Shown(minimum(lines)), Shown(processes(lines))]))
    headings = {"self": "a function with itself: the noise of time",
                "clone": "two copies of the same code: the noise of memory layout",
                "planted": "made slower on purpose"}
    return Table("controls: ratio of B to A, over process starts",
                 ["quantity", "n", "verdict", "ratio", "99.9 % interval", "could tell",
                  "processes"],
                 [(headings.get(control, control), found) for control, found in parts.items()])


def processes(lines):
    return ", ".join(sorted({str(line.get("processes", "–")) for line in lines}))


def spread_table(run):
    """By how much two copies of the same code differed: no smaller difference is one."""
    spreads = run.clone_spreads()
    places = list(dict.fromkeys(key[1:] for key in spreads))
    parts = []
    for kind in data.KINDS:
        subjects = dict.fromkeys(key[0] for key in spreads if rows.kind_of(key[0]) == kind)
        found = [(name, [Shown(f"{100 * spreads[name, *place]:.2g} %") if (name, *place) in spreads
                         else NOTHING for place in places]) for name in subjects]
        if found:
            parts.append((HEADINGS[kind], found))
    titles = [f"{quantity.replace('_', ' ')} {size if size is not None else ''}".strip()
              for quantity, size in places]
    return Table("by how much copies of the same code differ", titles, parts) if parts else None


def pair_table(run):
    found = [(f"{line['a']}, {line['b']}", [
        Shown(line["quantity"]), Shown(str(line.get("n", "–"))),
        Shown(line["verdict"] + (", confirmed" if line.get("confirmed") else "")),
        Shown(f"{line['ratio']:.3f}"), Shown(interval(line)), Shown(minimum([line])),
        Shown(processes([line]))]) for line in run.pairs if not line["control"]]
    return Table("pairs over process starts: ratio of B to A",
                 ["quantity", "n", "verdict of B", "ratio", "99.9 % interval", "could tell",
                  "processes"], [("", found)]) if found else None


def instruction_table(run):
    quantities = list(dict.fromkeys(line["quantity"] for line in run.instructions))
    known = {(line["subject"], line["quantity"]): line for line in run.instructions
             if "error" not in line}
    subjects = dict.fromkeys(line["subject"] for line in run.instructions)
    parts = []
    for kind in data.KINDS:
        found = []
        for subject in (name for name in subjects if rows.kind_of(name) == kind):
            cells = []
            for quantity in quantities:
                line = known.get((subject, quantity))
                spread = line.get("spread") if line else None
                note = plus_minus(spread / 2) if data.is_a(spread, float) else ""
                cells.append(Shown(f"{line['instructions']:,.1f}", note) if line else NOTHING)
            found.append((subject, cells))
        if found:
            parts.append((HEADINGS[kind], found))
    return Table("instructions per operation, marginal",
                 [quantity.replace("_", " ") for quantity in quantities], parts,
                 [f"{line['subject']}: no {line['quantity'].replace('_', ' ')} ({line['error']})"
                  for line in run.instructions if "error" in line])
