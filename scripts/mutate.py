#!/usr/bin/python3
"""Builds the registry with one line broken at a time and says what notices; see mutate.sh."""

import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import mutants
import readme_table
from starts import INTERRUPTED, MISUSE, UNUSABLE, Parser, Unusable, end_with

FINE, FORBIDDEN, UNCAUGHT = 0, 2, 4
WRONG_USE_OF_A_PROGRAM = 1
ROOT = Path(__file__).resolve().parent.parent
README = "impl/threadref/backends/registry/README.md"
TABLE = "impl/threadref/mutants"
PLACE = readme_table.Place("mutants", "mutate.py")
HEADING = "## Mutants"
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
        self.ours = {}  # of objects: whether code of the library is in them
        (work / "logs").mkdir(parents=True, exist_ok=True)

    # --- The copy.

    def copy(self):
        """What the checkout has, with its times, so that only what changed is compiled again."""
        listed = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "-co",
                                 "--exclude-standard"], capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            raise Unusable(f"{self.root} is no checkout of git: {listed.stderr.strip()}")
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
        objects = [path for build in mutants.BUILDS for path in (self.work / build).rglob("*.o")]
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
                       f"-DTHREADREF_BACKENDS={mutants.BACKEND}", "-DTHREADREF_BUILD_PARTS=ON",
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
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=to,
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


def control(bench, killers):
    """The unbroken library passes all of them, or there is nothing to learn."""
    bench.forget_objects()
    for killer in killers:
        log = bench.work / "logs" / "unbroken.log"
        try:
            played = bench.play(killer, log)
        except Wrong as why:
            raise Unusable(f"{killer.text}: {why}") from why
        if played.killed:
            raise Unusable(f"the unbroken library does not pass {killer.text}: {played.how}; "
                           f"see {log}")
        say(f"unbroken  {killer.text}: passed, {played.seconds} s (built in "
            f"{played.build_seconds} s)")


def try_one(bench, mutant):
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
        for each in played))
    return {"id": mutant.id, "breaks": mutant.breaks, "file": mutant.file, "outcome": outcome,
            "killer": last.killer if killed else None, "how": last.how if killed else None,
            "seconds": last.seconds, "tried": [asdict(each) for each in played]}


def run_all(bench, chosen):
    """(rows, what is wrong with the table)"""
    first = list(dict.fromkeys(mutant.killers[0] for mutant in chosen))
    control(bench, first)
    found, wrong = [], []
    for mutant in chosen:
        try:
            found.append(try_one(bench, mutant))
        except Wrong as why:
            wrong.append(f"{mutant.id}: {why}")
            say(f"WRONG     {wrong[-1]}")
    # What killed in the second place proves as little if it fails by itself.
    killed_by = {row["killer"] for row in found}
    later = [killer for mutant in chosen for killer in mutant.killers
             if killer.text in killed_by and killer not in first]
    if later:
        control(bench, list(dict.fromkeys(later)))
    bench.forget_objects()
    return found, wrong


# ----------------------------------------------------------------------------- the table


def machine():
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = re.search(r"^model name\s*: (.+)$", text, re.M)
    except OSError:
        model = None
    return f"{os.cpu_count()} CPUs of an {model[1]}" if model else f"{os.cpu_count()} CPUs"


def summary(found):
    counts = Counter(row["outcome"] for row in found)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def markdown(found):
    lines = ["| what is broken | noticed by | how | seconds |", "| --- | --- | --- | ---: |"]
    for row in found:
        killer = f"`{row['killer']}`" if row["killer"] else "-"
        how = row["how"] or f"**{row['outcome']}**"
        lines.append(f"| `{row['id']}`: {row['breaks']} | {killer} | {how} | {row['seconds']} |")
    tail = (f"{datetime.date.today()}, {machine()}: {summary(found)}. The seconds are those of the "
            "check or the scenario,\nwithout the build. Any of them again: "
            "`scripts/mutate.sh --only '^<id>$'`.")
    return "\n".join([*lines, "", tail])


def print_table(found):
    width = max(len(row["id"]) for row in found)
    for row in found:
        print(f"{row['outcome']:9} {row['id']:{width}}  {row['killer'] or '-'}"
              f"  ({row['how'] or 'nothing noticed'}, {row['seconds']} s)")
    print(summary(found))


def write_readme(path, found):
    if path.is_file():
        old = path.read_text(encoding="utf-8")
    else:
        old = "# registry\n"
    if PLACE.begin not in old:
        old = f"{old.rstrip()}\n\n{HEADING}\n\n{PLACE.begin}\n{PLACE.end}\n"
    path.write_text(PLACE.spliced(old, path, markdown(found)), encoding="utf-8")


# ----------------------------------------------------------------------------- the program


def chosen_of(options, root):
    every = mutants.read(options.table or root / TABLE, root)
    try:
        wanted = re.compile(options.only or "")
    except re.error as error:
        raise Unusable(f"--only {options.only} is no regular expression: {error}",
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


def main(arguments):
    parser = Parser("mutate.sh")
    parser.add_argument("--only")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--readme", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args(arguments)
    if options.readme and options.only:
        parser.error("--readme is for the table of all mutants: leave out --only")
    root = options.root.resolve()
    chosen = chosen_of(options, root)
    if options.list:
        for mutant in chosen:
            print(f"{mutant.id}  ({mutant.file})\n  {mutant.breaks}\n  by: "
                  f"{' | '.join(killer.text for killer in mutant.killers)}")
        return FINE
    bench = Bench(root, (options.work or root / "build/mutants").resolve())
    bench.copy()
    found, wrong = run_all(bench, chosen)
    if found:
        print()
        print_table(found)
    if options.out:
        options.out.write_text(json.dumps({"schema": 1, "date": str(datetime.date.today()),
                                           "machine": machine(), "mutants": found}, indent=2) +
                               "\n", encoding="utf-8")
    if options.readme and not wrong:
        write_readme(root / README, found)
    return status_of(found, wrong)


def on_signal(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, on_signal)
    end_with("mutate.sh", main)
