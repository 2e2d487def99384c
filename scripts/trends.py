#!/usr/bin/python3
"""What the nights of one machine say together: series, the last table, and every hole by name."""

import rows

NIGHTS_MAX = 60
MEASURED_GROUPS = ("finalize", "ref")  # the times that nightly.sh asks the bench for
LATENCIES = ("p50", "p90", "p99", "p999", "max", "total_p50", "total_p99", "total_p999")
# Differs every night and says nothing by that.
RESTLESS = ("load", "steal", "clock_read_ns", "seed")
TINY_FLOOR = "no ratio: its floor is below what the clock sees"


class Hole:
    """A result that is not there: why, and in one word; a plain "hole" is one nobody expected."""

    def __init__(self, why, word="hole"):
        self.why, self.word = why, word
        self.unexpected = word == "hole"


def cell_key(row):
    """Whatever else a name says comes behind: two rows never share a key."""
    others = {key: value for key, value in rows.parameters(row["name"]).items()
              if key not in ("n", "churn")}
    return row["group"], row["quantity"], row.get("n"), row.get("churn"), *others.items()


def title(key):
    group, quantity, size, churn, *others = key
    text = quantity.replace("_", " ")
    if group != "finalize":
        text = f"{group} {text}"
    if churn:
        text += f", {churn} threads alive"
    if size is not None:
        text += f", {size} finalizer" + ("" if size == 1 else "s")
    return text + "".join(f", {name.replace('_', ' ')} {value}" for name, value in others)


def backends(runs):
    """Every back end that any of these nights knows, in the order of the newest table."""
    names = {}
    for run in reversed(runs):
        for name in run.head["backends"]:
            names.setdefault(name)
        for row in run.bench.values():
            if rows.kind_of(row["subject"]) == "backend":
                names.setdefault(row["subject"])
        for cell in run.stress.values():
            if rows.kind_of(cell["backend"]) == "backend":
                names.setdefault(cell["backend"])
        for entry in run.head["absent"]:
            names.setdefault(entry["name"])
    return list(names)


def hole(run, tool, backend, scenario):
    """With the best reason that the run itself gives for a result it does not hold."""
    for entry in run.head["absent"]:
        if entry["name"] == backend:
            return Hole(entry["why"], "absent")
    for cell in run.head["not_run"]:
        if cell["backend"] == backend and cell["scenario"] == scenario:
            return Hole(cell["why"], cell["status"])
    if run.head["backends"] and backend not in run.head["backends"]:
        return Hole("not among the back ends of that build", "absent")
    if run.head["statuses"].get(tool):
        return Hole(f"no result; {tool} ended with {run.head['statuses'][tool]}")
    return Hole("no result, and no reason recorded")


def bench_cell(run, key, backend):
    """The row of that night, or a Hole."""
    for row in run.bench.values():
        if row["subject"] == backend and cell_key(row) == key:
            return Hole(f"error: {row['error']}") if "error" in row else row
    group, quantity = key[:2]
    return hole(run, "bench", backend, f"{group}/{quantity}")


def bench_keys(runs):
    """What back ends were measured for on any night, in the order of the newest that has it."""
    keys = {}
    for run in reversed(runs):
        for row in run.bench.values():
            if rows.kind_of(row["subject"]) == "backend" and is_timed_or_trace(row):
                keys.setdefault(cell_key(row))
    measured = {key[:2] for key in keys}
    for run in runs:
        for name in run.head["scenarios"].get("bench", []):
            group, _, quantity = name.partition("/")
            if (group, quantity) not in measured and group in MEASURED_GROUPS:
                keys.setdefault((group, quantity, None, None))
    order = {quantity: at for at, quantity in enumerate(dict.fromkeys(key[1] for key in keys))}
    return sorted(keys, key=lambda key: (order[key[1]], key[3] or 0, key[2] or 0))


def series(runs):
    """[(key, {back end: [ratio or None, one a night]}, [hole sentences])]

    A back end without any figure has no line, and is named under the table of the last night.
    """
    names, found = backends(runs), []
    for key in bench_keys(runs):
        lines, holes = {}, []
        for name in names:
            cells = [bench_cell(run, key, name) for run in runs]
            ratios = [None if isinstance(cell, Hole) else cell.get("ratio") for cell in cells]
            if not any(ratio is not None for ratio in ratios):
                continue
            lines[name] = ratios
            for run, cell, ratio in zip(runs, cells, ratios):
                if ratio is None:
                    why = cell.why if isinstance(cell, Hole) else TINY_FLOOR
                    holes.append((name, why, run.name))
        if lines:
            found.append((key, lines, hole_sentences(holes, "not on")))
    return found


def hole_sentences(holes, verb, everything=0):
    """(back end, why, what) -> one sentence per back end and reason, not one per hole."""
    grouped, sentences = {}, []
    for name, why, what in holes:
        grouped.setdefault((name, why), []).append(what)
    for (name, why), missed in grouped.items():
        what = "; ".join(missed[:4]) + (f" and {len(missed) - 4} more" if len(missed) > 4 else "")
        if len(missed) == everything:
            what = "any row"
        sentences.append(f"{name}: {verb} {what} ({why})")
    return sentences


def table_holes(table, names):
    """The sentences under a table whose rows are (title, ..., [row or Hole, one a back end])."""
    holes = [(name, f"{cell.word}: {cell.why}" if not cell.unexpected else cell.why, heading)
             for heading, *_, cells in table
             for name, cell in zip(names, cells) if isinstance(cell, Hole)]
    return hole_sentences(holes, "not for", len(table))


def unexpected_holes(table):
    return sum(isinstance(cell, Hole) and cell.unexpected for *_, cells in table for cell in cells)


def last_table(run, names, keys):
    """[(title, floor in ns or None, [row or Hole, one a back end])]"""
    table = []
    for key in keys:
        cells = [bench_cell(run, key, name) for name in names]
        floors = [cell["floor_ns"] for cell in cells
                  if not isinstance(cell, Hole) and cell.get("floor_ns")]
        table.append((title(key), min(floors) if floors else None, cells))
    return table


def others_table(run):
    """[(title, [(floor or peer, row)])] of the newest night; floors have sizes of their own too."""
    table = {}
    for row in run.bench.values():
        if (rows.kind_of(row["subject"]) in ("floor", "peer") and not is_trace(row)
                and is_timed_or_trace(row)):
            table.setdefault(cell_key(row), []).append((row["subject"], row))
    return [(title(key), pairs) for key, pairs in table.items()]


def is_timed_or_trace(row):
    """Memory is counted, and has no place in tables of times."""
    return row["group"] != "memory"


def is_trace(row):
    """Some rows measure no time: what they saw is in the order."""
    return ("ns" not in row and "error" not in row and "order" in row
            and is_timed_or_trace(row))


def orders(run):
    """[(title, [(subject, order)])]: the traces of the newest night."""
    table = {}
    for row in run.bench.values():
        if is_trace(row):
            table.setdefault(row["quantity"].replace("_", " "), []).append(
                (row["subject"], row["order"]))
    return list(table.items())


def latency_table(run, names, keys):
    """[(title, back end, row)] of the exit rows: a distribution, never a mean alone."""
    return [(title(key), name, cell) for key in keys if key[1].startswith("exit")
            for name in names for cell in [bench_cell(run, key, name)]
            if not isinstance(cell, Hole) and cell.get("p50")]


def stress_table(runs, names):
    """[(scenario, [cell or Hole, one a back end])] of the newest night; scenarios of any night."""
    run, scenarios = runs[-1], {}
    for night in reversed(runs):
        for name in night.head["scenarios"].get("stress", []):
            scenarios.setdefault(name)
        for cell in night.stress.values():
            scenarios.setdefault(cell["scenario"])
    return [(scenario, [run.stress.get(f"{scenario}/{name}")
                        or hole(run, "stress", name, scenario) for name in names])
            for scenario in scenarios]


def environment_table(runs):
    """(columns, [(run, [(text, differs from the night before)])]), newest night first."""
    columns = list(dict.fromkeys(key for run in reversed(runs) for key in run.head["environment"]))
    table, before = [], None
    for run in runs:
        values = [run.head["environment"].get(key) for key in columns]
        cells = [("not recorded" if value is None else value,
                  before is not None and value != before[at] and
                  not columns[at].startswith(RESTLESS))
                 for at, value in enumerate(values)]
        table.append((run, cells))
        before = values
    return columns, table[::-1]

