"""Writes the table of checks and back ends into impl/docs/checks.md, from the results of a build.

usage: scripts/lab docs --only checks [--check] [--results FOLDER] [--page FILE]

  --check            writes nothing, and says whether the table agrees with the results
  --results FOLDER   the results of a build's tests [build/release/checks]
  --page FILE        [impl/docs/checks.md]
  --help             this text

A result is a *.json of GoogleTest, or a *.txt, the output of some other program, in which only
lines like these count:

  check c101_all_keys_are_taken registry: passed
  check c124_inside_malloc cxx_thread_local: n/a <why>
  check c064_a_long_life cxa_thread_atexit: deviates <outcome>: <why>
  check c118_stats_equal_the_ledger pthread_key: failed <why>

exit status: 0 fine · 1 wrong use · 2 the table is stale, or a check failed or was skipped
             3 the results are not usable
"""

import collections
import json
import re
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FORBIDDEN, Unusable
from threadref_lab.docs.block import Block

RESULTS, PAGE = ROOT / "build/release/checks", ROOT / "impl/docs/checks.md"
TABLE_OF_BACK_ENDS = ROOT / "impl/threadref/backends/CMakeLists.txt"
BLOCK = Block("checks", "docs --only checks")

CHECK = re.compile(r"c(?P<number>\d{3})[a-z]?_(?P<name>\w+)")
LINE = re.compile(r"^check (?P<check>\w+) (?P<backend>\w+): "
                  r"(?:(?P<passed>passed)|(?P<verdict>n/a|deviates|failed) (?P<why>.+))$", re.M)
LEFT_OUT = re.compile(r"left_out_(?P<number>\d+)_(?P<build>\w+)")

# The first number of each section.
SECTIONS = {1: "A. Identity and refs", 16: "B. Finalizers", 29: "C. Order",
            37: "D. Registering during the exit", 46: "E. Exceptions", 53: "F. Races",
            61: "G. Ways a thread ends", 73: "H. The process ends", 87: "I. fork", 92: "J. dlclose",
            95: "K. Destructors of variables", 101: "L. Limits", 109: "M. What a finalizer sees",
            115: "N. Many threads", 121: "O. More of each"}
LAST_NUMBER = 133
# Why these have no row, and will have none.
ELSEWHERE = {108: "is `limits/many_threads` and `fault/no_more_threads` of the guarantee matrix",
             115: "is the rows `waves`, `churn`, `burst` and `mixed` of `stress_threadref`",
             116: "is `scripts/lab soak`; memory that grows fails a cell of `stress_threadref`",
             130: "is the row `pool` of `stress_threadref`, and `env/pool_ended` of its matrix",
             117: "is a whole build: the presets `tsan` and `asan` of `scripts/test.sh`",
             119: "needs another C library: untested",
             120: "is the columns of the direct back ends"}

Result = collections.namedtuple("Result", "number name backend verdict why")


def result(check, backend, verdict, why=""):
    parts = CHECK.fullmatch(check)
    if not parts:
        raise Unusable(f"'{check}' is not a check's name; it must be c<3 digits>_<what holds>")
    return Result(int(parts["number"]), parts["name"].replace("_", " "), backend, verdict, why)


# ----------------------------------------------------------------------------- reading


def verdict_of(case):
    """(verdict, why) of one test; None for one that was not selected."""
    if case["status"] != "RUN":
        return None
    if case.get("failures"):
        return "failed", case["failures"][0]["failure"].splitlines()[0]
    if case["result"] != "COMPLETED":
        return "skipped", ""
    for key, verdict in (("deviation", "deviates"), ("not_applicable", "n/a")):
        if key in case:
            return verdict, case[key]
    return "passed", ""


def read_gtest(document):
    """(results, what other builds leave out) of one run."""
    found = []
    for suite in document["testsuites"]:
        backend = suite["name"].rpartition("/")[2]
        for case in suite["testsuite"]:
            verdict = verdict_of(case)
            if verdict:
                found.append(result(case["name"], backend, *verdict))
    left_out = set()
    for key, why in document.items():
        parts = LEFT_OUT.fullmatch(key)
        if parts:
            left_out.add((int(parts["number"]), parts["build"], why))
    return found, left_out


def read_lines(text):
    return [result(line["check"], line["backend"], line["passed"] or line["verdict"],
                   line["why"] or "") for line in LINE.finditer(text)]


def read(folder):
    """(results, left out, back ends that the suite ran over) of all files of the folder."""
    found, left_out = [], set()
    for path in sorted(folder.glob("*.json")):
        try:
            results, left = read_gtest(json.loads(path.read_text(encoding="utf-8")))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise Unusable(f"{path}: no results of GoogleTest ({error!r})") from error
        found += results
        left_out |= left
    suite_ran = {each.backend for each in found}
    for path in sorted(folder.glob("*.txt")):
        results = read_lines(path.read_text(encoding="utf-8", errors="replace"))
        if not results:
            raise Unusable(f"{path}: holds no line 'check <name> <back end>: <verdict>'")
        found += results
    return found, left_out, suite_ran


def back_ends():
    """In the order of their table, without the canaries."""
    table = TABLE_OF_BACK_ENDS.read_text(encoding="utf-8")
    lines = re.findall(r"^threadref_backend\((\w+)([^)]*)\)", table, re.M)
    return [name for name, rest in lines if "CANARY" not in rest]


# ----------------------------------------------------------------------------- writing


class Footnotes:
    """Each reason once, numbered as it is first met."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"[{self.texts.index(text) + 1}]"


def cell(results, footnotes):
    """What all checks of one number came to on one back end."""
    if not results:
        return "-"
    passed = sum(each.verdict == "passed" for each in results)
    if passed == len(results):
        return "ok"
    others = collections.Counter((each.verdict, each.why) for each in results
                                 if each.verdict != "passed")
    parts = [f"{passed} ok"] if passed else []
    for (verdict, why), count in others.items():
        times = f"{count} " if len(results) > 1 else ""
        parts.append(f"{times}{verdict} {footnotes.mark(why)}")
    return ", ".join(parts)


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def table(results, backends):
    """(lines, reasons)"""
    footnotes = Footnotes()
    by_cell = collections.defaultdict(list)
    names = collections.defaultdict(dict)  # of a number, in the order in which they are met
    for each in results:
        by_cell[each.number, each.backend].append(each)
        names[each.number][each.name] = True
    lines = [row("", *(f"`{name}`" for name in backends)), row(*["---"] * (len(backends) + 1))]
    starts = sorted(SECTIONS)
    for start, end in zip(starts, [*starts[1:], LAST_NUMBER + 1]):
        numbers = [number for number in sorted(names) if start <= number < end]
        if numbers:
            lines.append(row(f"**{SECTIONS[start]}**", *[""] * len(backends)))
        for number in numbers:
            first, *more = names[number]
            label = f"{number} {first}" + (f" (and {len(more)} more)" if more else "")
            lines.append(row(label, *(cell(by_cell[number, name], footnotes)
                                      for name in backends)))
    lines.append(row("**Checks**", *[""] * len(backends)))
    for verdict in ("passed", "deviates", "n/a"):
        counts = collections.Counter(each.backend for each in results if each.verdict == verdict)
        lines.append(row(verdict, *(str(counts[name]) for name in backends)))
    return lines, footnotes.texts


def rowless(results):
    there = {each.number for each in results}
    missing = [number for number in range(1, LAST_NUMBER + 1) if number not in there]
    lines = [f"* {number} {ELSEWHERE[number]}." for number in missing if number in ELSEWHERE]
    unchecked = ", ".join(str(number) for number in missing if number not in ELSEWHERE)
    if unchecked:
        lines.append(f"* Not checked yet: {unchecked}.")
    return lines


def left_out_lines(left_out):
    """A line for each build and reason, with the numbers that share it."""
    grouped = collections.defaultdict(list)
    for number, build, why in sorted(left_out):
        grouped[build, why].append(str(number))
    return [f"* {', '.join(numbers)} {build.replace('_', ' ')}: {why}."
            for (build, why), numbers in grouped.items()]


def section(results, left_out, backends):
    """Everything between the markers."""
    lines, reasons = table(results, backends)
    text = [*lines, "", "`ok`: all checks of that number passed. `deviates`: it fails, as the "
            "back end declares. `n/a`: it asks for", "what the back end does not claim. `-`: it is "
            "not asked of this back end. Nothing failed, nothing was skipped."]
    if reasons:
        text += ["", *(f"{number}. {why}" for number, why in enumerate(reasons, 1))]
    if left_out:
        text += ["", "Left out of other builds than the optimised one:", ""]
        text += left_out_lines(left_out)
    without = rowless(results)
    if without:
        text += ["", "Numbers without a row:", "", *without]
    return "\n".join(text)


# ----------------------------------------------------------------------------- the program


def complaints(results, backends):
    """What keeps these results out of a table."""
    for each in results:
        if each.verdict in ("failed", "skipped"):
            yield f"check {each.number} {each.verdict} on {each.backend}: {each.name}; {each.why}"
    strangers = sorted({each.backend for each in results} - set(backends))
    for name in strangers:
        yield f"'{name}' is not a back end of {TABLE_OF_BACK_ENDS.relative_to(ROOT)}"


def work(options):
    backends = back_ends()
    results, left_out, suite_ran = read(options.results)
    # The other programs' lines alone would make a table too, with hardly a row.
    silent = [name for name in backends if name not in suite_ran]
    if silent:
        raise Unusable(f"{options.results} has no results of {', '.join(silent)}; make them: "
                       "cmake --build --preset release, then ctest --preset release -L conformance")
    wrong = list(complaints(results, backends))
    for sentence in wrong:
        print(f"lab docs --only checks: {sentence}", file=sys.stderr)
    if wrong:
        return FORBIDDEN
    folder = "" if options.results == RESULTS else f" --results {options.results}"
    return BLOCK.update(options.page, section(results, left_out, backends), options.check,
                        f"{BLOCK.command}{folder}")


def main(arguments):
    parser = Parser("lab docs --only checks", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    return run(parser, work, arguments)
