"""The columns of one series for the dashboard: values, intervals, samples or quantiles, and for
each hole its reason."""

from threadref_lab.stats import intervals
from threadref_lab.store import rows

SAMPLED_RUNS = 14  # the newest usable runs of a machine keep every repetition
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LATENCIES = ("p50", "p90", "p99", "p999", "max")
# What a memory row counts, and the kind of each.
MEMORY = {"bytes_per_thread": "bytes", "bytes_per_finalizer": "bytes", "retained_bytes": "bytes",
          "allocations_first": "count", "allocations_each": "count"}
MEASURED_GROUPS = ("finalize", "ref", "worker")  # the times that every back end is asked for
TINY_FLOOR = "no ratio: its floor is below what the clock sees"
NO_TIME = "this row measures no time: what it saw is in the order"


def short(value, digits=5):
    """Five digits are more than any of these figures is good for; a year has to stay small."""
    if value is None:
        return None
    text = float(f"{value:.{digits}g}")
    return int(text) if text == int(text) else text


def newest_usable(nights):
    """The places of the runs that keep all repetitions."""
    return {night.at for night in [night for night in nights if night.usable][-SAMPLED_RUNS:]}


def quantiles(samples):
    """[min, p5, p25, p50, p75, p95, max]; linear between order statistics."""
    ordered = sorted(samples)

    def at(share):
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return [ordered[0], *map(at, QUANTILES), ordered[-1]]


def without_subject(name):
    group, quantity, _, *parameters = name.split("/")
    return group, quantity, *parameters


def floor_words(name, nights):
    """Which floor a ratio is to, in words."""
    wanted = without_subject(name)
    for night in reversed(nights):
        floors = [row["subject"] for other, row in night.bench.items()
                  if rows.kind_of(row["subject"]) == "floor" and without_subject(other) == wanted]
        if floors:
            return "the floor: " + " or ".join(
                floor.removeprefix("floor_").replace("_", " ") for floor in floors)
    return "the floor of that quantity"


def rows_parts(name):
    parts = rows.NAME.fullmatch(name)
    return {**rows.parameters(name), **{key: parts[key] for key in ("group", "quantity",
                                                                    "subject")}}


def empty(name, kind, to=None):
    if rows.NAME.fullmatch(name):
        parts = rows_parts(name)
    else:
        group, quantity, subject = (*name.split("/"), "", "")[:3]
        parts = {"group": group, "quantity": quantity, "subject": subject}
    return {"name": name, "group": parts["group"], "quantity": parts["quantity"],
            "subject": parts["subject"], "parameters": rows.parameters(name), "kind": kind,
            "to": to, "run": [], "value": [], "low": [], "high": [], "ns": [], "why": {},
            "samples": {}, "quantiles": {}, "latency": {}, "order": {}, "change_points": []}


def add(series, night, value, *, low=None, high=None, ns=None, why=None):
    """A point; None with its reason is a hole."""
    at = str(len(series["run"]))
    series["run"].append(night.at)
    for key, figure in (("value", value), ("low", low), ("high", high), ("ns", ns)):
        series[key].append(short(figure))
    if value is None:
        series["why"][at] = why
    return at


def add_samples(series, at, samples, recent):
    if samples and recent:
        series["samples"][at] = [short(sample) for sample in samples]
    elif samples:
        series["quantiles"][at] = [short(figure, 4) for figure in quantiles(samples)]


def interval_of(row, key, samples):
    """What the row says itself, else that of its samples, else of its standard error."""
    if f"{key}_low" in row and f"{key}_high" in row:
        return row[f"{key}_low"], row[f"{key}_high"]
    low, _, high = intervals.interval(samples) if samples else (0, 0, 0)
    if low > 0:
        return low, high
    if key == "ns" and "ns_se" in row:
        return row["ns"] - 3.29 * row["ns_se"], row["ns"] + 3.29 * row["ns_se"]
    return None, None


def backends(nights):
    """Every back end that any of these nights knows, in the order of the newest table."""
    names = {}
    for night in reversed(nights):
        for name in night.head["backends"]:
            names.setdefault(name)
        for row in night.bench.values():
            if rows.kind_of(row["subject"]) == "backend":
                names.setdefault(row["subject"])
        for cell in night.stress.values():
            if rows.kind_of(cell["backend"]) == "backend":
                names.setdefault(cell["backend"])
        for entry in night.head["absent"]:
            names.setdefault(entry["name"])
    return list(names)


def hole(night, name):
    """Why this night has no such row: the best reason that it gives itself."""
    parts, head = rows_parts(name), night.head
    row = night.bench.get(name, {})
    if "error" in row:
        return f"error: {row['error']}"
    if "absent" in row:
        return f"absent: {row['absent']}"
    backend, scenario = parts["subject"], f"{parts['group']}/{parts['quantity']}"
    if rows.kind_of(backend) == "backend":
        for entry in head["absent"]:
            if entry["name"] == backend:
                return f"absent: {entry['why']}"
        for cell in head["not_run"]:
            if (cell["backend"], cell["scenario"]) == (backend, scenario):
                return f"{cell['status']}: {cell['why']}"
        if head["backends"] and backend not in head["backends"]:
            return "absent: not among the back ends of that build"
    code = head["statuses"].get("bench")
    return f"no result; bench ended with {code}" if code else "no result, and no reason recorded"


def bench_series(name, nights, sampled):
    """The history of one row, from the first night that has it; `sampled`: the newest usable."""
    first = next(night.at for night in nights if name in night.bench)
    have = [night.bench[name] for night in nights if name in night.bench]
    key = "ratio" if any("ratio" in row for row in have) else "ns"
    series = empty(name, key, floor_words(name, nights) if key == "ratio" else None)
    for night in nights[first:]:
        row = night.bench.get(name)
        if row is None or "error" in row or "absent" in row:
            add(series, night, None, why=hole(night, name))
            continue
        samples = row.get(f"{key}_samples") or []
        low, high = interval_of(row, key, samples)
        why = TINY_FLOOR if "ns" in row else NO_TIME
        at = add(series, night, row.get(key), low=low, high=high, ns=row.get("ns"), why=why)
        add_samples(series, at, samples, night.at in sampled)
        if "order" in row:
            series["order"][at] = row["order"]
        if night.at in sampled and row["quantity"].startswith("exit") and "p50" in row:
            series["latency"][at] = {name: short(row[name]) for name in LATENCIES if name in row}
    return series


def memory_series(name, nights):
    """One series for each count of a memory row."""
    for key, kind in MEMORY.items():
        have = [night for night in nights if key in night.bench.get(name, {})]
        if not have:
            continue
        series = {**empty(name, kind), "name": f"{name}/{key}"}
        for night in nights[have[0].at:]:
            value = night.bench.get(name, {}).get(key)
            add(series, night, value, why=None if value is not None else hole(night, name))
        yield series


def never_measured(nights, known):
    """Cells that the programs say exist and no night has: a hole in the newest night."""
    last = nights[-1]
    measured = {tuple(name.split("/")[:3]) for name in known}
    for scenario in last.head["scenarios"].get("bench", []):
        group, _, quantity = scenario.partition("/")
        if group not in MEASURED_GROUPS:
            continue
        for backend in backends(nights):
            if (group, quantity, backend) not in measured:
                name = f"{group}/{quantity}/{backend}"
                series = empty(name, "ratio")
                add(series, last, None, why=hole(last, name))
                yield series


def instruction_series(nights, sampled):
    found = {}
    for night in nights:
        lines = {(line["quantity"], line["subject"]): line for line in night.lines("instructions")}
        for key in lines:
            name = f"instructions/{key[0]}/{key[1]}"
            found.setdefault(key, empty(name, "instructions"))
        for key, series in found.items():
            line = lines.get(key, {})
            value = line.get("instructions")
            runs = line.get("runs") or []
            low, high = min(runs, default=None), max(runs, default=None)
            at = add(series, night, value, low=low, high=high,
                     why=line.get("error", "not counted in this run"))
            add_samples(series, at, runs, night.at in sampled)
    return list(found.values())


def mark(series, points):
    """Puts change points, which are known by run, at their place in the columns."""
    for run, point, of_code in points:
        series["change_points"].append({
            "at": series["run"].index(run), "before": short(point.before),
            "after": short(point.after), "p": float(f"{point.p:.2g}"),
            "cause": "code" if of_code else "machine"})


def of_machine(machine):
    """All series of one machine, with its change points."""
    nights = machine.nights
    sampled = newest_usable(nights)
    names = list(dict.fromkeys(name for night in reversed(nights) for name in night.bench))
    found = []
    for name in names:
        if name.startswith("memory/"):
            found += memory_series(name, nights)
        else:
            found.append(bench_series(name, nights, sampled))
            mark(found[-1], machine.points.get(name, []))
    return found + list(never_measured(nights, names)) + instruction_series(nights, sampled)
