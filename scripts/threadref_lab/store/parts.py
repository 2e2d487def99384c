"""Turns what the parts of a night left in its raw folder into the lines that are stored: one list
of file names, and of what becomes of each."""

import json
import math
import re
import statistics

from threadref_lab.stats import intervals

DRAINS_KEPT = 64  # of the single drains of a row, evenly by rank
BROKEN = ("lost", "doubled", "misordered")
# How a report of each sanitizer begins.
REPORT = re.compile(r"^(?:=+\d+=+)?\s*((?:WARNING|ERROR|SUMMARY): \w+Sanitizer: .*)$", re.M)


def read_json(path, problems):
    """The document, or {} with the reason among the problems: a hole is reported, never hidden."""
    if path is None:
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
    except json.JSONDecodeError as error:
        problems.append(f"{path.name}: not whole JSON ({error})")
    else:
        if isinstance(document, dict):
            return document
        problems.append(f"{path.name}: not a JSON object")
    return {}


def read_lines(path, problems):
    """The documents of a file of JSON lines, or of one JSON array; [] with the reason reported."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if text.startswith("[") else [
            json.loads(line) for line in text.splitlines()]
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
    except json.JSONDecodeError as error:
        problems.append(f"{path.name}: not whole JSON ({error})")
    return []


# ----------------------------------------------------------------------------- the benchmarks


def rounded(value):
    """Six digits are more than any clock gives, and keep a year of nights small; whole numbers,
    which are counts and bytes, stay as they are."""
    return int(value) if value == int(value) else float(f"{value:.6g}")


def add_samples(row, key, values):
    """The figure of each process start, and what they say of the median."""
    row[f"{key}_samples"] = [rounded(value) for value in values]
    low, _, high = intervals.interval(values)
    if math.isfinite(high):
        row[f"{key}_low"], row[f"{key}_high"] = rounded(low), rounded(high)


def merged(found):
    """One row of the same row of several process starts: the median of what each said."""
    failed = [row for row in found if "error" in row]
    if failed or "absent" in found[0]:
        return dict((failed or found)[0])
    row = dict(found[0])
    for key, value in found[0].items():
        values = [each[key] for each in found if key in each]
        if key in BROKEN:
            row[key] = max(values)
        elif not isinstance(value, str):
            row[key] = rounded(statistics.median(values))
    for key in ("ns", "ratio"):
        if key in row:
            add_samples(row, key, [each[key] for each in found if key in each])
    row["processes"] = len(found)
    return row


def of_processes(starts):
    """The rows of all process starts, each name once."""
    found = {}
    for start in starts:
        for row in start:
            found.setdefault(row["name"], []).append(row)
    return [merged(each) for each in found.values()]


def thinned(values, most=DRAINS_KEPT):
    if len(values) <= most:
        return values
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]


def add_drains(rows, path, problems):
    """The single drains of the first start, for histograms; the rest of them stays raw."""
    drains = {line["name"]: line["samples"] for line in read_lines(path, problems)
              if line.get("what") == "drain"}
    for row in rows:
        if drains.get(row["name"]) and "error" not in row:
            row["drain_samples"] = thinned(sorted(drains[row["name"]]))


# ----------------------------------------------------------------------------- the other parts


def controls(raw, holes, _):
    return [{**line, "kind": "control"} for line in read_lines(raw / "controls.jsonl", holes)]


def pairs(raw, holes, _):
    """Of lab compare between two builds: a line a series. Its sides are named by their commits."""
    lines, state = [], read_json(raw / "night.json", holes)
    a, b = state.get("partner", {}).get("commit", "unknown"), state.get("commit", "unknown")
    for line in read_lines(raw / "pair" / "compare.json", holes):
        kept = {key: line[key] for key in (
            "ratio", "low", "high", "least", "min_change", "verdict", "confirmed", "processes",
            "ratios", "a_ns", "b_ns")}
        lines.append({"kind": "pair", "series": line["name"], "a_commit": a, "b_commit": b, **kept,
                      "command": command_of_pair(a, b, line["name"])})
    return lines


def series_filter(series):
    """A regular expression for one series and its floors, which bound what a difference is."""
    group, quantity, subject, *rest = series.split("/")
    return f"^{group}/{quantity}/({subject}|floor_[a-z_]+)/{'/'.join(rest)}(/|$)"


def command_of_pair(a, b, series):
    """Of a tree with changes there is a build only."""
    side = "build/release" if b.endswith("-dirty") else b
    return f"scripts/lab compare {a} {side} --filter '{series_filter(series)}'"


def instructions(raw, holes, _):
    return read_lines(raw / "instructions.jsonl", holes)


def grade_of(cell, promise, has_contract):
    """What a word of the matrix is worth. Peers are shown by the same promise, and not judged."""
    if cell["word"] in ("absent", "n/a"):
        return ""
    if cell["word"] == "unknown" or cell["verdict"] == "unknown":
        return "unknown"
    if not has_contract:
        return "kept" if cell["word"] in (promise, "guaranteed") else "broken"
    if cell["verdict"] == "failed":
        return "broken"
    return "declared" if cell.get("promise", promise) != promise else "kept"


def matrix(raw, holes, findings):
    document = read_json(raw / "matrix" / "matrix.json", holes)
    promises = {row["event"]: row["promise"] for row in document.get("rows", [])}
    contract = {column["mechanism"]: column["contract"] for column in document.get("columns", [])}
    for cell in document.get("cells", []):
        grade = grade_of(cell, promises.get(cell["event"]), contract.get(cell["mechanism"]))
        if contract.get(cell["mechanism"]) and grade in ("broken", "unknown"):
            findings.append(f"matrix {cell['cell']}: {cell['word']} ({cell['why']})")
        yield {"kind": "matrix", "row": cell["event"], "backend": cell["mechanism"],
               "word": cell["word"], "grade": grade, "why": cell["why"], "command": cell["again"]}


def targets(raw, holes, _):
    document = read_json(raw / "targets.json", holes)
    return [{**line, "kind": "target", "decides": document["decides"]}
            for line in document.get("targets", [])]


def canaries(raw, holes, _, names=()):
    """One of each: how long until the first cell caught it. `names`: those that had to be."""
    caught = {}
    for name in ("stress-canaries.json", "stress-rare.json"):
        document = read_json(raw / name, holes)
        for cell in document.get("cells", []):
            if "caught_after_seconds" in cell:
                caught.setdefault(cell["backend"], []).append(
                    (cell["caught_after_seconds"], cell["cell"]))
        for cell in document.get("events", []):
            if cell["verdict"] == "failed":
                caught.setdefault(cell["mechanism"], []).append((cell["seconds"], cell["cell"]))
    for name in dict.fromkeys([*names, *caught]):
        seconds, cell = min(caught.get(name, [(None, None)]))
        yield {"kind": "canary", "name": name, "seconds": seconds, "cell": cell}


def reports_of(text):
    """The first line of each report in a log; the closing SUMMARY only repeats it."""
    return [line for line in REPORT.findall(text) if not line.startswith("SUMMARY")]


def sanitizers(raw, holes, findings):
    for leg in ("tsan",):
        document = read_json(raw / f"{leg}.json", holes)
        text = (raw / f"{leg}.log").read_text(encoding="utf-8", errors="replace")
        found = reports_of(text)
        totals = document.get("totals", {})
        cells = document.get("cells", [])
        failed = [cell["cell"] for cell in cells if cell["verdict"] == "failed"]
        findings.extend(f"{leg}: {report}" for report in found[:3])
        findings.extend(f"{leg}: {cell} failed" for cell in failed)
        yield {"kind": "sanitizer", "leg": leg, "reports": len(found), "first": found[:10],
               "verdict": document.get("verdict", "unknown"), "failed": failed,
               "threads_churned": totals.get("threads_churned", 0),
               "finalizers_run": totals.get("finalizers_run", 0)}


# Which lines each step of scripts/threadref_lab/nightly/steps.py gives.
OF_STEP = {"controls": controls, "pair": pairs, "instructions": instructions, "matrix": matrix,
           "targets": targets, "stress_rare": canaries, "tsan": sanitizers}


def collect(raw, steps, canary_names, holes, findings):
    """The lines of all steps that were taken. What one of them did not leave is among the holes,
    what it found is among the findings."""
    lines = []
    for step, found in OF_STEP.items():
        if step in steps:
            more = (canary_names,) if found is canaries else ()
            lines += found(raw, holes, findings, *more)
    return lines


# ----------------------------------------------------------------------------- the head


def furthest(lines, control):
    """Of controls of one kind, the ratio furthest from 1; null: there is none."""
    return max((line["ratio"] for line in lines if line.get("control") == control),
               key=lambda ratio: abs(ratio - 1), default=None)


def band(lines):
    """Half the widest interval of a function beside itself: what this run calls noise."""
    return max(((line["high"] - line["low"]) / 2 for line in lines
                if line.get("control") == "self" and line["high"] is not None), default=None)


def doubts(lines):
    """What controls say against their run, each in a sentence."""
    for line in lines:
        what = f"{line['quantity']}/n:{line['n']}" if line["kind"] == "control" else ""
        if line.get("control") == "self" and abs(line["ratio"] - 1) > intervals.SELF_LIMIT:
            yield (f"{line['a']} differed from itself by {line['ratio'] - 1:+.1%} in {what}: this "
                   "run says nothing; is the machine busy?")
        elif line.get("control") in ("self", "clone") and line["verdict"] in ("faster", "slower"):
            yield (f"{line['a']} and {line['b']}, the same code, were reported as different in "
                   f"{what}")


def usable(lines, statuses):
    """(is it, sentences that say why not): a run that can't be believed gates nothing."""
    why = list(doubts(lines))
    if statuses.get("controls") and not why:
        why += [f"4 % more work in {line['quantity']}/n:{line['n']} of {line['a']} was not found: "
                "this run could not have found what it looks for; is the machine busy?"
                for line in lines
                if line.get("control") == "planted" and line["verdict"] != "slower"]
    if statuses.get("controls") and not why:
        why.append(f"the controls ended with {statuses['controls']}: nothing says that the figures "
                   "can be believed")
    return not why, why
