"""Starts and ends threads for a long time under each tool: all scenarios of stress_threadref.

usage: scripts/lab soak [DURATION] [--tool NAME...] [--no-build] [--out FOLDER] [-- FLAG...]

Runs all scenarios of stress_threadref on all back ends under each tool, for DURATION each. Then
prints one table: threads, finalizers, what was lost or doubled, what the tools reported, and how
memory grew.

  DURATION        for each tool: 10m, 90s, 1h30m; default 10m
  --tool NAME...  only these tools:
                    release        optimised
                    asan           address and undefined-behaviour sanitizers
                    tsan           thread sanitizer of g++-12; at most 1,000 threads at once
                    clang19-tsan   thread sanitizer of clang-19; restarted before five million
                                   threads, since it stores something for each
                    memcheck       release, under valgrind; at most 256 threads at once, without
                                   the pool, whose child process valgrind does not start
  --no-build      runs the programs as they are
  --out FOLDER    where everything is written; default results/local/soak/<run>/
  -- FLAG...      passed to stress_threadref, such as --filter=^mixed/ or --threads=64
  --help          this text

Writes <out>/soak.json, the table as one JSON document, and for each run <tool>-<n>.json, the
program's JSON, and <tool>-<n>.log, its output. A tool whose run finds something or crashes is not
started again. Ctrl-C ends the current run and records its tally so far; the table follows.

exit status, the worst of: 0 fine · 1 wrong use · 2 a forbidden outcome · 3 a crash, a report of a
  tool, or a build that failed · 130 interrupted
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import Parser, seconds
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, INTERRUPTED, Refused, UNUSABLE
from threadref_lab.store import files, rows

TOOLS = ("release", "asan", "tsan", "clang19-tsan", "memcheck")
VALGRIND = ("valgrind", "--quiet", "--error-exitcode=66", "--fair-sched=yes", "--num-callers=30",
            "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite",
            f"--suppressions={ROOT}/impl/conformance/harness/memcheck.supp")
# g++-12's thread sanitizer takes memory with the square of the threads: 17 GB for 4,000.
THREADS_AT_ONCE = {"tsan": 1000, "memcheck": 256}
# The runtime of clang-19 keeps 0.35 KiB of each thread that ever was: 1.7 GB of as many as these.
THREADS_MOST = {"clang19-tsan": 5_000_000}
# valgrind runs no program that is started by the name of the running one, as the pool's child is.
LEFT_OUT = {"memcheck": ("pool",)}
RATE_AT_FIRST = 10_000  # threads per second, assumed before the first run; no tool reaches it
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
    files.write_whole(folder / "soak.json", json.dumps(document, indent=2) + "\n")
    print(table(document))
    print(f"written: {folder / 'soak.json'}")
    return document["totals"]["status"]


def scenario_filter(describe, tool):
    names = [row["name"] for row in describe["scenarios"]
             if "stress" in row["tools"] and row["name"] not in LEFT_OUT.get(tool, ())]
    return f"^({'|'.join(names)})/"


# ----------------------------------------------------------------------------- playing


def preset_of(tool):
    return "release" if tool == "memcheck" else tool


def command_of(tool):
    """How its program is started."""
    command = [checkout.program(preset_of(tool), "stress_threadref")]
    if tool in THREADS_AT_ONCE:
        command.append(f"--threads={THREADS_AT_ONCE[tool]}")
    if tool == "memcheck":
        return [*VALGRIND, *command]
    return [*checkout.tsan_prefix(), *command] if tool.endswith("tsan") else command


class Soak:
    """A soak under way. A signal asks the program of now to end with its tally."""

    def __init__(self, options, flags):
        self.out, self.flags = options.out, flags
        self.duration, self.seconds = options.duration, options.seconds
        self.is_building = options.is_building
        self.child, self.is_stopped, self.is_passed_on = None, False, False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)

    def on_signal(self, *_):
        self.is_stopped = True
        self.pass_on()

    def pass_on(self):
        """Has the program of now end; a second time, at once."""
        if self.child:
            self.is_passed_on = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGINT)

    def logged(self, name, command):
        """The exit status of a command; what it says is in <out>/<name>.log."""
        self.is_passed_on = False
        with open(self.out / f"{name}.log", "wb") as log, subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                process_group=0) as self.child:
            if self.is_stopped and not self.is_passed_on:  # the signal came while it was started
                self.pass_on()
            code = children.shell_status(self.child.wait())
        self.child = None
        return code

    def is_built(self, tool):
        if not self.is_building:
            return True
        name = f"build-{tool}"
        code = self.logged(name, checkout.build_command(preset_of(tool), "stress_threadref"))
        if code and not self.is_stopped:
            print(children.end_of(self.out / f"{name}.log", 30), file=sys.stderr)
        return code == FINE

    def play_once(self, tool, number, command, length):
        """The program's exit status."""
        name, began = f"{tool}-{number}", time.monotonic()
        print(f"{name}: {length} s, log: {self.out}/{name}.log", flush=True)
        code = self.logged(name, [*command, f"--time={length}s",
                                  f"--json={self.out}/{name}.json", *self.flags])
        with open(self.out / "runs.jsonl", "a", encoding="utf-8") as file:
            print(json.dumps({"tool": tool, "run": number, "status": code,
                              "wall_seconds": int(time.monotonic() - began)}), file=file)
        print(children.end_of(self.out / f"{name}.log", 1), flush=True)
        return code

    def play(self, tool):
        command = command_of(tool)
        # Not the guarantee matrix, which makes few threads: only what the table of scenarios has.
        describe = subprocess.run([*command, "--describe"], capture_output=True, text=True,
                                  check=True)
        (self.out / "describe.json").write_text(describe.stdout, encoding="utf-8")
        command.append(f"--filter={scenario_filter(described(self.out), tool)}")
        number, left = 0, self.seconds
        while left > 0 and not self.is_stopped:
            number += 1
            length = next_seconds(read_runs(self.out), tool, left)
            code = self.play_once(tool, number, command, length)
            if code:
                print(f"lab soak: {tool} ended with {code}; see {self.out}/{tool}-{number}.log",
                      file=sys.stderr)
                break
            left -= length

    def play_all(self, tools):
        """The worst status of what could not be played."""
        status = FINE
        for tool in tools:
            if self.is_stopped:
                break
            if not self.is_built(tool):
                status = UNUSABLE
                continue
            print(f"\n== {tool}, {self.duration}", flush=True)
            try:
                self.play(tool)
            except (OSError, subprocess.CalledProcessError) as error:
                print(f"lab soak: {tool} can't be played: {error}", file=sys.stderr)
                status = UNUSABLE
        return status


def main(arguments):
    at = arguments.index("--") if "--" in arguments else len(arguments)
    flags, arguments = arguments[at + 1:], arguments[:at]
    parser = Parser("lab soak", __doc__)
    parser.add_argument("duration", nargs="?", default="10m")
    parser.add_argument("--tool", nargs="+", choices=TOOLS, action="extend")
    parser.add_argument("--no-build", dest="is_building", action="store_false")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    try:
        options.seconds = seconds(1)(options.duration)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    options.out = (options.out or ROOT / "results/local/soak" / checkout.run_name()).absolute()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"--out {options.out} can't be made: {error.strerror}") from error
    if (options.out / "runs.jsonl").exists():
        raise Refused(f"{options.out} holds another soak; give another --out")
    soak = Soak(options, flags)
    status = soak.play_all(options.tool or TOOLS)
    print("\n== summary", flush=True)
    status = max(status, merge(options.out, options.duration))
    return INTERRUPTED if soak.is_stopped else status
