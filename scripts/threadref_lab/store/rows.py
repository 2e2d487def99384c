"""Turns what the two programs wrote into the rows that are stored and drawn."""

import datetime
import json
import math
import re

from threadref_lab.cli.status import FINE, FORBIDDEN, INTERRUPTED, UNUSABLE
from threadref_lab.store import environment as surroundings, parts
from threadref_lab.store.parts import BROKEN, read_json

SCHEMA = 2  # of the lines that are written; lines of 1 are read
SANITIZER = 66  # what a program ends with when a sanitizer reported
CLONE = "_clone"

# finalize/exit/registry/n:16/churn:4000, and what Google Benchmark may add behind it. Its threads:
# count only there: a parameter of ours may have that name too.
NAME = re.compile(r"(?P<group>[a-z_]+)/(?P<quantity>\w+)/(?P<subject>\w+)"
                  r"(?P<parameters>(?:/\w+:\d+)*)")
ADDED = re.compile(r"(?:/(?:iterations:\d+|repeats:\d+|min_time:[\d.]+|min_warmup_time:[\d.]+"
                   r"|manual_time|real_time|process_time))+(?:/threads:\d+)?$")

# How the label of a row begins that could not be measured here; the reason follows.
ABSENT = "absent: "

# Counters that are whole numbers; Google Benchmark writes 1.6e+01.
COUNTS = ("n", "alive")

# What Google Benchmark writes into every entry; the rest are our counters.
NOT_COUNTERS = {"family_index", "per_family_instance_index", "repetitions", "repetition_index",
                "iterations", "real_time", "cpu_time"}

# Of the context that Google Benchmark writes by itself: where somebody's files are and what the
# host is called is nobody's business, and the rest is said better by our own keys.
NOT_STORED = {"host_name", "executable", "date", "num_cpus", "mhz_per_cpu", "cpu_scaling_enabled",
              "caches", "load_avg", "library_build_type", "aslr_enabled"}


def parameters(name):
    """{"n": 16, "churn": 4000} of a benchmark's name."""
    return {key: int(value) for key, value in re.findall(r"/(\w+):(\d+)(?=/|$)", name)}


def kind_of(subject):
    """A floor is what nothing can beat, a peer has no contract, the rest are back ends.

    A clone is a second copy of a subject's code: a control, no contestant.
    """
    if subject.endswith(CLONE):
        return "clone"
    for prefix in ("floor", "peer", "canary"):
        if subject.startswith(prefix + "_"):
            return prefix
    return "backend"


def bench_row(entry):
    """One row, or None for an entry that is not a single measurement under our naming."""
    name = ADDED.sub("", entry["name"])
    parts = NAME.fullmatch(name)
    if entry.get("run_type", "iteration") != "iteration" or not parts:
        return None
    row = {**parameters(name), "name": name,
           **{key: parts[key] for key in ("group", "quantity", "subject")}}
    label = entry.get("label", "")
    if label.startswith(ABSENT):
        return {**row, "absent": label.removeprefix(ABSENT)}  # it has no figures
    if label:
        row["order"] = label.removeprefix("order=")
    if entry.get("error_occurred"):
        row["error"] = entry.get("error_message", "an error without a message")
        return row  # its counters were not measured
    for key, value in entry.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and key not in NOT_COUNTERS and math.isfinite(value):
            row.setdefault(key, int(value) if key in COUNTS else value)
    return row


def bench_rows(document):
    """Each name once; repetitions are the bench's business, and it writes them as one row."""
    found = {}
    for entry in document.get("benchmarks", []):
        row = bench_row(entry)
        if row and (row["name"] not in found or "error" in row):
            found[row["name"]] = row
    return list(found.values())


def broken(row):
    """What a row lost, doubled or misordered. Peers have no contract to break."""
    if kind_of(row["subject"].removesuffix(CLONE)) != "backend":
        return ""
    return ", ".join(f"{row[key]:g} {key}" for key in BROKEN if row.get(key))


def stress_rows(document):
    cells = [dict(cell) for cell in document.get("cells", [])]
    totals = {key: document[key] for key in
              ("seed", "build_type", "commit", "verdict", "status") if key in document}
    totals.update(document.get("totals", {}))
    return cells, totals


# ----------------------------------------------------------------------------- one whole run


def tables(paths, problems):
    """What ought to be there, as the programs' --describe say: without it no hole could be seen."""
    backends, absent, not_run, scenarios = {}, {}, {}, {"bench": {}, "stress": {}}
    for path in paths:
        document = read_json(path, problems)
        backends.update({entry["name"]: True for entry in document.get("backends", [])})
        absent.update({entry["name"]: {"name": entry["name"], "why": entry["why"]}
                       for entry in document.get("absent", [])})
        for row in document.get("scenarios", []):
            for tool in row["tools"]:
                scenarios.setdefault(tool, {})[row["name"]] = True
        for cell in document.get("cells", []):
            if cell.get("status") not in ("run", "deviates"):
                not_run[cell["backend"], cell["scenario"]] = {
                    key: str(cell.get(key, "")) for key in
                    ("backend", "scenario", "status", "why")}
    return {"backends": list(backends), "absent": list(absent.values()),
            "not_run": list(not_run.values()),
            "scenarios": {tool: list(names) for tool, names in scenarios.items()}}


def usable_status(text, problems):
    """NAME=N -> (name, status of our list): reports a signal or any other number as a crash."""
    name, _, number = text.partition("=")
    code = int(number)
    if code in (0, 1, 2, 3, 4, INTERRUPTED):
        return name, code
    why = f"by signal {code - 128}" if code > 128 else f"with status {code}"
    problems.append(f"{name} ended {why}" + (": a sanitizer reported" if code == SANITIZER else ""))
    return name, UNUSABLE


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def environment(document):
    return {key: value if isinstance(value, str) else json.dumps(value)
            for key, value in document.get("context", {}).items() if key not in NOT_STORED}


def judge_rows(bench_found, cells, statuses, problems):
    """The worst status that a row or cell is worth; each bad one is reported."""
    status = FINE
    for row in bench_found:
        if "error" in row:
            problems.append(f"{row['name']}: {row['error']}")
            # The bench itself knows best which status its error is worth.
            status = max(status, statuses.get("bench") or UNUSABLE)
        elif broken(row):
            problems.append(f"{row['name']}: {broken(row)}")
            status = max(status, FORBIDDEN)
    for cell in cells:
        if cell.get("verdict") != "passed":
            seen = "".join(f", {outcome['name']} {outcome['count']}" for outcome in
                           cell.get("outcomes", []) if outcome["count"]
                           and outcome["grade"] == "forbidden")
            problems.append(f"{cell.get('cell')}: {cell.get('verdict')}{seen}")
            status = max(status, FORBIDDEN if cell.get("verdict") == "failed" else UNUSABLE)
    return status


def measured(options, problems):
    """(rows of all process starts, the first one's document)"""
    first = read_json(options.bench, problems)
    more = sorted(options.raw.glob("process-*.json")) if options.raw else []
    starts = [first, *(read_json(path, problems) for path in more)]
    found = parts.of_processes(bench_rows(document) for document in starts)
    if options.bench and not found:
        problems.append("the bench left no row")
    if options.raw and found:
        parts.add_drains(found, options.raw / "samples.jsonl", problems)
    return found, first


def canary_names(paths):
    """What --describe lists as broken on purpose."""
    found = {}
    for path in paths:
        document = read_json(path, [])
        for each in (*document.get("canaries", []), *document.get("rare_canaries", [])):
            found[each["name"]] = True
    return list(found)


def collect(options):
    """(head, rows) of the run that these options name. options.raw: the folder with what else a
    night left, if it was one; options.first: what environment.before() said."""
    holes, findings = [], []
    statuses = dict(usable_status(text, holes) for text in options.status)
    bench_found, bench = measured(options, holes)
    stress = read_json(options.stress, holes)
    cells, totals = stress_rows(stress)
    if options.stress and not cells:
        holes.append("the stress run left no cell")
    described = tables(options.describe, holes)
    found = parts.collect(options.raw, statuses, canary_names(options.describe), holes, findings) \
        if options.raw else []
    status = max([*statuses.values(), UNUSABLE if holes else FINE,
                  judge_rows(bench_found, cells, statuses, findings)])
    is_usable, why = parts.usable(found, statuses)
    block = surroundings.observe(options.program, options.first or surroundings.before(),
                                 environment(bench))

    common = {"schema": SCHEMA, "run": options.run, "machine": options.machine}
    commit = bench.get("context", {}).get("commit") or stress.get("commit") or "unknown"
    head = {**common, "kind": "run", "commit": commit, "started": options.started,
            "finished": now(), "quick": options.quick, "statuses": statuses,
            "status": status if is_usable else max(status, UNUSABLE),
            "problems": why + holes + findings, "usable": is_usable,
            "controls": {"self": parts.furthest(found, "self"),
                         "clone": parts.furthest(found, "clone"), "band": parts.band(found)},
            "environment": block, "environment_hash": surroundings.hash_of(block),
            "sentence": "", "changes": [], **described}
    lines = [{"kind": "bench", **row} for row in bench_found]
    lines += [{"kind": "stress", **cell} for cell in cells]
    if totals:
        lines.append({"kind": "stress_totals", **totals})
    return head, [{**line, **common} for line in lines + found]
