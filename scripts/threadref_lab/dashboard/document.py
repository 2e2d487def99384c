"""Writes what the dashboard shows as one JSON document, or the page with that document in it.

usage: scripts/lab page data [--results DIR] [--html TEMPLATE] --out FILE [--judged-at TIME]

The document holds every stored night in columns: all repetitions of the newest 14 usable nights of
a machine, quantiles of older ones, and for each hole its reason. With --html it replaces the null
in the template's <script type="application/json" id="threadref-data">null</script>. FILE is
written whole or not at all.

  --results DIR      the store; default: results/ of this repository
  --html TEMPLATE    the built page without data
  --judged-at TIME   as in 2026-01-31T02:03:04Z; default: now
  --help             this text

exit status: 0 fine, also when older lines could not be read (they are named) · 1 wrong use, or
             FILE cannot be written · 3 the template has no place for the data
"""

import json
import re
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, MISUSE, UNUSABLE, Unusable
from threadref_lab.dashboard import series
from threadref_lab.regressions import detection
from threadref_lab.store import files, rows

SCHEMA = 1
OVERDUE_AFTER_HOURS = 36  # a night and a half
SIMULATED = "sim-"        # how the machines of a simulated year are called
NO_LIMIT = 999            # for the upper end of an interval that can't exclude anything
PLACE = re.compile(r'(<script\b(?=[^>]*\bid="threadref-data")[^>]*>)\s*null\s*(</script>)')
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run_document(night, recent):
    """Of older nights only the pairs that a second run was asked about: sixty that were the same
    every night would be most of the page."""
    head = night.head
    controls = head.get("controls") or {}
    return {"run": head["run"], "commit": head["commit"], "started": head["started"],
            "finished": head["finished"], "quick": head["quick"], "status": head["status"],
            "usable": night.usable, "problems": head["problems"],
            "environment": head["environment"], "environment_hash": night.environment_hash,
            "controls": {key: controls.get(key) for key in ("self", "clone", "band")},
            "pairs": [pair_row(line) for line in night.lines("pair")
                      if recent or line["confirmed"] is not None]}


def pair_row(line):
    found = {key: line[key] for key in ("series", "a_commit", "b_commit", "verdict", "confirmed",
                                        "processes", "command")}
    high = NO_LIMIT if line["high"] is None else line["high"]
    return {**found, "ratio": series.short(line["ratio"]),
            "low": series.short(line["low"]), "high": series.short(high)}


def stress_cells(nights):
    found = {}
    for night in nights:
        for name, cell in night.stress.items():
            entry = found.setdefault(name, {
                "cell": name, "scenario": cell["scenario"], "backend": cell["backend"], "run": [],
                "verdict": [], "rounds": [], "threads": [], "memory_slope": [], "outcomes": []})
            for key, value in (("run", night.at), ("verdict", cell["verdict"]),
                               ("rounds", cell.get("rounds", 0)),
                               ("threads", cell.get("threads_churned", 0)),
                               ("memory_slope", series.short(
                                   cell.get("memory_slope_bytes_per_thread")))):
                entry[key].append(value)
            entry["outcomes"].append([{key: outcome[key] for key in ("name", "grade", "count")}
                                      for outcome in cell["outcomes"]])
    return list(found.values())


def seen_in(night):
    """What may be new in a night: outcomes that nobody expects, and what sanitizers reported."""
    for cell in night.stress.values():
        for outcome in cell["outcomes"]:
            if outcome["count"] and outcome["grade"] != "acceptable":
                yield f"{cell['cell']}: {outcome['name']} ({outcome['grade']})"
    for line in night.lines("sanitizer"):
        yield from (f"{line['leg']}: {first}" for first in line.get("first", []))


def stress_nights(nights):
    found, known = [], set()
    for night in nights:
        legs = night.lines("sanitizer")
        seen = dict.fromkeys(seen_in(night))
        new = [what for what in seen if what not in known]
        known.update(seen)
        if night.totals or legs:
            totals = night.totals or {}
            found.append({
                "run": night.at, "threads": totals.get("threads_churned", 0),
                "finalizers": totals.get("finalizers_run", 0),
                "verdict": totals.get("verdict", "unknown"),
                "sanitizer_reports": sum(line.get("reports", 0) for line in legs), "new": new,
                "canaries": {line["name"]: line["seconds"] for line in night.lines("canary")}})
    return found


def matrix_nights(nights):
    found = []
    for night in nights:
        lines = night.lines("matrix")
        if lines:
            names = list(dict.fromkeys(line["row"] for line in lines))
            backends = list(dict.fromkeys(line["backend"] for line in lines))
            grades = {(line["row"], line["backend"]): line["grade"] for line in lines}
            found.append({"run": night.at, "rows": names, "backends": backends,
                          "grades": [[grades.get((name, backend), "") for backend in backends]
                                     for name in names]})
    return found


def target_rows(nights):
    lines = next((night.lines("target") for night in reversed(nights) if night.lines("target")), [])
    return [{"target": line["target"], "measured": line.get("median"), "low": line.get("low"),
             "high": line.get("high"), "limit": f"{line['sign']} {line['limit']:g}",
             "verdict": line["verdict"],
             "reason": line.get("why") or ("listed with its reason" if line["listed"] else None)}
            for line in lines]


def machine_document(machine):
    nights = machine.nights
    recent = series.newest_usable(nights)
    return {"name": machine.name,
            "runs": [run_document(night, night.at in recent) for night in nights],
            "last_usable": machine.last_usable.at if machine.last_usable else None,
            "series": series.of_machine(machine),
            "changes": [change.document() for change in machine.changes],
            "stress": stress_cells(nights), "stress_nights": stress_nights(nights),
            "matrix": matrix_nights(nights), "targets": target_rows(nights)}


def document(results, judged_at=None):
    """(the document, problems of lines that could not be read)"""
    machines, problems = detection.load(results)
    return {"schema": SCHEMA, "simulated": any(machine.name.startswith(SIMULATED)
                                               for machine in machines),
            "judged_at": judged_at or rows.now(), "verdict": detection.verdict(machines),
            "machines": [machine_document(machine) for machine in machines],
            "overdue_after_hours": OVERDUE_AFTER_HOURS,
            # The page may be copied elsewhere: no path of this machine belongs into it.
            "problems": [problem.replace(f"{results}/", "results/") for problem in problems],
            }, problems


def as_text(found):
    """One line of JSON without a '<': whatever a night says, it can't end the element it stands
    in, nor begin another."""
    text = json.dumps(found, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    # These two are line ends in scripts of old, and may be in a compiler's message.
    for character in "<\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def into_template(template, text):
    html = template.read_text(encoding="utf-8")
    if len(PLACE.findall(html)) != 1:
        raise Unusable(f"{template} needs exactly one <script type=\"application/json\" "
                       "id=\"threadref-data\">null</script>", UNUSABLE)
    return PLACE.sub(lambda place: f"{place[1]}{text}{place[2]}", html)


def write(found, problems, out, template=None):
    """Whole or not at all; into the template, if there is one."""
    for problem in problems:
        print(problem, file=sys.stderr)
    text = into_template(template, as_text(found)) if template else f"{as_text(found)}\n"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(out, text)
    except OSError as error:
        raise Unusable(f"cannot write {out}: {error.strerror}", MISUSE) from error
    print(out)


def work(options):
    if options.judged_at and not TIME.fullmatch(options.judged_at):
        raise Unusable(f"--judged-at {options.judged_at}: write it as 2026-01-31T02:03:04Z", MISUSE)
    if not options.results.is_dir():
        raise Unusable(f"--results {options.results}: there is no such folder", MISUSE)
    found, problems = document(options.results, options.judged_at)
    write(found, problems, options.out, options.html)
    return FINE


def main(arguments):
    parser = Parser("lab page data", __doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--html", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judged-at")
    return run(parser, work, arguments)
