"""Instructions of one more registration, exit or cancellation, counted by callgrind.

usage: scripts/lab instructions [--subject NAME...] [--quantity NAME...] [--runs N] [--out FILE]

Counts, under callgrind, the instructions that one more registration, exit or cancellation takes,
for every back end, floor and peer. Builds optimised first; then it takes three minutes on two
cores, whatever else they do.

  --subject NAME    only this one; may be repeated. `build/release/bin/bench_instructions
                    --list` lists them
  --quantity NAME   only registration, exit or detach; may be repeated
  --runs N          how often each is counted; default: 12
  --out FILE        where to write the JSON lines, instead of results/local/<run>/instructions.jsonl
  --driver FILE     use this bench_instructions instead of building one
  --help            this text

Each figure is marginal: the count for 256 is subtracted from the count for 1280, on each of four
threads, after one thread has warmed up. bench/docs/instructions.md says what is counted,
results/docs/keys.md what the keys mean. An interrupted run writes nothing.

exit status: 0 fine · 1 wrong use · 2 something was lost, doubled or misordered · 3 valgrind is
             missing or can't count, or the build failed · 130 interrupted
"""

import concurrent.futures
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import ended, Parser, whole_number
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, INTERRUPTED, Refused, Unusable
from threadref_lab.store import files

# Per thread. The first thread pays for what the process never pays again, and its share is the same
# in both sizes; both are large enough for the blocks of memory to have reached their usual size.
N_SMALL, N_LARGE, THREADS = 256, 1280, 4

# What callgrind counts on all threads but the first, by functions of bench/subjects/subject.hpp and
# bench/instructions/. An exit has no function of its own: it is all that they do but registering.
COUNTED = {
    "registration": ["--toggle-collect=*register_range*"],
    "exit": ["--toggle-collect=*register_range*", "--collect-atstart=yes"],
    "detach": ["--toggle-collect=*cancel_range*"],
}


# ----------------------------------------------------------------------------- arithmetic


def marginal(small, large, n_small=N_SMALL, n_large=N_LARGE, threads=THREADS):
    """Instructions of one more operation, from the counts of two sizes."""
    return (large - small) / (n_large - n_small) / threads


def spread(runs):
    """How far apart the runs are, as a share of their median."""
    return (max(runs) - min(runs)) / statistics.median(runs)


def line_of(cell, runs, commit):
    """The JSON line of one row; a subject that can't do it has a reason instead of figures."""
    quantity, subject, why = cell
    line = {"schema": 1, "kind": "instructions", "quantity": quantity, "subject": subject}
    if why:
        return {**line, "error": why}
    return {**line, "instructions": statistics.median(runs), "spread": spread(runs), "runs": runs,
            "n_small": N_SMALL, "n_large": N_LARGE, "commit": commit,
            "command": f"scripts/lab instructions --quantity {quantity} --subject {subject} "
                       f"--runs {len(runs)}"}


def table(lines):
    """The lines as a table, subject x quantity, with reasons in words under it."""
    quantities = list(dict.fromkeys(line["quantity"] for line in lines))
    cells = {(line["subject"], line["quantity"]): line for line in lines}
    text = [f"{'instructions each':24}" + "".join(f"{q:>14}    spread" for q in quantities)]
    reasons = {}
    for subject in dict.fromkeys(line["subject"] for line in lines):
        row = f"{subject:24}"
        for quantity in quantities:
            line = cells[subject, quantity]
            if "error" in line:
                reasons.setdefault((quantity, line["error"]), []).append(subject)
                row += f"{'-':>14}{'-':>10}"
            else:
                row += f"{line['instructions']:14.2f}{100 * line['spread']:8.4f} %"
        text.append(row)
    for (quantity, why), subjects in reasons.items():
        text.append(f"- no {quantity} of {', '.join(subjects)}: {why}")
    return "\n".join(text)


# ----------------------------------------------------------------------------- counting


def total_of(path):
    """The instructions in the file that callgrind wrote for one thread; 0 if it counted none."""
    found = re.search(r"^totals: (\d+)", path.read_text(encoding="utf-8"), re.M)
    return int(found[1]) if found else 0


class Counter:
    """Runs the driver under callgrind, several at a time; stop() ends those that still run."""

    def __init__(self, driver):
        self.driver, self.commit = driver, "unknown"
        self.is_stopped = False

    def count(self, quantity, subject, n):
        """Instructions of the counted part with n on each thread."""
        with tempfile.TemporaryDirectory(prefix="threadref-instructions-") as folder:
            command = ["setarch", "-R", "valgrind", "--tool=callgrind", "--fair-sched=yes",
                       "--separate-threads=yes", f"--callgrind-out-file={folder}/thread",
                       *COUNTED[quantity], str(self.driver), f"--quantity={quantity}",
                       f"--subject={subject}", f"--n={n}", f"--threads={THREADS}",
                       f"--warm_up={N_LARGE}"]
            said = self.run(f"{quantity} of {subject}", command)
            self.commit = re.search(r"commit=(\S+)|$", said)[1] or self.commit
            return sum(total_of(path) for path in Path(folder).glob("thread-*")
                       if path.name != "thread-01")

    def run(self, what, command):
        """What the command says; refused unless it ends well."""
        if self.is_stopped:
            raise Unusable(f"{what}: not counted any more")
        done = children.run(command, capture_output=True, text=True, env={
            **os.environ, "GLIBC_TUNABLES": "glibc.malloc.arena_max=1"})
        if done.returncode == FORBIDDEN:
            raise Unusable(f"{what}: {done.stdout.strip()}", FORBIDDEN)
        if done.returncode != FINE:
            reason = " ".join(done.stderr.strip().splitlines()[-1:])
            raise Unusable(f"{what}: callgrind ended with {done.returncode}: {reason}")
        return done.stdout

    def measure(self, quantity, subject):
        small, large = (self.count(quantity, subject, n) for n in (N_SMALL, N_LARGE))
        each = marginal(small, large)
        if each <= 0:
            raise Unusable(f"{quantity} of {subject}: callgrind counted nothing; does this "
                          f"function still exist? {COUNTED[quantity]}")
        return each

    def stop(self):
        self.is_stopped = True
        children.end_all()


def count_all(driver, cells, runs):
    """The lines of all cells. Round after round: what is odd for a while is odd for all of them."""
    counter = Counter(driver)
    jobs = [cell for _ in range(runs) for cell in cells if not cell[2]]
    found = {cell: [] for cell in cells}
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        try:
            counts = pool.map(lambda cell: counter.measure(*cell[:2]), jobs)
            for done, (cell, each) in enumerate(zip(jobs, counts), 1):
                found[cell].append(each)
                if sys.stderr.isatty():
                    print(f"\r{done}/{len(jobs)} ", end="", file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            counter.stop()
            raise
    return [line_of(cell, runs, counter.commit) for cell, runs in found.items()]


# ----------------------------------------------------------------------------- commands


def cells_of(driver, quantities, subjects):
    """(quantity, subject, why not) of everything that is asked for; empty lists ask for all."""
    try:
        listed = subprocess.run([driver, "--list"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unusable(f"cannot run {driver}: {error}") from error
    cells = []
    for line in listed.stdout.splitlines():
        quantity, subject, *rest = line.split(" ", 2)
        cells.append((quantity, subject, rest[0].removeprefix("cannot: ") if rest else ""))
    for asked, column, what in ((quantities, 0, "quantity"), (subjects, 1, "subject")):
        valid = list(dict.fromkeys(cell[column] for cell in cells))
        for name in asked:
            if name not in valid:
                raise Refused(f"there is no {what} '{name}'; valid: {', '.join(valid)}")
    return [cell for cell in cells if (not quantities or cell[0] in quantities)
            and (not subjects or cell[1] in subjects)]


def check_valgrind():
    if not shutil.which("valgrind"):
        raise Unusable("valgrind is missing: scripts/setup.sh --all installs it")


def check(options):
    """Refuses before the build, which takes minutes."""
    for name in options.quantity:
        if name not in COUNTED:
            raise Refused(f"there is no quantity '{name}'; valid: {', '.join(COUNTED)}")
    if options.out and not (options.out.absolute().parent.is_dir()
                            and os.access(options.out.absolute().parent, os.W_OK)
                            and not options.out.is_dir()):
        raise Refused(f"cannot write {options.out}: name a file in a folder that can be written")
    check_valgrind()


def built():
    print("\n== packages", flush=True)
    checkout.set_up(out=sys.stdout)
    checkout.build("release", "bench_instructions", out=sys.stdout)
    print("\n== count", flush=True)
    return checkout.program("release", "bench_instructions")


def count(options):
    check(options)
    driver = options.driver or built()
    cells = cells_of(driver, options.quantity, options.subject)
    lines = count_all(driver, cells, options.runs)
    print(table(lines))
    print(f"marginal, from {N_SMALL} to {N_LARGE} on each of {THREADS} threads; "
          f"runs: {options.runs}")
    out = options.out or ROOT / "results" / "local" / checkout.run_name() / "instructions.jsonl"
    try:
        if not options.out:
            out.parent.mkdir(parents=True)
        files.write_whole(out, "".join(json.dumps(line) + "\n" for line in lines))
    except OSError as error:
        raise Refused(f"cannot write {out}: {error.strerror}") from error
    print(f"written to {out}")
    return FINE


def main(arguments):
    parser = Parser("lab instructions", __doc__)
    parser.add_argument("--driver", type=Path)
    parser.add_argument("--subject", action="append", default=[])
    parser.add_argument("--quantity", action="append", default=[])
    parser.add_argument("--runs", type=whole_number(1), default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    try:
        return ended(parser.prog, count, options)
    except KeyboardInterrupt:
        print("lab instructions: interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
