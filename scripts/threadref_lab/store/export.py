"""The newest usable night of a machine in the formats that other programs read.

usage: scripts/lab export --machine NAME --out DIR [--results DIR]

Writes these files into DIR of --out, each whole or not at all. --results defaults to results/ of
this repository.

  threadref.prom    for the textfile collector of Prometheus' node exporter: ratios, times, memory,
                    the controls, and when the night ended; `promtool check metrics` passes
  threadref.om      the same as OpenMetrics
  benchmark.json    for github-action-benchmark, customSmallerIsBetter
  bench.json        Google Benchmark's output, unchanged, if the night's raw output is still stored

exit status: 0 fine · 1 wrong use · 3 there is no usable night, or a file cannot be written
"""

import datetime
import json
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, UNUSABLE, Unusable
from threadref_lab.store import nights as night_list
from threadref_lab.store.files import write_whole

# Metric, key of the row, help, and the factor to base units, which Prometheus wants.
METRICS = (
    ("threadref_ratio", "ratio", "Time of one operation to the floor of the same quantity", 1),
    ("threadref_operation_seconds", "ns", "Time of one operation", 1e-9),
    ("threadref_exit_p99_seconds", "p99", "99th percentile, of the drain for exit rows", 1e-9),
    ("threadref_thread_bytes", "bytes_per_thread", "Memory of a thread's first registration", 1))
CONTROL = ("threadref_control_ratio", "Of identical code: the ratio furthest from 1")
FINISHED = ("threadref_night_finished_timestamp_seconds", "When the newest usable night ended")
FORMATS = {"threadref.prom": "", "threadref.om": "# EOF\n"}


def escaped(value):
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def sample(name, labels, value):
    text = ",".join(f'{key}="{escaped(label)}"' for key, label in labels.items())
    return f"{name}{{{text}}} {value!r}"


def gauge(name, said, samples):
    """A family: all of its samples stand together."""
    return [f"# HELP {name} {said}", f"# TYPE {name} gauge", *samples] if samples else []


def seconds_of(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def metrics(night):
    """The lines that both formats have in common."""
    common = {"machine": night.machine, "commit": night.commit}
    measured = {name: row for name, row in night.bench.items()
                if "error" not in row and "absent" not in row}
    lines = []
    for metric, key, said, unit in METRICS:
        lines += gauge(metric, said, [sample(metric, {"bench": name, **common}, row[key] * unit)
                                      for name, row in measured.items() if key in row])
    controls = (night.head.get("controls") or {}).items()
    lines += gauge(*CONTROL, [sample(CONTROL[0], {"control": name, **common}, value)
                              for name, value in controls if value is not None and name != "band"])
    return lines + gauge(*FINISHED, [sample(FINISHED[0], common,
                                            seconds_of(night.head["finished"]))])


def smaller_is_better(night):
    """What github-action-benchmark calls customSmallerIsBetter; a ratio where there is one, since
    times of other machines and days say little."""
    found = []
    for name, row in night.bench.items():
        key = "ratio" if "ratio" in row else "ns"
        if "error" in row or "absent" in row or key not in row:
            continue
        entry = {"name": name, "unit": "ratio to floor" if key == "ratio" else "ns",
                 "value": row[key]}
        samples = row.get(f"{key}_samples")
        if samples:
            entry["range"] = f"{min(samples):.4g} to {max(samples):.4g}"
        entry["extra"] = f"machine {night.machine}, commit {night.commit}"
        found.append(entry)
    return json.dumps(found, indent=1) + "\n"


def raw_of(results, night):
    """Google Benchmark's JSON of that night, or None: raw output is removed after 30 days."""
    path = results / "local" / "nightly" / night.run.name / "bench.json"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def work(options):
    stored, problems = night_list.load(options.results)
    for problem in problems:
        print(f"lab export: {problem}", file=sys.stderr)
    night = night_list.last_usable(
        night_list.of_machine(stored, options.machine, options.results))
    if night is None:
        raise Unusable(f"no night of {options.machine} is usable", UNUSABLE)
    lines = "".join(f"{line}\n" for line in metrics(night))
    files = {name: lines + end for name, end in FORMATS.items()}
    files["benchmark.json"] = smaller_is_better(night)
    raw = raw_of(options.results, night)
    if raw is not None:
        files["bench.json"] = raw
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_whole(options.out / name, text)
        print(options.out / name)
    if raw is None:
        print(f"lab export: no bench.json: the raw output of {night.run.name} is not kept here",
              file=sys.stderr)
    return FINE


def main(arguments):
    parser = Parser("lab export", __doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--machine", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return run(parser, work, arguments)
