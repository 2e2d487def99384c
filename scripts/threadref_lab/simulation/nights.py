"""Writes a simulated year as a store of results, line for line as nights would have.

The times, ratios, pairs and controls are those of noise.py; stress, matrix, targets and
instructions are there so that nothing of the dashboard stays empty, and say the same every night.
"""

import datetime
import itertools
import json

import numpy

from threadref_lab.stats import intervals
from threadref_lab.store import environment as environment_of, files

FIRST_NIGHT = datetime.datetime(2025, 1, 1, 2)
SUBJECTS = ("registry", "registry_bulk", "pthread_key", "cxx_thread_local", "c11_tss", "boost_tss")
QUANTITIES = ("registration", "exit", "cancel_owner", "detach_owner", "first_registration")
SIZES = (16, 256, 1, 64, 1024)
EVENTS = ("end/return", "end/cancel", "fork/child")


def names(count):
    """[(quantity, subject, n)]; as many as asked for, in real names as far as those go."""
    sizes = itertools.chain(SIZES, itertools.count(2000))
    found = ((quantity, subject, size) for size in sizes for quantity in QUANTITIES
             for subject in SUBJECTS)
    return list(itertools.islice(found, count))


def name_of(key):
    quantity, subject, size = key
    return f"finalize/{quantity}/{subject}/n:{size}"


def digits(value, count=5):
    return float(f"{value:.{count}g}")


class Writer:
    """One machine's nights."""

    def __init__(self, machine, year):
        self.machine, self.year = machine, year
        self.keys = names(len(year.ns))

    def commit(self, night):
        """Seven digits that are no commit of this repository."""
        return f"{0x5000000 + 7919 * int(self.year.commit[night]):07x}"

    def common(self, night):
        return {"schema": 2, "run": self.run(night), "machine": self.machine}

    def run(self, night):
        started = FIRST_NIGHT + datetime.timedelta(days=night)
        return f"{started:%Y-%m-%dT%H%M%SZ}-{self.commit(night)}"

    def head(self, night):
        started = FIRST_NIGHT + datetime.timedelta(days=night)
        usable = bool(self.year.usable[night])
        self_control = 1.001 if usable else 1.016
        problems = [] if usable else ["a function differed from itself by +1.6 %: the figures of "
                                      "this run say nothing"]
        environment = {"cpu": "a simulated processor", "cores": "2 of 2", "compiler": "g++ 12.2.0",
                       "kernel": f"6.18.{self.year.environment[night]}",
                       "load": self.year.condition, "commit": self.commit(night)}
        status = 0 if usable else 3
        return {**self.common(night), "kind": "run", "commit": self.commit(night),
                "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
                "finished": f"{started + datetime.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
                "quick": False, "statuses": {"bench": 0, "stress": 0}, "status": status,
                "problems": problems, "usable": usable, "sentence": "a simulated night",
                "changes": [], "controls": {"self": self_control, "clone": 1.007, "band": .002},
                "environment": environment,
                "environment_hash": environment_of.hash_of(environment),
                "backends": list(SUBJECTS), "absent": [], "not_run": [],
                "scenarios": {"bench": [f"finalize/{name}" for name in QUANTITIES],
                              "stress": ["churn"]}}

    def bench(self, night):
        for series, key in enumerate(self.keys):
            quantity, subject, size = key
            ns, ratio = self.year.ns[series, night], self.year.ratio[series, night]
            middle = float(numpy.median(ns))
            row = {**self.common(night), "kind": "bench", "name": name_of(key),
                   "group": "finalize", "quantity": quantity, "subject": subject, "n": size,
                   "ns": digits(middle), "ratio": digits(numpy.median(ratio)),
                   "samples": ns.size, "ratio_samples": [digits(value) for value in ratio]}
            if quantity == "exit":
                row.update({share: digits(middle * size * times) for share, times in
                            (("p50", 1), ("p90", 1.1), ("p99", 1.6), ("p999", 4), ("max", 20))},
                           order="ok")
            yield row

    def pairs(self, night, before):
        """Where the commit is another one: of one program there is nothing to compare."""
        for series, key in enumerate(self.keys):
            least = max(intervals.LEAST_CHANGE,
                        *abs(self.year.clone[series, [before, night]] - 1))
            found = self.year.pair[series, night]
            low, middle, high = map(float, intervals.interval(found))
            verdict, confirmed = intervals.verdict(low, high, least), None
            if verdict in ("slower", "faster"):
                again_low, _, again_high = intervals.interval(self.year.again[series, night])
                confirmed = intervals.verdict(again_low, again_high, least) == verdict
            ns = float(numpy.median(self.year.ns[series, night]))
            a, b = self.commit(before), self.commit(night)
            yield {**self.common(night), "kind": "pair", "series": name_of(key), "a_commit": a,
                   "b_commit": b, "ratio": digits(middle), "low": digits(low),
                   "high": digits(high), "least": digits(least),
                   "min_change": digits(intervals.min_change(low, high, least)),
                   "verdict": verdict if confirmed in (None, True) else "undecided",
                   "confirmed": confirmed, "processes": found.size,
                   "ratios": [digits(value) for value in found], "a_ns": digits(ns / middle),
                   "b_ns": digits(ns),
                   "command": f"scripts/lab compare {a} {b} --filter '^{name_of(key)}$'"}

    def controls(self, night):
        """What the clones differ by, whenever the layout is another one."""
        for series, key in enumerate(self.keys):
            quantity, subject, size = key
            ratio = digits(self.year.clone[series, night])
            yield {**self.common(night), "kind": "control", "control": "clone", "a": subject,
                   "b": f"{subject}_clone", "quantity": quantity, "n": size, "ratio": ratio,
                   "low": ratio, "high": ratio, "verdict": "undecided", "processes": 20,
                   "ratios": [ratio, 1 / ratio] * 10,
                   "command": f"scripts/lab pair --controls --subject {subject}"}

    def others(self, night):
        """The same every night."""
        common = self.common(night)
        for subject in SUBJECTS:
            yield {**common, "kind": "stress", "cell": f"churn/{subject}", "scenario": "churn",
                   "backend": subject, "verdict": "passed", "rounds": 3, "threads_churned": 9000,
                   "finalizers_run": 90000, "memory_slope_bytes_per_thread": 0.0,
                   "outcomes": [{"name": "once", "count": 90000, "grade": "acceptable"},
                                {"name": "lost", "count": 0, "grade": "forbidden"}]}
            for event in EVENTS:
                yield {**common, "kind": "matrix", "row": event, "backend": subject,
                       "word": "guaranteed", "grade": "kept", "why": "",
                       "command": f"stress_threadref --filter='^{event}/{subject}$'"}
            yield {**common, "kind": "instructions", "quantity": "registration",
                   "subject": subject, "instructions": 41.0, "spread": 0.0, "runs": [41.0] * 12,
                   "command": f"scripts/lab instructions --subject {subject}"}
        yield {**common, "kind": "stress_totals", "seed": hex(night), "build_type": "Tsan",
               "verdict": "passed", "threads_churned": 9000 * len(SUBJECTS),
               "finalizers_run": 90000 * len(SUBJECTS)}
        yield {**common, "kind": "sanitizer", "leg": "tsan", "reports": 0, "first": [],
               "verdict": "passed", "threads_churned": 54000, "finalizers_run": 540000,
               "failed": []}
        for name in ("canary_lossy", "canary_twice"):
            yield {**common, "kind": "canary", "name": name, "seconds": .4,
                   "cell": f"churn/{name}"}
        yield {**common, "kind": "target", "target": "registration", "words": "a registration",
               "said": "beside its floor", "sign": "<=", "limit": 2.0, "median": 1.5, "low": 1.4,
               "high": 1.6, "values": [1.5] * 20, "verdict": "met", "missed": False,
               "listed": False, "decides": True, "command": "scripts/lab targets"}

    def lines(self, night, before):
        """One night, of which `before` is the usable one before it; -1: none."""
        paired = before >= 0 and self.year.commit[before] != self.year.commit[night]
        found = list(self.pairs(night, before)) if paired else []
        if night == 0 or self.year.moved[night]:
            found += self.controls(night)
        return [self.head(night), *self.bench(night), *found, *self.others(night)]


def write(folder, years):
    """The folder, with a store of these years in it."""
    for number, year in enumerate(years, 1):
        machine = f"sim-{year.condition}-{number}"
        writer, before = Writer(machine, year), -1
        for night in range(year.ns.shape[1]):
            lines = writer.lines(night, before)
            path = folder / machine / lines[0]["started"][:4] / f"{lines[0]['run']}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(path, "".join(json.dumps(line) + "\n" for line in lines))
            before = night if year.usable[night] else before
    return folder
