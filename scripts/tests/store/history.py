"""Short histories of one machine to test with: lines as nights of schema 2 store them."""

import datetime
import json
import random

NAME = "finalize/registration/registry/n:16"
OTHER = "finalize/exit/registry/n:16"
# What a line of schema 2 must have, where a test does not care.
DEFAULTS = {
    "pair": {"min_change": .03, "ratios": [], "a_ns": 1.0, "b_ns": 1.0},
    "control": {"low": .9, "high": 1.1, "verdict": "undecided", "processes": 20, "command": ""},
    "instructions": {"command": ""}, "matrix": {"word": "", "why": "", "command": ""},
    "target": {"words": "", "said": "", "verdict": "missed", "listed": False, "decides": True},
    "sanitizer": {"verdict": "passed", "threads_churned": 0, "finalizers_run": 0, "failed": []}}
FIRST = datetime.datetime(2026, 1, 1, 2)


def commit(night):
    return f"{0xa000000 + night:07x}"


def head(night, machine, **changes):
    started = FIRST + datetime.timedelta(days=night)
    found = {"schema": 2, "kind": "run", "run": f"{started:%Y-%m-%dT%H%M%SZ}-{commit(night)}",
             "machine": machine, "commit": commit(night),
             "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
             "finished": f"{started:%Y-%m-%dT%H}:59:00Z", "quick": False, "statuses": {"bench": 0},
             "status": 0, "problems": [], "usable": True, "environment": {"cpu": "some cpu"},
             "environment_hash": "0123456789ab", "sentence": "", "changes": [],
             "controls": {"self": 1.001, "clone": 1.01, "band": 0.002},
             "backends": ["registry", "pthread_key"],
             "absent": [{"name": "boost_tss", "why": "package Boost not found"}],
             "not_run": [{"backend": "pthread_key", "scenario": "finalize/exit", "status": "n/a",
                          "why": "needs a capability"}],
             "scenarios": {"bench": ["finalize/registration", "finalize/exit"],
                           "stress": ["churn"]}}
    return {**found, **changes}


def bench(name=NAME, **figures):
    _, quantity, subject, *_ = name.split("/")
    return {"kind": "bench", "name": name, "group": "finalize", "quantity": quantity,
            "subject": subject, "n": 16, **figures}


def pair(night, ratio, verdict="slower", confirmed=True, series=NAME):
    return {"kind": "pair", "series": series, "a_commit": commit(night - 1),
            "b_commit": commit(night), "ratio": ratio, "low": ratio - .01, "high": ratio + .01,
            "least": .02, "verdict": verdict, "confirmed": confirmed, "processes": 20,
            "command": f"scripts/lab compare {commit(night - 1)} {commit(night)}"}


def clone(ratio):
    """A control whose starts swap the two compilations in turns, as scripts/lab pair does."""
    return {"kind": "control", "control": "clone", "a": "registry", "b": "registry_clone",
            "quantity": "registration", "n": 256, "ratio": ratio, "ratios": [ratio, 1 / ratio] * 10}


def stress(verdict="passed", lost=0):
    return {"kind": "stress", "cell": "churn/registry", "scenario": "churn", "backend": "registry",
            "verdict": verdict, "rounds": 3, "threads_churned": 9, "outcomes": [
                {"name": "once", "count": 9, "grade": "acceptable"},
                {"name": "lost", "count": lost, "grade": "forbidden"}]}


def store(results, lines_of, count, machine="box", **heads):
    """Writes `count` nights; lines_of(night) are their lines, heads[night] what is different in a
    head. Gives the files."""
    paths = []
    for night in range(count):
        first = head(night, machine, **heads.get(f"night_{night}", {}))
        lines = [first, *({"schema": 2, "run": first["run"], "machine": machine,
                           **DEFAULTS.get(line["kind"], {}), **line} for line in lines_of(night))]
        path = results / machine / first["started"][:4] / f"{first['run']}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        paths.append(path)
    return paths


def noisy(count, step_at=None, step=1.05, noise=.004, seed=7):
    """Ratios of that many nights, 5 % larger from one on."""
    drawn = random.Random(seed)
    return [1.5 * (step if step_at is not None and night >= step_at else 1)
            * (1 + drawn.gauss(0, noise)) for night in range(count)]
