"""One night, step by step; scripts/nightly.sh --help says how.

Every command that has ended leaves a stamp in the night's raw folder. A night that was cut off
goes on after its last stamp if it is started again for the same commit within twelve hours.
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from threadref_lab.cli import children
from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import (FINE, FORBIDDEN, INTERRUPTED, Refused, UNCAUGHT, UNUSABLE,
                                      Unusable)
from threadref_lab.nightly import steps as night_steps
from threadref_lab.regressions import bisection, changes, commits, detection, notes
from threadref_lab.store import archive, environment, files, nights, rows

# What a status of a step means to a night. A confirmed regression is the judge's: it may have been
# expected. Controls that miss what they plant say of this run alone that it is not usable.
MEANT = {("pair", FORBIDDEN): FINE, ("controls", UNCAUGHT): UNUSABLE}
RESUMED_WITHIN = 12 * 3600  # seconds
RAW_KEPT = 30 * 86400
LOAD_MOST, DISK_LEAST_MIB = 0.5, 2048
STATE, ENDED = "night.json", "ended"


def moment():
    """As the name of a run begins."""
    return time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime())


class Night:
    """One run under way: where things are, and what its stamps say."""

    def __init__(self, root, options, runs):
        self.root, self.quick, self.runs = root, options.quick, runs
        self.machine, self.results = options.machine, options.results
        self.since, self.commit = options.since, commits.here(root)
        self.partner = commits.partner_of(root, runs, options.since)
        self.state, self.raw, self.process = None, None, None
        old = self.cut_off()
        if old:
            self.go_on_with(old)

    def script(self, name):
        return self.root / "scripts" / name

    def lab(self, *words):
        """The command line of a command of scripts/lab."""
        return [self.script("lab"), *words]

    def program(self, preset, name):
        return self.root / "build" / preset / "bin" / name

    def default_backend(self):
        done = subprocess.run([self.program("release", "bench_threadref"), "--describe"],
                              capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)["default_backend"]
        except (json.JSONDecodeError, KeyError) as error:
            raise Unusable("bench_threadref --describe names no default back end") from error

    # ------------------------------------------------------------------ beginning and going on

    def folder(self):
        return self.results / "local" / "nightly"

    def cut_off(self):
        """The raw folder of a night like this one that was cut off; or None. Not that of a tree
        with changes, since what it held is unknown."""
        asked = {"machine": self.machine, "commit": self.commit, "quick": self.quick,
                 "since": self.since}
        for path in sorted(self.folder().glob(f"*/{STATE}"), reverse=True):
            newest = max(each.stat().st_mtime for each in path.parent.iterdir())
            if (asked.items() <= rows.read_json(path, []).items()
                    and not self.commit.endswith(commits.DIRTY)
                    and not (path.parent / ENDED).exists()
                    and time.time() - newest < RESUMED_WITHIN):
                return path.parent
        return None

    def go_on_with(self, old):
        self.raw, self.state = old, rows.read_json(old / STATE, [])
        self.partner = commits.Partner(**self.state["partner"])

    def begin(self):
        """Starts the night, or says that it continues one that was cut off."""
        if self.state:
            print(f"nightly.sh: goes on with {self.raw.name}, which was cut off after "
                  f"{', '.join(self.taken()) or 'no step'}")
            return
        name = f"{moment()}-{self.commit[:7]}"
        self.raw = self.folder() / name
        self.raw.mkdir(parents=True)
        self.state = {"run": name, "machine": self.machine, "commit": self.commit,
                      "quick": self.quick, "since": self.since, "started": rows.now(),
                      "first": environment.before(), "partner": self.partner.described()}
        files.write_whole(self.raw / STATE, json.dumps(self.state) + "\n")

    def stored_runs(self):
        """Up to this very night, if it was stored before it was cut off; else none."""
        names = [run.name for run in self.runs]
        return self.runs[:names.index(self.raw.name) + 1] if self.raw.name in names else []

    def stamp(self, name):
        return self.raw / f"{name}.stamp"

    def stamped(self, step, at):
        """What the stamp of a command says; {} without one. A build is looked at anew each time:
        nothing says what became of it meanwhile."""
        return {} if step.is_vital else rows.read_json(self.stamp(f"{step.name}-{at}"), [])

    def taken(self):
        """Names of the steps that have a stamp."""
        return [step.name for step in (*night_steps.MEASURING, *night_steps.AFTERWARDS)
                if self.stamp(f"{step.name}-0").exists()]

    # ------------------------------------------------------------------ taking steps

    def run_command(self, command, log):
        """Its exit status, as a shell would say it."""
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdout=file, stderr=file,
                stdin=subprocess.DEVNULL, cwd=self.root, start_new_session=True)
            code = self.process.wait()
            self.process = None
        return 128 - code if code < 0 else code

    def stop(self):
        """Ends what runs, all of it."""
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()

    def take(self, step):
        """The worst status of the step's commands; None: it has none this night."""
        log, worst, commands = self.raw / f"{step.name}.log", None, step.commands(self)
        for at, command in enumerate(commands):
            old = self.stamped(step, at)
            if not old:
                begun = time.monotonic()
                code = self.run_command(command, log)
                old = {"status": code, "seconds": round(time.monotonic() - begun, 1)}
                files.write_whole(self.stamp(f"{step.name}-{at}"), json.dumps(old) + "\n")
            worst = max(worst or FINE, old["status"])
        if worst:
            print(f"nightly.sh: {step.name} ended with {worst}; the end of {log}:",
                  file=sys.stderr)
            text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
            print(*text.splitlines()[-15:], sep="\n", file=sys.stderr, flush=True)
        return worst

    def seconds(self):
        """How long each step took, of all its commands."""
        found = {}
        for path in self.raw.glob("*-*.stamp"):
            name = path.stem.rpartition("-")[0]
            found[name] = round(found.get(name, 0) + rows.read_json(path, [])["seconds"], 1)
        return found


# ----------------------------------------------------------------------------- judging


class Verdict:
    """What a night comes to, judged together with those before it, as the page has it too: of the
    last of these runs of one machine. `expected` are the notes."""

    def __init__(self, runs, expected):
        machine = detection.Machine(runs[-1].machine, nights.of_runs(runs), expected)
        self.head = runs[-1].head
        self.found = machine.found()
        said = detection.verdict([machine])
        self.sentence = said["sentence"]
        # The page knows no canary that was not caught, only that something is not usable.
        self.status = max(self.head["status"], said["status"])

    def report(self):
        """The changes for a terminal, line by line, and the sentence as the last line."""
        for change in self.found:
            yield from changes.report(change)
        yield self.sentence


def verdict_on(head, lines, before, expected):
    """The verdict on a night that is not stored yet; puts it into its head."""
    run = archive.Run(None, head)
    for line in lines:
        run.take(line)
    verdict = Verdict([*before, run], expected)
    head["sentence"] = verdict.sentence
    head["changes"] = [change.stored() for change in verdict.found]
    return verdict


# ----------------------------------------------------------------------------- storing


def describe(night):
    """What both programs say of themselves: without it no hole can be seen."""
    found = []
    for program in ("bench_threadref", "stress_threadref"):
        path = night.raw / f"{program}-describe.json"
        with open(path, "wb") as file:
            code = subprocess.run([night.program("release", program), "--describe"], stdout=file,
                                  check=False).returncode
        if code == FINE:
            found.append(path)
        else:
            print(f"nightly.sh: {program} --describe failed: holes may go unseen this night",
                  file=sys.stderr)
    return found


def expected_changes(night):
    expected, problems = notes.read(night.results)
    for problem in problems:
        print(f"nightly.sh: {problem}", file=sys.stderr)
    return expected


def stored(night, statuses):
    """Judges and stores; the verdict."""
    options = argparse.Namespace(
        results=night.results, machine=night.machine, run=night.state["run"],
        started=night.state["started"], quick=night.quick, raw=night.raw,
        status=[f"{name}={code}" for name, code in statuses.items()], describe=describe(night),
        bench=night.raw / "bench.json", stress=night.raw / "stress.json",
        first=night.state["first"], program=str(night.program("release", "bench_threadref")))
    head, lines = rows.collect(options)
    head["commit"] = night.commit  # the programs' mark for changes may be an old one
    head["compared_with"] = night.partner.described()
    head["step_seconds"] = night.seconds()
    verdict = verdict_on(head, lines, night.runs, expected_changes(night))
    print(f"stored: {archive.add(night.results, [head, *lines])}")
    return verdict


def clean(night):
    """Raw folders and builds of other commits that nobody has looked at for a month."""
    for folder in (night.folder(), night.root / "build" / "compare"):
        for path in folder.glob("*"):
            if path.is_dir() and time.time() - path.stat().st_mtime > RAW_KEPT:
                shutil.rmtree(path)


def step_seconds(night, step):
    """What it took the last time, or about."""
    last = next((run.head["step_seconds"][step.name] for run in reversed(night.runs)
                 if run.quick == night.quick and step.name in run.head.get("step_seconds", {})),
                None)
    return step.seconds(night.quick) if last is None else last


def asked_steps(night, steps):
    return [step for step in steps if step.seconds(night.quick) is not None]


def minutes(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def take_all(night, steps):
    """{name: status} of the steps; ends the night where one that is vital failed."""
    statuses = {}
    for step in asked_steps(night, steps):
        if step.name == "pair" and not night.partner.commit:
            print(f"\n== {step.words}: left out, {night.partner.why}", flush=True)
            continue
        print(f"\n== {step.words} (about {minutes(step_seconds(night, step))})", flush=True)
        code = night.take(step)
        if code and step.is_vital:
            raise Unusable(f"'{step.words}' failed, nothing was stored (log: "
                           f"{night.raw / step.name}.log)")
        statuses[step.name] = MEANT.get((step.name, code), code)
    return statuses


def whole_night(night):
    """The exit status."""
    archive.ready(night.results, night.machine)
    for sentence in environment.complaints(LOAD_MOST, DISK_LEAST_MIB, night.results):
        print(f"nightly.sh: {sentence}", file=sys.stderr)
    night.begin()
    clean(night)
    known = night.stored_runs()
    if known:
        verdict = Verdict(known, expected_changes(night))
    else:
        statuses = take_all(night, night_steps.MEASURING)
        verdict = stored(night, {step.name: statuses[step.name] for step in night_steps.MEASURING
                                 if step.name in statuses and not step.is_vital})
    page = children.run(night.lab("page", "write", "--results", night.results),
                        stdout=subprocess.DEVNULL)
    after = take_all(night, night_steps.AFTERWARDS)
    (night.raw / ENDED).touch()
    print()
    for problem in verdict.head["problems"]:
        print(f"problem: {problem}")
    for name, code in after.items():
        if code:
            print(f"problem: {name} ended with {code}")
    print(*verdict.report(), sep="\n")
    return max([verdict.status, page.returncode, *after.values()])


def dry_run(night):
    """What would be done; changes nothing."""
    state = f"go on with {night.raw.name}" if night.raw else "begin"
    print(f"nightly.sh would {state}: {night.machine}, commit {night.commit}"
          f"{', quick' if night.quick else ''}")
    print(f"compared with {night.partner.commit} of {night.partner.run or 'no stored run'}"
          if night.partner.commit else f"not compared: {night.partner.why}")
    for sentence in environment.complaints(LOAD_MOST, DISK_LEAST_MIB, night.root):
        print(f"but {sentence}")
    total = 0
    for step in asked_steps(night, (*night_steps.MEASURING, *night_steps.AFTERWARDS)):
        seconds = step_seconds(night, step)
        if night.raw and step.name in night.taken():
            print(f"  {step.name:16} {'done':>7}  {step.words}")
        elif step.name == "pair" and not night.partner.commit:
            print(f"  {step.name:16} {'-':>7}  {step.words}: left out")
        else:
            total += seconds
            print(f"  {step.name:16} {minutes(seconds):>7}  {step.words}")
    print(f"about {minutes(total)} in all; nothing was done")
    return FINE


# ----------------------------------------------------------------------------- command


def host_machine():
    name = re.sub(r"[^a-z0-9_-]", "-", os.uname().nodename.lower().partition(".")[0])
    return name.lstrip("-_")[:40]


def parse(arguments, root):
    parser = Parser("nightly.sh", __doc__)
    parser.add_argument("--machine", default=os.environ.get("THREADREF_MACHINE") or host_machine())
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--ready", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--since", default="")
    parser.add_argument("--bisect", metavar="SERIES")
    parser.add_argument("--results", type=Path, default=root / "results")
    options = parser.parse_args(arguments)
    options.results = options.results.absolute()
    if options.bisect and options.dry_run:
        parser.error("--bisect and --dry-run exclude each other")
    try:
        archive.check_machine(options.machine)
    except Refused as refused:
        parser.error(str(refused))
    return options


@contextlib.contextmanager
def only_one(root):
    """Two nights at once would measure each other."""
    (root / "build").mkdir(exist_ok=True)
    with open(root / "build" / "nightly.lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unusable("another night still runs here (build/nightly.lock is held)") from error
        yield


def main(arguments, root=ROOT):
    options = parse(arguments, root)
    if options.ready:
        return FINE
    machines, problems = archive.load(options.results)
    for problem in problems:
        print(f"nightly.sh: {problem}", file=sys.stderr)
    runs = machines.get(options.machine, [])
    if options.bisect:
        with only_one(root):
            return bisection.bisect(root, options.bisect, options.since, runs)
    night = Night(root, options, runs)
    if options.dry_run:
        return dry_run(night)
    try:
        with only_one(root):
            return whole_night(night)
    except KeyboardInterrupt:
        night.stop()
        print("nightly.sh: interrupted; the same command goes on where it was", file=sys.stderr)
        return INTERRUPTED
