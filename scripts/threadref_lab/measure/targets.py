"""Does the default back end reach its targets?

usage: scripts/lab targets [--only REGEX] [--processes N] [--quick] [--out FILE]

Prints each target beside the measured value and its 99.9 % interval over process starts (order
statistics, valid for any distribution), for all sizes. Builds optimised first; then it takes ten
minutes on two cores, which should be idle. Rows are pinned, except those that use several cores.
A ratio to a floor is measured in turns with the floor; a ratio of two rows is formed within each
process start.

  --only REGEX    only targets whose name, in the first column of the table, matches
  --processes N   process starts; default, and the smallest number that decides: 20
  --quick         3 starts: shows what is measured, and decides nothing
  --out FILE      also write JSON (results/docs/keys.md), and the text to FILE with the ending .txt
  --bench FILE    use this bench_threadref, and bench_instructions beside it, and build nothing
  --help          this text

  scripts/lab targets --only '^exit/n:256$'

A target is met if its whole interval is within the limit, and missed if all of it is beyond.
Otherwise it is undecided, and counts as missed unless its median is within. A missed target has
to be listed in the table of impl/docs/targets.md:
  ## Targets that are missed
  | target | measured | why | best variant tried |
with a reason. A listed target may be met on another processor; the output then says so.

exit status: 0 all are met or listed, or there were too few starts · 1 wrong use · 2 one is missed
  and not listed, or the list can't be read · 3 not usable: a row is absent, a
  program crashed, a floor differed from itself by more than 1 % · 130 interrupted
"""

import collections
import json
import os
import re
import sys
from pathlib import Path

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import Parser, whole_number
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, MISUSE, UNUSABLE, Unusable
from threadref_lab.measure import instructions, sweeps, targets_table
from threadref_lab.measure.starts import finite, say_progress, start
from threadref_lab.measure.targets_table import NoFigure, PLAIN
from threadref_lab.stats import intervals
from threadref_lab.store import files, rows as rows_of

DECISIVE, QUICK = 20, 3  # process starts
LIST = "impl/docs/targets.md"
HEADING = "## Targets that are missed"
COLUMNS = ["target", "measured", "why", "best variant tried"]


# ----------------------------------------------------------------------------- the list of misses


def listed_misses(text, where):
    """{target: its cells} of the table below HEADING; none where there is no such heading."""
    _, found, rest = f"\n{text}".partition(f"\n{HEADING}\n")
    if not found:
        return {}
    section = re.split(r"^#", rest, maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    table = [[cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])]
             for line in lines]
    if not table or table[0] != COLUMNS:
        raise Unusable(f"{where}: below '{HEADING}' there is no table with the columns "
                       f"{' | '.join(COLUMNS)}", FORBIDDEN)
    misses = {}
    for cells in table[2:]:
        if len(cells) != len(COLUMNS) or not all(cells):
            raise Unusable(f"{where}: '{' | '.join(cells)}' has not four cells with something in "
                           "each", FORBIDDEN)
        if cells[0] in misses:
            raise Unusable(f"{where}: {cells[0]} is listed twice", FORBIDDEN)
        misses[cells[0]] = dict(zip(COLUMNS, cells))
    unknown = [name for name in misses
               if name.partition("/")[0] not in {t.name for t in targets_table.TARGETS}]
    if unknown:
        raise Unusable(f"{where}: no target is called {', '.join(unknown)}", FORBIDDEN)
    return misses


# ----------------------------------------------------------------------------- measuring


def asked_parts(subject, names, only):
    """[(target, name, part)] of the lines whose name matches."""
    found = []
    for target in targets_table.TARGETS:
        for part in target.parts(subject, names):
            name = "/".join(filter(None, (target.name, part.label)))
            if re.search(only, name):
                found.append((target, name, part))
    return found


def ask(bench, argument):
    done = children.run([bench, argument], capture_output=True, text=True)
    if done.returncode != FINE:
        raise Unusable(f"{bench} {argument} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def measured_under(allocator, bench, names):
    """({name: row}, the document); or why there are none, in place of the rows."""
    called, library, package = sweeps.ALLOCATORS[allocator]
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    if allocator != PLAIN:
        environment["LD_PRELOAD"] = library
    document = start(bench, [f"--benchmark_filter=^({'|'.join(names)})(/|$)"],
                     environment=environment)
    seen = document["context"].get("allocator")
    if seen != called:
        return f"malloc was that of {seen}, not of {allocator}; Debian has it in {package}", {}
    return {row["name"]: row for row in rows_of.bench_rows(document)}, document


def wanted_rows(asked):
    """{allocator: names of the rows that its process is asked for}"""
    wanted = collections.defaultdict(dict)  # as a set that keeps its order
    for _, _, part in asked:
        for allocator in part.allocators:
            wanted[allocator].update(dict.fromkeys(part.rows))
    if wanted[PLAIN]:
        wanted[PLAIN].update(dict.fromkeys(targets_table.CONTROLS))
    return {allocator: list(names) for allocator, names in wanted.items() if names}


def measure(bench, asked, names, processes):
    """([what was seen in each process start], the last document of the plain program)"""
    wanted = {allocator: [name for name in rows if name in names]
              for allocator, rows in wanted_rows(asked).items()}
    found, plain = [], {}
    for process in range(processes if wanted else 0):
        say_progress("targets: start", process, processes)
        seen = {}
        for allocator, rows in wanted.items():
            if rows:
                seen[allocator], document = measured_under(allocator, bench, rows)
                plain = document if allocator == PLAIN else plain
        found.append(seen)
    return found, plain


def count(driver, quantity, subject, processes):
    print(f"targets: counting instructions of {quantity}", file=sys.stderr, flush=True)
    try:
        instructions.check_valgrind()
        cells = instructions.cells_of(driver, [quantity], [subject])
        line, = instructions.count_all(driver, cells, processes)
    except Unusable as refused:
        raise NoFigure(str(refused)) from refused
    if "error" in line:
        raise NoFigure(line["error"])
    return line["runs"]


def figures(part, found, options, subject):
    """One of each process start."""
    if part.count:
        driver = options.bench.with_name("bench_instructions")
        return count(driver, part.count, subject, options.processes)
    if part.figure is None:
        raise NoFigure(part.said)
    return [part.figure(seen) for seen in found]


# ----------------------------------------------------------------------------- judging


def judged(target, values):
    """What these values say of the target. An undecided one counts as its median does."""
    low, median, high = intervals.interval(values)
    if target.is_within(high):
        verdict = "met"
    elif not target.is_within(low):
        verdict = "missed"
    else:
        verdict = "undecided"
    missed = verdict == "missed" or verdict == "undecided" and not target.is_within(median)
    return {"median": median, "low": low, "high": high, "verdict": verdict, "missed": missed,
            "values": values}


def line_of(asked, misses, values_of):
    target, name, part = asked
    line = {"target": name, "words": target.words, "said": part.said, "sign": target.sign,
            "limit": target.limit, "listed": name in misses,
            "command": f"scripts/lab targets --only '^{name}$'"}
    try:
        return {**line, **judged(target, values_of(part))}
    except (NoFigure, ZeroDivisionError) as why:
        return {**line, "verdict": "not usable", "missed": False, "why": str(why)}


def controls(found):
    """{floor's row: the median of its ratio to itself}"""
    seen = {name: [start_of[PLAIN][name]["ratio"] for start_of in found
                   if name in start_of.get(PLAIN, {})] for name in targets_table.CONTROLS}
    return {name: intervals.interval(ratios)[1] for name, ratios in seen.items() if ratios}


def is_met_here(line):
    """Listed as missed, for another processor perhaps: a compare-and-swap takes twice as long on
    one as on another."""
    return line["listed"] and line["verdict"] == "met"


def status_of(lines, noise, decides):
    """Too few starts decide nothing; unusable rows are reported all the same."""
    if any("why" in line for line in lines):
        return UNUSABLE
    if not decides:
        return FINE
    if any(abs(ratio - 1) > intervals.SELF_LIMIT for ratio in noise.values()):
        return UNUSABLE
    return FORBIDDEN if any(line["missed"] and not line["listed"] for line in lines) else FINE


# ----------------------------------------------------------------------------- what is said


def verdict_of(line):
    if "why" in line:
        return f"not usable: {line['why']}"
    said = line["verdict"]
    if said == "undecided":
        said += ", its median is " + ("beyond" if line["missed"] else "within")
    if line["missed"]:
        said += "; listed" if line["listed"] else "; NOT LISTED"
    return said + ("; listed as missed" if is_met_here(line) else "")


def cells_of(line):
    limit = f"{line['sign']} {line['limit']:g}"
    if "why" in line:
        return [line["target"], limit, "-", "-", verdict_of(line)]
    return [line["target"], limit, f"{line['median']:.4g}",
            f"{line['low']:.4g} to {line['high']:.4g}", verdict_of(line)]


def table(lines):
    head = ["target", "limit", "measured", "99.9 % interval", "verdict"]
    rows = [head, *map(cells_of, lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for line, row in zip([None, *lines], rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        if line:
            yield f"    {line['words']}" + (f"; {line['said']}" if line["said"] else "")


def summary(lines):
    counts = collections.Counter(
        line["verdict"] if line["verdict"] in ("met", "not usable") or line["missed"]
        else "undecided, within" for line in lines)
    counts["missed"] += counts.pop("undecided", 0)
    return f"{len(lines)} targets: " + ", ".join(
        f"{counts[verdict]} {verdict}" for verdict in
        ("met", "undecided, within", "missed", "not usable") if counts[verdict])


def report(document):
    """The text, as lines; the last one is the summary."""
    lines, decides = document["targets"], document["decides"]
    yield from table(lines)
    yield f"not measured: {targets_table.NOT_FIGURES}"
    for name, ratio in document["controls"].items():
        beyond = abs(ratio - 1) > intervals.SELF_LIMIT
        yield f"control: {name} to itself {ratio:.4f}" + (
            ": beyond 1 %, this run says nothing; is the machine busy?" if beyond else "")
    again = [line for line in lines if line["missed"] or "why" in line]
    if again:
        yield "each of those that are not met, alone:"
        yield from (f"  {line['command']}" for line in again)
    for wrong, sentence in (
            ([line for line in lines if line["missed"] and not line["listed"]],
             "missed, and not listed with a reason"),
            ([line for line in lines if is_met_here(line)],
             "listed as missed, and met on this machine")):
        if wrong:
            yield f"{sentence} in {document['list']}: {', '.join(l['target'] for l in wrong)}"
    if not decides:
        yield f"{document['processes']} starts decide nothing; {DECISIVE} do"
    yield summary(lines)


# ----------------------------------------------------------------------------- command


def parse(arguments):
    parser = Parser("lab targets", __doc__)
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--processes", type=whole_number(1))
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    try:
        re.compile(options.only)
    except re.error as error:
        parser.error(f"--only {options.only}: not a regular expression: {error}")
    if options.out and (options.out.suffix == ".txt" or options.out.is_dir()
                        or not options.out.absolute().parent.is_dir()):
        parser.error(f"--out {options.out}: name a file in a folder that exists, not ending with "
                     ".txt, which the text beside it does")
    options.processes = options.processes or (QUICK if options.quick else DECISIVE)
    return options


def misses():
    return listed_misses((ROOT / LIST).read_text(encoding="utf-8"), LIST)


def document_of(options):
    subject = json.loads(ask(options.bench, "--describe"))["default_backend"]
    missed = misses()
    names = {rows_of.ADDED.sub("", name)
             for name in ask(options.bench, "--benchmark_list_tests").split()}
    asked = asked_parts(subject, names, options.only)
    if not asked:
        raise Unusable(f"no target matches --only {options.only}", MISUSE)
    found, last = measure(options.bench, asked, names, options.processes)
    lines = [line_of(each, missed, lambda part: figures(part, found, options, subject))
             for each in asked]
    decides = options.processes >= DECISIVE and not options.quick
    noise = controls(found)
    return {"schema": 1, "kind": "targets", "subject": subject, "list": LIST,
            "commit": last.get("context", {}).get("commit", "unknown"),
            "processes": options.processes, "decides": decides, "controls": noise,
            "status": status_of(lines, noise, decides),
            "environment": rows_of.environment(last), "targets": [finite(line) for line in lines]
            }, lines


def main(arguments):
    options = parse(arguments)
    if not options.bench:
        # The allocators and valgrind are among all; what needs one that is missing says so.
        if not checkout.set_up("--all", is_needed=False):
            print("lab targets: what needs a missing package will not be usable", file=sys.stderr)
        checkout.build("release", "bench_threadref", "bench_memory", "bench_instructions")
        options.bench = checkout.program("release", "bench_threadref")
    document, lines = document_of(options)
    text = "\n".join(report({**document, "targets": lines}))
    print(text)
    if options.out:
        out = options.out.absolute()
        files.write_whole(out, json.dumps(document, indent=1) + "\n")
        files.write_whole(out.with_suffix(".txt"), text + "\n")
    return document["status"]
