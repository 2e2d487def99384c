"""What became slower or faster from one commit, build or results folder to another?

usage: scripts/lab compare A B [--filter REGEX] [--processes N] [--out DIR]

Shows what became slower or faster from A to B. Each is a commit, a build folder or a results
folder. For a commit it builds bench_threadref, once. Then it starts the two programs in turns,
ABBA, pinned, and compares start by start. A difference counts if the whole 99.9 % interval of
B / A lies beyond 2 %, beyond the difference of the floors (whose code is the same) between the two
programs, and beyond the difference of the subject's clones within either program; and if a second
run finds it again. Results folders were not measured in turns, so nothing in them is confirmed.

  A, B            old and new: `HEAD~10`, `build/release`, `results/local/latest`, ...
  --filter REGEX  which rows; default: the main ones of the default back end, and their floors
  --processes N   starts of each; default and smallest useful number: 20; a row that looks changed
                  without being certain gets up to four times as many
  --out DIR       where compare.txt, compare.md and compare.json go; default
                  results/local/compare-<A>-<B>/
  --help          this text

  scripts/lab compare HEAD~1 HEAD --filter 'finalize/exit/(registry|floor_.*)/n:256$'

exit status: 0 nothing is slower · 1 wrong use · 2 a confirmed regression · 3 a build failed, a
  program crashed or the run is not usable · 130 interrupted
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import Parser, whole_number
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Refused, Unusable
from threadref_lab.measure.starts import finite, say_progress, start
from threadref_lab.stats import intervals
from threadref_lab.store import files, rows as rows_of

# Google Benchmark puts more behind a name.
END = "(/|$)"
MAIN_ROWS = (r"finalize/(registration/{0}/n:(16|256)|first_registration/{0}/n:1"
             r"|exit/{0}/n:(16|256)|(cancel|detach)_owner/{0}/n:1)" + END)
CLONE_STARTS = 4  # a median of the spread is enough: it only widens what counts as no difference
STARTS_MOST = 4   # times --processes, for what looks changed and is not certain


def times(document):
    """{name: ns each} of the rows that have such a figure."""
    return {row["name"]: row["ns"] for row in rows_of.bench_rows(document)
            if row.get("ns", 0) > 0 and row["group"] != "paired"}


def in_turns(programs, starts, pattern):
    """{name: [B / A of each pair of starts]} and {name: (ns of A, ns of B)}."""
    ratios, figures = collections.defaultdict(list), collections.defaultdict(list)
    for number in range(starts):
        say_progress("compare: start of each", number, starts)
        seen = {}
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            seen[side] = times(start(programs[side], [f"--benchmark_filter={pattern}"], True))
        for name in seen[0].keys() & seen[1].keys():
            ratios[name].append(seen[1][name] / seen[0][name])
            figures[name].append((seen[0][name], seen[1][name]))
    return ratios, figures


def in_folders(folders):
    """The same of two results folders, start by start as they are numbered."""
    documents = []
    for folder in folders:
        files = [folder / "bench.json", *sorted(folder.glob("process-*.json"))]
        documents.append([times(json.loads(file.read_text(encoding="utf-8"))) for file in files])
    ratios, figures = collections.defaultdict(list), collections.defaultdict(list)
    for a, b in zip(*documents):
        for name in a.keys() & b.keys():
            ratios[name].append(b[name] / a[name])
            figures[name].append((a[name], b[name]))
    return ratios, figures


def clone_spreads(program, names):
    """{(subject, quantity): by how much its two copies differ in this program}; nothing of a
    program that has no clones yet."""
    spreads = collections.defaultdict(list)
    wanted = {tuple(name.split("/")[2:0:-1]) for name in names}
    pattern = "|".join(f"^paired/{subject}_vs_{subject}_clone/{quantity}/"
                       for subject, quantity in sorted(wanted))
    for _ in range(CLONE_STARTS):
        for entry in start(program, [f"--benchmark_filter={pattern}"], True).get("benchmarks", []):
            if "ratio" in entry:
                _, pair, quantity, *_ = entry["name"].split("/")
                spreads[pair.partition("_vs_")[0], quantity].append(entry["ratio"])
    return {key: abs(statistics.median(found) - 1) for key, found in spreads.items()}


def floors_beside(name, names):
    group, quantity, _, *rest = name.split("/")
    floors = re.compile("/".join([group, quantity, r"floor_\w+", *rest]))
    return [other for other in names if floors.fullmatch(other)]


def least_of(name, ratios, spreads):
    """How much no difference of this row is."""
    _, quantity, subject, *_ = name.split("/")
    least = [intervals.LEAST_CHANGE] + [found.get((subject, quantity), 0) for found in spreads]
    if not is_floor(name):
        least += [abs(statistics.median(ratios[floor]) - 1)
                  for floor in floors_beside(name, ratios)]
    return max(least)


def is_floor(name):
    return rows_of.kind_of(name.split("/")[2]) == "floor"


def lines_of(ratios, figures, spreads, options):
    lines = []
    for name, found in sorted(ratios.items()):
        least = least_of(name, ratios, spreads)
        low, middle, high = intervals.interval(found)
        lines.append({
            "schema": 1, "kind": "compare", "name": name, "a": options.names[0],
            "b": options.names[1], "ratio": middle, "low": low, "high": high, "least": least,
            "min_change": intervals.min_change(low, high, least),
            "verdict": intervals.verdict(low, high, least), "confirmed": None,
            "processes": len(found), "ratios": found,
            "a_ns": statistics.median(pair[0] for pair in figures[name]),
            "b_ns": statistics.median(pair[1] for pair in figures[name])})
    return lines


def unclear(lines):
    """What looks changed, and may be no more than what its starts differ by."""
    return [line["name"] for line in lines
            if line["verdict"] == "undecided" and not is_floor(line["name"])
            and not 1 / (1 + intervals.LEAST_CHANGE) <= line["ratio"] <= 1 + intervals.LEAST_CHANGE]


def exactly(names):
    return "|".join(f"^{name}{END}" for name in sorted(names))


def measured(programs, options, pattern):
    """The rows, each from as many starts as its verdict needs, to a limit."""
    ratios, figures = in_turns(programs, options.processes, pattern)
    spreads = [clone_spreads(program, ratios) for program in programs] if ratios else []
    lines = lines_of(ratios, figures, spreads, options)
    starts = options.processes
    while starts < STARTS_MOST * options.processes and (names := unclear(lines)):
        print(f"compare: {len(names)} rows look changed, and {starts} starts are too few to say; "
              f"{starts} more", file=sys.stderr)
        floors = {floor for name in names for floor in floors_beside(name, ratios)}
        more = in_turns(programs, starts, exactly(floors.union(names)))
        for so_far, found in zip((ratios, figures), more):
            for name, values in found.items():
                so_far[name] += values
        starts *= 2
        lines = lines_of(ratios, figures, spreads, options)
    return lines


def confirm(lines, programs):
    """A second, independent run of what seems to have changed, of as many starts."""
    changed = [line for line in lines if line["verdict"] in ("faster", "slower")]
    if not changed:
        return
    print(f"compare: {len(changed)} rows seem to have changed; again", file=sys.stderr)
    ratios, _ = in_turns(programs, max(line["processes"] for line in changed),
                         exactly(line["name"] for line in changed))
    for line in changed:
        low, _, high = intervals.interval(ratios[line["name"]])
        line["confirmed"] = intervals.verdict(low, high, line["least"]) == line["verdict"]
        if not line["confirmed"]:
            line["verdict"] = "undecided"


# ----------------------------------------------------------------------------- the two sides


def toolchain():
    """What a build depends on beside its commit: another compiler must not pass for another
    commit."""
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True)
    said = "\n".join([compiler.stdout, os.confstr("CS_GNU_LIBC_VERSION"),
                      os.environ.get("CXXFLAGS", "")])
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def commit_of(side):
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--verify", "--quiet", "--short=12",
                           f"{side}^{{commit}}"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def built(side, commit):
    """The program of a commit. Its clone stays, so that the next comparison builds nothing."""
    folder = ROOT / "build" / "compare" / f"{commit}-{toolchain()}"
    program = folder / "build" / "bin" / "bench_threadref"
    if not program.exists():
        print(f"\n== build {side} ({commit})", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in (
                ["git", "clone", "--quiet", "--shared", ROOT, folder],
                ["git", "-C", folder, "checkout", "--quiet", "--detach", commit],
                ["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja",
                 "-DCMAKE_BUILD_TYPE=Release", "-DTHREADREF_BUILD_TESTS=OFF",
                 "-DTHREADREF_BUILD_STRESS=OFF"],
                ["cmake", "--build", folder / "build", "--parallel", str(os.cpu_count() or 1)]):
            if children.run(command, stdout=sys.stderr).returncode != FINE:
                raise Unusable(f"{side} ({commit}) could not be built (see above)")
    os.utime(folder)  # in use: a night removes what was not for a month
    return program


def kind_of(side):
    """(what it is, where) of a side: "program", "results" or "commit"."""
    folder = pathlib.Path(side).absolute()
    program = folder / "bin" / "bench_threadref"
    if os.access(program, os.X_OK):
        return "program", program
    if (folder / "bench.json").is_file():
        return "results", folder
    if commit := commit_of(side):
        return "commit", commit
    raise Refused(f"'{side}' is neither a commit nor a build folder nor a results folder")


def measurable(names):
    """What stands for each side: a results folder, or a program, which is built if need be."""
    found = [kind_of(name) for name in names]
    if sum(kind == "results" for kind, _ in found) == 1:
        raise Refused("a results folder can only be compared with another one")
    if any(kind == "commit" for kind, _ in found):
        checkout.set_up()
    return [built(name, where) if kind == "commit" else where
            for name, (kind, where) in zip(names, found)]


# ----------------------------------------------------------------------------- what is said

COLUMNS = ("row", "A ns", "B ns", "B / A", "99.9 % interval", "no change below", "could tell",
           "verdict")


def cells(line):
    high = "inf" if line["high"] == float("inf") else f"{line['high']:.3f}"
    confirmed = {True: ", confirmed", False: ", not found again", None: ""}[line["confirmed"]]
    return (line["name"], f"{line['a_ns']:.2f}", f"{line['b_ns']:.2f}", f"{line['ratio']:.3f}",
            f"{line['low']:.3f} to {high}", f"{line['least']:.1%}", f"{line['min_change']:.1%}",
            line["verdict"] + confirmed)


def as_text(lines):
    table = [COLUMNS, *map(cells, lines)]
    widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in table)


def as_markdown(lines):
    head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join(head + ["| " + " | ".join(cells(line)) + " |" for line in lines])


def sentence(lines, options):
    counted = collections.Counter(line["verdict"] for line in lines)
    said = ", ".join(f"{counted[verdict]} {verdict}"
                     for verdict in ("slower", "faster", "same", "undecided") if counted[verdict])
    return f"from {options.names[0]} to {options.names[1]}: {said} (of {len(lines)} rows)"


def compare(options):
    sides = measurable(options.names)
    if sides[0].is_dir():
        ratios, figures = in_folders(sides)
        lines = lines_of(ratios, figures, [], options)
    else:
        described = json.loads(subprocess.run([sides[1], "--describe"], capture_output=True,
                                              text=True, check=True).stdout)
        subjects = f"({described['default_backend']}|floor_[a-z_]+)"
        pattern = options.filter or MAIN_ROWS.format(subjects)
        lines = measured(sides, options, pattern)
        confirm(lines, sides)
    if not lines:
        raise Refused("the two sides have no row in common that matches")
    return lines


def folder_of(names):
    return "compare-" + "-".join(re.sub(r"[^A-Za-z0-9._-]", "_", name) for name in names)


def main(arguments):
    parser = Parser("lab compare", __doc__)
    parser.add_argument("names", nargs=2, metavar="A B")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--filter")
    parser.add_argument("--processes", type=whole_number(1), default=20)
    options = parser.parse_args(arguments)
    out = options.out or ROOT / "results" / "local" / folder_of(options.names)
    lines = compare(options)
    said = sentence(lines, options)
    text = as_text(lines)
    print(text, said, sep="\n")
    out.mkdir(parents=True, exist_ok=True)
    for name, written in (("compare.txt", f"{text}\n{said}"),
                          ("compare.md", f"{said}\n\n{as_markdown(lines)}"),
                          ("compare.json", json.dumps([finite(line) for line in lines], indent=1))):
        files.write_whole(out / name, written + "\n")
    print(f"in {out}: compare.txt, compare.md, compare.json")
    slower = [line for line in lines if line["verdict"] == "slower" and line["confirmed"]]
    return FORBIDDEN if slower else FINE
