"""Is one subject faster than another? Pairs of both, over many process starts.

usage: scripts/lab pair A,B [--quantity Q[,Q]] [--n N] [options]
       scripts/lab pair --controls [--subject NAME] [--rounds N] [options]

Shows whether subject B is faster or slower than subject A, over many process starts. In each
process the two take turns, ABBA. Each start picks at random which of two copies of the same code
each side runs, so that an accident of layout widens the interval instead of deciding. A verdict
needs a 99.9 % interval that lies wholly beyond 2 % and beyond the difference between the clones
of A and B, and a second run that agrees. Without one, more pairs are measured; if there is still
none, the verdict is "undecided".
Builds bench_threadref first.

  A,B             subjects: back ends, floor_<what>, peer_<what>, each also with the suffix _clone
  --quantity Q    registration, exit, ...; default: registration,exit
  --n N           finalizers a thread; default: 256, if there is such a row
  --controls      instead of A and B: every subject with itself and with its clone, which must
                  never be reported as different, and every back end with itself and 4 % more
                  work, which must be
  --subject NAME  only the controls of this subject
  --rounds N      repeat everything N times, independently; default: 1
  --processes N   process starts; default and smallest useful number: 20
  --pairs N       pairs per process at first; default: 200
  --out FILE      also write JSON lines (results/docs/keys.md), all of them or none
  --bench FILE    use this bench_threadref instead of building one
  --help          this text

  scripts/lab pair registry,pthread_key --quantity registration

exit status: 0 every comparison has its verdict, whichever · 1 wrong use · 3 not usable: a function
  differed from itself by more than 1 %, or a program crashed · 4 (--controls) identical code was
  reported as different, or planted work was found fewer than 9 times in 10 · 130 interrupted
"""

import collections
import json
import re
import statistics
import sys
from pathlib import Path

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import Parser, whole_number
from threadref_lab.cli.status import FINE, MISUSE, UNCAUGHT, UNUSABLE, Unusable
from threadref_lab.measure.starts import finite, say_progress, start
from threadref_lab.stats import intervals
from threadref_lab.store import files

LAYOUTS = 4
PAIRS_MOST = 1600
FOUND_LEAST = 0.9  # of planted work
NAME = re.compile(r"paired/(?P<a>\w+)_vs_(?P<b>\w+)/(?P<quantity>\w+)/\w+:(?P<n>\d+)")


def control_of(a, b):
    """What a pair is a control of, or "": then it is a question."""
    return {a: "self", f"{a}_clone": "clone", f"{a}_planted": "planted"}.get(b, "")


def one_process(options, arguments, layout):
    """{name: row} of one process start."""
    document = start(options.bench, [f"--layout={layout}", *arguments])
    rows = {}
    for entry in document["benchmarks"]:
        name = NAME.match(entry["name"])
        if name and "ratio" in entry:
            rows[name[0]] = entry
    if not rows:
        raise Unusable(f"no pair matches {' '.join(arguments)}", MISUSE)
    return rows, document["context"].get("commit", "unknown")


def many_processes(options, arguments, what):
    """{name: [row of each process]}; the layouts are drawn in turns."""
    found = collections.defaultdict(list)
    for process in range(options.processes):
        say_progress(f"{what}: process", process, options.processes)
        rows, commit = one_process(options, arguments, process % LAYOUTS)
        for name, row in rows.items():
            found[name].append({**row, "commit": commit})
    return found


def line_of(name, rows, least, options):
    """One line of pairs.jsonl; `least`: how much no difference is."""
    parts = NAME.match(name)
    ratios = [row["ratio"] for row in rows]
    low, middle, high = intervals.interval(ratios)
    return {"schema": 1, "kind": "pair", "a": parts["a"], "b": parts["b"],
            "quantity": parts["quantity"], "n": int(parts["n"]),
            "control": control_of(parts["a"], parts["b"]), "ratio": middle, "low": low,
            "high": high, "least": least,
            "min_change": intervals.min_change(low, high, least),
            "verdict": intervals.verdict(low, high, least), "confirmed": None,
            "processes": len(rows), "pairs": int(min(row["pairs"] for row in rows)),
            "ratios": ratios, "a_ns": statistics.median(row["a_ns"] for row in rows),
            "b_ns": statistics.median(row["b_ns"] for row in rows),
            "pinned_cpu": int(rows[0]["pinned_cpu"]), "commit": rows[0]["commit"],
            "command": command_of(parts, options)}


def command_of(parts, options):
    return (f"scripts/lab pair {parts['a']},{parts['b']} --quantity {parts['quantity']} "
            f"--n {parts['n']} --processes {options.processes} --pairs {options.pairs}")


def clone_spread(rows):
    """By how much the two copies of one code differ: their ratio, the same way round in
    every process."""
    ratios = [1 / row["ratio"] if int(row["layout"]) & 1 else row["ratio"] for row in rows]
    return abs(statistics.median(ratios) - 1)


def judged(found, options):
    """The lines of one run over many processes, with each question's own least difference."""
    spread = {}
    for name, rows in found.items():
        parts = NAME.match(name)
        if control_of(parts["a"], parts["b"]) == "clone":
            spread[parts["a"], parts["quantity"], parts["n"]] = clone_spread(rows)
    lines = []
    for name, rows in found.items():
        parts = NAME.match(name)
        a, b, *what = parts["a"], parts["b"], parts["quantity"], parts["n"]
        least = intervals.LEAST_CHANGE
        if not control_of(a, b):
            least = max([least] + [spread.get((side.removesuffix("_clone"), *what), 0)
                                   for side in (a, b)])
        line = line_of(name, rows, least, options)
        if control_of(a, b) == "clone":
            line["clone_spread"] = spread[(a, *what)]
        lines.append(line)
    return lines


def usable(lines):
    for line in lines:
        if line["control"] == "self" and abs(line["ratio"] - 1) > intervals.SELF_LIMIT:
            raise Unusable(f"{line['a']} differed from itself by {line['ratio'] - 1:+.1%} in "
                           f"{line['quantity']}: this run says nothing; is the machine busy?")


def with_more_pairs(lines, measure, pairs):
    """What straddles the least difference gets twice the pairs, up to 1 600; then undecided. Gives
    the lines, and how many pairs were taken at last."""
    while pairs < PAIRS_MOST and any(line["verdict"] == "undecided" for line in lines):
        pairs = min(2 * pairs, PAIRS_MOST)
        again = {key(line): line for line in measure(pairs)}
        lines = [again[key(line)] if line["verdict"] == "undecided" else line for line in lines]
    return lines, pairs


def key(line):
    return line["a"], line["b"], line["quantity"], line["n"]


def wanted_rows(options):
    """A regular expression for the rows of one size: the one asked for, or of each quantity the
    largest up to 256, which is exact and quick."""
    done = children.run([options.bench, f"--pair={options.pair}", "--benchmark_list_tests",
                         f"--quantity={options.quantity}"], capture_output=True, text=True)
    if done.returncode != FINE:
        raise Unusable(done.stderr.strip(), done.returncode)
    sizes = collections.defaultdict(set)
    for name in map(NAME.match, done.stdout.splitlines()):
        if name and (int(name["n"]) == options.n or not options.n and int(name["n"]) <= 256):
            sizes[name["quantity"]].add(int(name["n"]))
    if not sizes:
        raise Unusable(f"there is no row of {options.quantity} with --n {options.n}", MISUSE)
    return "|".join(f"/{quantity}/[a-z]+:{max(found)}(/|$)" for quantity, found in sizes.items())


def ask(options):
    """The lines of A,B, with their controls. A difference is one if a second run finds it too."""
    rows = wanted_rows(options)

    def measure(pairs):
        arguments = [f"--pair={options.pair}", f"--quantity={options.quantity}",
                     f"--pairs={pairs}", f"--benchmark_filter={rows}"]
        lines = judged(many_processes(options, arguments, f"{pairs} pairs"), options)
        usable(lines)
        return lines

    lines, pairs = with_more_pairs(measure(options.pairs), measure, options.pairs)
    changed = [line for line in lines if line["verdict"] in ("faster", "slower")]
    second = {key(line): line for line in measure(pairs)} if changed else {}
    for line in changed:
        line["confirmed"] = second[key(line)]["verdict"] == line["verdict"]
        if not line["confirmed"]:
            line["verdict"] = "undecided"
    return lines


def controls(options):
    subject = f"{options.subject}_vs_" if options.subject else ""
    arguments = [f"--benchmark_filter=^paired/{subject}", f"--pairs={options.pairs}"]
    if options.quantity:
        arguments.append(f"--quantity={options.quantity}")
    lines = []
    for number in range(options.rounds):
        what = f"round {number + 1} of {options.rounds}"
        lines += judged(many_processes(options, arguments, what), options)
    return lines


# ----------------------------------------------------------------------------- what is said


def print_lines(lines):
    print(f"{'A, B':58} {'quantity':24} {'B / A':>7} {'99.9 % interval':>17} "
          f"{'least':>6} {'could tell':>10}  verdict")
    for line in lines:
        confirmed = {True: ", confirmed", False: ", not confirmed", None: ""}[line["confirmed"]]
        quantity = f"{line['quantity']}/n:{line['n']}"
        print(f"{line['a'] + ', ' + line['b']:58} {quantity:24} "
              f"{line['ratio']:7.3f} {line['low']:8.3f} {line['high']:8.3f} {line['least']:6.1%} "
              f"{line['min_change']:10.1%}  {line['verdict']}{confirmed}")


def tally(lines):
    """(sentences, status): how often identical code was reported as different, and planted work
    found."""
    same = [line for line in lines if line["control"] in ("self", "clone")]
    different = [line for line in same if line["verdict"] in ("faster", "slower")]
    planted = [line for line in lines if line["control"] == "planted"]
    found = [line for line in planted if line["verdict"] == "slower"]
    limit = 1 + intervals.SELF_LIMIT
    noise = [line for line in lines if line["control"] == "self"
             and (line["low"] > limit or line["high"] < 1 / limit)]
    sentences = [f"identical code: {len(same)} comparisons, {len(different)} reported as different "
                 f"({sum(line['verdict'] == 'same' for line in same)} same, "
                 f"{sum(line['verdict'] == 'undecided' for line in same)} undecided)",
                 f"a function against itself: {len(noise)} certainly further than 1 % from 1",
                 f"4 % more work: found {len(found)} of {len(planted)} times"]
    if different or len(found) < FOUND_LEAST * len(planted):
        return sentences, UNCAUGHT
    return sentences, UNUSABLE if noise else FINE


def parse(arguments):
    parser = Parser("lab pair", __doc__)
    parser.add_argument("pair", nargs="?")
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--controls", action="store_true")
    parser.add_argument("--subject")
    parser.add_argument("--quantity", default="registration,exit")
    parser.add_argument("--n", type=whole_number(0), default=0)
    parser.add_argument("--rounds", type=whole_number(1), default=1)
    parser.add_argument("--processes", type=whole_number(1), default=20)
    parser.add_argument("--pairs", type=whole_number(20), default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    if bool(options.pair) == options.controls:
        parser.error("either A,B or --controls is needed")
    if options.subject and not options.controls:
        parser.error("--subject belongs to --controls")
    if options.out and not options.out.absolute().parent.is_dir():
        parser.error(f"--out {options.out}: there is no such folder")
    return options


def main(arguments):
    options = parse(arguments)
    if not options.bench:
        options.bench = checkout.bench()
    if intervals.rank_below(options.processes) < 0:
        print(f"lab pair: {options.processes} processes can't give a 99.9 % interval: every "
              "verdict will be undecided", file=sys.stderr)
    lines = controls(options) if options.controls else [
        line for _ in range(options.rounds) for line in ask(options)]
    print_lines(lines)
    status = FINE
    if options.controls:
        sentences, status = tally(lines)
        print(*sentences, sep="\n")
    if options.out:
        text = "".join(json.dumps(finite(line)) + "\n" for line in lines)
        files.write_whole(options.out.absolute(), text)
    return status
