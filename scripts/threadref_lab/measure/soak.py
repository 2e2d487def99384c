#!/usr/bin/python3
"""What soak.sh needs of its runs: which scenarios, how long the next one, and the table.

usage: soak.py filter --tool NAME FOLDER           a --filter for its scenarios, and nothing else
       soak.py seconds --tool NAME --left SECONDS FOLDER
       soak.py merge --duration TEXT FOLDER
FOLDER holds describe.json, runs.jsonl and what the runs wrote. `merge` writes soak.json there and
prints the table.

exit status: 0 fine · 1 wrong use · 2 a forbidden outcome · 3 a crash, or a report of a tool
"""

import json
import sys
from pathlib import Path

import rows
import store
from starts import Parser

FINE, UNUSABLE = 0, 3

# The runtime of clang-19 keeps 0.35 KiB of each thread that ever was: 1.7 GB of as many as these.
THREADS_MOST = {"clang19-tsan": 5_000_000}
# valgrind runs no program that is started by the name of the running one, as the pool's child is.
LEFT_OUT = {"memcheck": ("pool",)}
RATE_AT_FIRST = 10_000  # threads in a second: until one run has told, more than any tool brings
MARGIN = 0.9


def read_runs(folder):
    """The runs so far, each with its document, or {} if it left none."""
    try:
        lines = (folder / "runs.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        run = json.loads(line)
        problems = []
        path = folder / f"{run['tool']}-{run['run']}.json"
        run["document"] = rows.read_json(path, problems)
        run["problems"] = problems
        found.append(run)
    return found


def described(folder):
    return json.loads((folder / "describe.json").read_text(encoding="utf-8"))


def churned(run):
    return run["document"].get("totals", {}).get("threads_churned", 0)


def next_seconds(runs, tool, left):
    if tool not in THREADS_MOST:
        return left
    rates = [churned(run) / max(run["wall_seconds"], 1) for run in runs if run["tool"] == tool]
    most = MARGIN * THREADS_MOST[tool] / max(rates, default=RATE_AT_FIRST)
    return max(1, min(left, int(most)))


def count(cells, name, grade=None):
    return sum(outcome["count"] for cell in cells for outcome in cell["outcomes"]
               if outcome["name"] == name and grade in (None, outcome["grade"]))


def memory(cells, judged):
    """What grew per thread: over all cells of the judged scenarios, and the worst of them; and
    where it grew in those of which the platform keeps something."""
    sloped = [cell for cell in cells if "memory_slope_bytes_per_thread" in cell]
    platform = [cell for cell in sloped if count([cell], "memory_grows", "interesting")]
    ours = [cell for cell in sloped if cell["scenario"] in judged]
    threads = sum(cell["threads_churned"] for cell in ours)
    key = "memory_slope_bytes_per_thread"
    found = {"cells_with_a_slope": len(sloped)}
    if threads:
        worst = max(ours, key=lambda cell: cell[key])
        found[key] = sum(cell[key] * cell["threads_churned"] for cell in ours) / threads
        found["worst_slope"] = {"cell": worst["cell"], key: worst[key]}
    found["platform_keeps"] = [{"cell": cell["cell"], key: cell[key]} for cell in platform]
    return found


def status_of(runs):
    found = [rows.usable_status(f"run={run['status']}", [])[1] for run in runs]
    return max([*found, *[UNUSABLE for run in runs if not run["document"]]], default=UNUSABLE)


def sum_up(runs):
    """One row of the table: all runs of one tool, or of all."""
    cells = [cell for run in runs for cell in run["document"].get("cells", [])]
    return {
        "runs": len(runs),
        "wall_seconds": sum(run["wall_seconds"] for run in runs),
        "threads_churned": sum(churned(run) for run in runs),
        "finalizers_run": sum(run["document"].get("totals", {}).get("finalizers_run", 0)
                              for run in runs),
        "lost": count(cells, "lost"),
        "doubled": count(cells, "twice"),
        "failed_cells": [cell["cell"] for cell in cells if cell["verdict"] != "passed"],
        "reports": sum(run["status"] == rows.SANITIZER for run in runs),
        "status": status_of(runs)}


def judged_scenarios(describe):
    """Those in which no memory may grow."""
    return {row["name"] for row in describe["scenarios"] for outcome in row["outcomes"]
            if outcome["name"] == "memory_grows" and outcome["expect"] == "forbidden"}


def summary(runs, duration, judged):
    tools = list(dict.fromkeys(run["tool"] for run in runs))
    of_tool = {tool: [run for run in runs if run["tool"] == tool] for tool in tools}
    return {
        "schema": 1,
        "kind": "soak",
        "duration": duration,
        "commit": next((run["document"]["commit"] for run in runs if run["document"]), "unknown"),
        "finished": rows.now(),
        "tools": [{"tool": tool, **sum_up(of), "seeds": [run["document"].get("seed", "unknown")
                                                          for run in of],
                   "memory": memory([cell for run in of
                                     for cell in run["document"].get("cells", [])], judged),
                   "left_out": LEFT_OUT.get(tool, ()),
                   "problems": [problem for run in of for problem in run["problems"]]}
                  for tool, of in of_tool.items()],
        "totals": sum_up(runs)}


COLUMNS = (("TOOL", 14), ("RUNS", 4), ("THREADS", 12), ("FINALIZERS", 14), ("LOST", 5),
           ("DOUBLED", 7), ("FAILED", 6), ("REPORTS", 7), ("B/THREAD", 8), ("WALL", 8))


def line(values):
    return "  ".join(f"{value:<{width}}" if i == 0 else f"{value:>{width}}"
                     for i, (value, (_, width)) in enumerate(zip(values, COLUMNS))).rstrip()


def table_line(name, row, slope):
    return line((name, row["runs"], f"{row['threads_churned']:,}", f"{row['finalizers_run']:,}",
                 row["lost"], row["doubled"], len(row["failed_cells"]), row["reports"], slope,
                 f"{row['wall_seconds']:,} s"))


def table(document):
    lines = [line([title for title, _ in COLUMNS])]
    notes = []
    for row in document["tools"]:
        found = row["memory"]
        slope = found.get("memory_slope_bytes_per_thread")
        lines.append(table_line(row["tool"], row, "-" if slope is None else f"{slope:+.3f}"))
        notes += [f"{row['tool']}: without {name}" for name in row["left_out"]]
        notes += [f"{row['tool']}: {problem}" for problem in row["problems"]]
        notes += [f"{row['tool']}: {cell} failed" for cell in row["failed_cells"]]
        notes += [f"{row['tool']}: the platform keeps "
                  f"{kept['memory_slope_bytes_per_thread']:.1f} bytes a thread in {kept['cell']}"
                  for kept in found["platform_keeps"]]
    lines.append(table_line("all", document["totals"], ""))
    return "\n".join([*lines, *notes])


def merge(folder, duration):
    runs = read_runs(folder)
    if not runs:
        print("no run has ended", file=sys.stderr)
        return UNUSABLE
    document = summary(runs, duration, judged_scenarios(described(folder)))
    store.write_whole(folder / "soak.json", json.dumps(document, indent=2) + "\n")
    print(table(document))
    print(f"written: {folder / 'soak.json'}")
    return document["totals"]["status"]


def scenario_filter(describe, tool):
    names = [row["name"] for row in describe["scenarios"]
             if "stress" in row["tools"] and row["name"] not in LEFT_OUT.get(tool, ())]
    return f"^({'|'.join(names)})/"


def main(arguments):
    parser = Parser("soak.sh")
    parser.add_argument("what", choices=("filter", "seconds", "merge"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tool", default="")
    parser.add_argument("--left", type=int, default=0)
    parser.add_argument("--duration", default="")
    options = parser.parse_intermixed_args(arguments)
    if options.what == "filter":
        print(scenario_filter(described(options.folder), options.tool))
    elif options.what == "seconds":
        print(next_seconds(read_runs(options.folder), options.tool, options.left))
    else:
        return merge(options.folder, options.duration)
    return FINE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
