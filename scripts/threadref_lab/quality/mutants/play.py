"""Does a test fail for each broken line that the registry's exactly-once guarantee depends on?

usage: scripts/lab mutate [--only REGEX] [--out FILE] [--page] [options]

For each mutant of impl/conformance/mutants/ it builds the library with that line broken, in a copy,
and runs the killers listed for it until one of them fails. Before that, the unbroken library must
pass them all.

Appends each result to results.jsonl in the folder of --work as soon as it is known. A mutant that
has a result is not run again unless the sources, the mutant or its killers have changed. So one
table can be run in several goes, or by shards on several machines whose files are then put
together.

  --only REGEX   only the mutants whose id contains a match of this regular expression
  --shard I/N    only the I-th of N parts of them
  --time 20m     starts no further mutant after this time (also 90s or 1h30m)
  --again        also runs the mutants that have a result
  --out FILE     also writes JSON, once every mutant has a result
  --page         writes the table into impl/docs/mutants.md, once every mutant has a result
  --list         only lists the mutants, what they break and their killers
  --ci           only lists which mutants are killed by the tests that run for every change:
                 those of build/release, build/tsan and build/asan without the label nightly. A
                 check that has to be repeated counts only if such a test repeats it
  --table PATH   another table of mutants: a file, or a folder of them
  --root DIR     the checkout that is copied and broken [this one]
  --work DIR     where the copy and its builds are kept [build/mutants of the checkout]
  --help         this text

A killer is one of these, under the build `release`, or `tsan: ` or `asan: ` before it:
  c053_detach_against_exit [x5]   a check of the conformance suite, repeated
  stress mixed 5s [seed 7]        a scenario or an event of stress_threadref
  run failing_memory [ARGUMENT]   a test program
  ctest NAME TARGET...            a test of ctest, for which the targets are built

exit status: 0 every mutant that has a result was killed, and the harmless ones were not · 1 wrong
  use, or the table is wrong: a mutant does not apply, or does not compile · 2 a mutant survived:
  a test is missing · 3 the unbroken library fails, or it or what --ci reads is not built
  4 a harmless mutant was killed · 130 interrupted
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from threadref_lab.cli import checkout
from threadref_lab.cli.arguments import Parser, seconds
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, MISUSE, UNCAUGHT, UNUSABLE, Unusable
from threadref_lab.docs import mutants
from threadref_lab.quality.mutants import ci, table
from threadref_lab.quality.mutants.results import Clock, Stored, TimeOver

WRONG_USE_OF_A_PROGRAM = 1
# What an object has symbols of, if code of the library was compiled into it. No other one needs to
# be compiled again for a mutant: none changes what a type looks like.
OF_THE_LIBRARY = "threadref6detail"
OPTIONS = {"release": ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1"],
           "tsan": ["-DCMAKE_BUILD_TYPE=Tsan"], "asan": ["-DCMAKE_BUILD_TYPE=Asan"]}
REPORT = re.compile(r"SUMMARY: (\w+Sanitizer): ([\w -]+?)(?= *(?:[./(]|$))", re.M)
SEEN = re.compile(r"^  (\w+) +[\d,]+ .* forbidden ", re.M)  # what a scenario saw


@dataclass
class Played:
    """What came of a killer."""

    killer: str
    killed: bool
    how: str
    seconds: float
    build_seconds: float


class Wrong(Exception):
    """What is the table's fault, not the library's."""


def how_of(code, hung, said):
    """(whether it noticed, how)"""
    report = REPORT.search(said)
    if hung:
        return True, "hung, until its time was over"
    if code == FINE:
        return False, "passed"
    if report:
        return True, f"{report[1]}: {report[2]}"
    if code < 0:
        return True, f"crashed ({signal.Signals(-code).name})"
    if code == WRONG_USE_OF_A_PROGRAM and "[  FAILED  ]" not in said:
        raise Wrong("the program refused its arguments")
    if code == UNUSABLE:
        return True, "hung, as it says itself" if " hangs" in said else "crashed"
    seen = ", ".join(dict.fromkeys(SEEN.findall(said)))
    return True, f"failed: {seen}" if seen else "failed"


class Bench:
    """The copy that is broken, and its builds."""

    def __init__(self, root, work):
        self.root = root
        self.source = work / "source"
        self.work = work
        self.prefix = checkout.tsan_prefix()
        self.ours = {}  # of objects: whether code of the library is in them
        (work / "logs").mkdir(parents=True, exist_ok=True)

    # --- The copy.

    def copy(self):
        """What the checkout has, with its times, so that only what changed is compiled again."""
        listed = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "-co",
                                 "--exclude-standard"], capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            raise Unusable(f"{self.root} is not a git checkout: {listed.stderr.strip()}")
        names = {name for name in listed.stdout.split("\0") if (self.root / name).is_file()}
        for name in names:
            old, new = self.source / name, self.root / name
            if not old.is_file() or old.read_bytes() != new.read_bytes():
                old.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(new, old)
        for path in [each for each in self.source.rglob("*") if each.is_file()]:
            if str(path.relative_to(self.source)) not in names:
                path.unlink()

    def write(self, name, text):
        """With the time that the file had: which objects it is in, forget_objects() knows."""
        path = self.source / name
        times = path.stat()
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    # --- The builds.

    def forget_objects(self):
        """Has all be compiled again that code of the library is in; ccache knows the unbroken."""
        objects = [path for build in table.BUILDS for path in (self.work / build).rglob("*.o")]
        unknown = [path for path in objects if path not in self.ours]
        for path in unknown:
            symbols = subprocess.run(["nm", str(path)], capture_output=True, text=True, check=False)
            self.ours[path] = OF_THE_LIBRARY in symbols.stdout or symbols.returncode != 0
        for path in objects:
            if self.ours[path]:
                path.unlink()

    def build(self, build, targets, log):
        """Seconds. Raises Wrong."""
        begun = time.monotonic()
        folder = self.work / build
        if not (folder / "build.ninja").is_file():
            command = ["cmake", "-G", "Ninja", "-S", str(self.source), "-B", str(folder),
                       f"-DTHREADREF_BACKENDS={table.BACKEND}", "-DTHREADREF_BUILD_PARTS=ON",
                       "-DTHREADREF_BUILD_BENCH=OFF", *OPTIONS[build]]
            if shutil.which("ccache"):
                command += [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache"
                            for language in ("C", "CXX")]
            if self.run(command, log)[0] != 0:
                raise Unusable(f"the build {build} can't be configured; see {log}")
        if self.run(["cmake", "--build", str(folder), "--target", *targets], log)[0] != 0:
            raise Wrong(f"{' '.join(targets)} ({build}) does not compile; see {log}")
        return time.monotonic() - begun

    def run(self, command, log, seconds=None, folder=None):
        """(exit status, whether it hung); what it prints goes to the end of the log."""
        with log.open("a", encoding="utf-8") as to:
            print(f"$ {' '.join(command)}", file=to, flush=True)
            child = subprocess.Popen([*self.prefix, *command], stdin=subprocess.DEVNULL, stdout=to,
                                     stderr=to, start_new_session=True,
                                     cwd=folder or self.work)
            try:
                return child.wait(seconds), False
            except subprocess.TimeoutExpired:
                return -signal.SIGKILL, True
            finally:  # also what it started and left
                try:
                    os.killpg(child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                child.wait()

    def play(self, killer, log):
        built = self.build(killer.build, killer.targets, log)
        begun, at = time.monotonic(), log.stat().st_size
        code, hung = self.run(killer.command, log, killer.seconds, self.work / killer.build)
        seconds = time.monotonic() - begun
        with log.open(encoding="utf-8", errors="replace") as said:
            said.seek(at)
            killed, how = how_of(code, hung, said.read())
        return Played(killer.text, killed, how, round(seconds, 1), round(built, 1))


def say(sentence):
    print(sentence, flush=True)


# ----------------------------------------------------------------------------- the run


def control(bench, stored, killers, clock):
    """The unbroken library passes all of them, or there is nothing to learn."""
    bench.forget_objects()
    for killer in killers:
        clock.begin()
        log = bench.work / "logs" / "unbroken.log"
        try:
            played = bench.play(killer, log)
        except Wrong as why:
            raise Unusable(f"{killer.text}: {why}") from why
        if played.killed:
            raise Unusable(f"the unbroken library does not pass {killer.text}: {played.how}; "
                           f"see {log}")
        stored.add(killer, asdict(played))
        say(f"unbroken  {killer.text}: passed, {played.seconds} s (built in "
            f"{played.build_seconds} s) {clock.end()}")


def try_one(bench, mutant, clock):
    """The row of the table that a mutant comes to."""
    log = bench.work / "logs" / f"{mutant.id}.log"
    log.unlink(missing_ok=True)
    unbroken = (bench.source / mutant.file).read_text(encoding="utf-8")
    played = []
    bench.forget_objects()
    bench.write(mutant.file, unbroken.replace(mutant.before, mutant.after))
    try:
        for killer in mutant.killers:
            played.append(bench.play(killer, log))
            if played[-1].killed:
                break
    finally:
        bench.write(mutant.file, unbroken)
    killed = played[-1].killed
    outcome = {(True, False): "killed", (False, False): "SURVIVED", (False, True): "harmless",
               (True, True): "KILLED, THOUGH HARMLESS"}[killed, mutant.survives]
    last = played[-1]
    say(f"{outcome:9} {mutant.id}: " + "; ".join(
        f"{each.killer}: {each.how}, {each.seconds} s (built in {each.build_seconds} s)"
        for each in played) + f" {clock.end()}")
    return {"id": mutant.id, "breaks": mutant.breaks, "file": mutant.file, "outcome": outcome,
            "killer": last.killer if killed else None, "how": last.how if killed else None,
            "seconds": last.seconds, "tried": [asdict(each) for each in played]}


def killer_of(mutant, row):
    """What noticed, according to a stored row; None if nothing did."""
    return next((each for each in mutant.killers if row and each.text == row["killer"]), None)


def finished(stored, mutant):
    """The row of a mutant; None if it is to be played, or if what killed it may fail by itself."""
    row = stored.of(mutant.played)
    killer = killer_of(mutant, row)
    if not row or (killer and not stored.of(killer)):
        return None
    return {**row, "id": mutant.id, "breaks": mutant.breaks}


def run_all(bench, stored, chosen, seconds):
    """Plays what has no result yet; returns what is wrong with the table, by the mutants' ids."""
    def unproved(killers):
        return [each for each in dict.fromkeys(killers) if each and not stored.of(each)]

    todo = [mutant for mutant in chosen if not stored.of(mutant.played)]
    first = unproved(mutant.killers[0] for mutant in todo)
    clock = Clock(len(todo) + len(first), seconds)
    wrong = {}
    try:
        if first:
            control(bench, stored, first, clock)
        for mutant in todo:
            clock.begin()
            try:
                stored.add(mutant.played, try_one(bench, mutant, clock))
            except Wrong as why:
                wrong[mutant.id] = str(why)
                say(f"WRONG     {mutant.id}: {why} {clock.end()}")
        # What killed in the second place proves as little if it fails by itself.
        later = unproved(killer_of(mutant, stored.of(mutant.played)) for mutant in chosen)
        if later:
            control(bench, stored, later, clock)
    except TimeOver:
        say("the time is over")
    bench.forget_objects()
    return wrong


# ----------------------------------------------------------------------------- the program


def chosen_of(options, root):
    every = table.read(options.table or root / table.FOLDER, root)
    try:
        wanted = re.compile(options.only or "")
    except re.error as error:
        raise Unusable(f"--only {options.only} is not a regular expression: {error}",
                       MISUSE) from error
    chosen = [mutant for mutant in every if wanted.search(mutant.id)]
    if not chosen:
        raise Unusable(f"no mutant matches --only {options.only}; valid: "
                       f"{', '.join(mutant.id for mutant in every)}", MISUSE)
    return chosen


def status_of(found, wrong):
    outcomes = {row["outcome"] for row in found}
    if wrong:
        return MISUSE
    if "KILLED, THOUGH HARMLESS" in outcomes:
        return UNCAUGHT
    return FORBIDDEN if "SURVIVED" in outcomes else FINE


def shard(text):
    part = re.fullmatch(r"(\d+)/(\d+)", text)
    if not part or not 1 <= int(part[1]) <= int(part[2]):
        raise argparse.ArgumentTypeError(f"'{text}' is not an I/N with I from 1 to N, such as 2/4")
    return int(part[1]), int(part[2])


def read_options(arguments):
    parser = Parser("lab mutate", __doc__)
    parser.add_argument("--only")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--shard", type=shard, default=(1, 1))
    parser.add_argument("--time", type=seconds(0))
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args(arguments)
    if options.page and options.only:
        parser.error("--page is for the table of all mutants: leave out --only")
    return options


def play(bench, stored, every, options):
    """Plays a shard of them, and writes the table once there is a result of each."""
    part, parts = options.shard
    mine = every[part - 1::parts]
    if options.again:
        for mutant in mine:
            for what in (mutant.played, *mutant.killers):
                stored.forget(what)
    wrong = run_all(bench, stored, mine, options.time)
    found = [row for row in (finished(stored, mutant) for mutant in every) if row]
    left = len(every) - len(found) - len(wrong)
    if found:
        print()
        mutants.print_table(found)
    if left:
        print(f"{left} of {len(every)} mutants have no result yet, so no table is written; the "
              "next run goes on here")
    else:
        if options.out:
            mutants.write_json(options.out, found)
        if options.page and not wrong:
            mutants.BLOCK.write(options.root / mutants.PAGE, mutants.markdown(found))
    return status_of(found, wrong)


def main(arguments):
    options = read_options(arguments)
    root = options.root = options.root.resolve()
    every = chosen_of(options, root)
    if options.list:
        for mutant in every:
            print(f"{mutant.id}  ({mutant.file})\n  {mutant.breaks}\n  by: "
                  f"{' | '.join(killer.text for killer in mutant.killers)}")
        return FINE
    os.nice(10)  # others may work here
    bench = Bench(root, (options.work or root / "build/mutants").resolve())
    bench.copy()
    stored = Stored(bench.work / "results.jsonl", bench.source)
    if options.ci:
        def killer(mutant):
            row = finished(stored, mutant)
            return row["killer"] if row else None
        print(*ci.report(root, every, killer), sep="\n")
        return FINE
    return play(bench, stored, every, options)
