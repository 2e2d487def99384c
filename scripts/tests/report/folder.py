"""A small folder of results, as scripts/run.sh --full and its helpers leave it, to test with."""

import json
from pathlib import Path

DEFAULT, OTHER = "registry", "pthread_key"
BACKENDS = (DEFAULT, OTHER)
# A number for each: what the figures below are multiplied by.
SUBJECTS = {DEFAULT: 2.0, OTHER: 3.0, "peer_vector": 1.0}
PROCESSES = 3
OBJECTS, ALIVE = (0, 64, 1024), (1, 10000)
ORDER = "stack > older thread_local > finalizers 2,1 > join"

DESCRIBE = {
    "schema": 1, "default_backend": DEFAULT,
    "backends": [{"name": DEFAULT, "summary": "…",
                  "capabilities": ["after_thread_locals", "inside_malloc"]},
                 {"name": OTHER, "summary": "…", "capabilities": ["after_thread_locals"]}],
    "absent": [{"name": "boost_tss", "why": "package Boost not found"}],
    "scenarios": [{"name": "finalize/exit", "tools": ["bench"]}],
    "cells": [{"backend": OTHER, "scenario": "finalize/first_registration", "status": "n/a",
               "why": "needs a capability"}]}


def entry(name, figures, label="order=ok"):
    return {"name": f"{name}/iterations:100/manual_time", "run_type": "iteration", "iterations": 1,
            "real_time": 1.0, "threads": 1, "label": label, "lost": 0, "doubled": 0,
            "misordered": 0, "samples": 10000, "pinned_cpu": 1, **figures}


def one_operation(factor):
    return {"ns": 2 * factor, "ns_se": .01, "floor_ns": 1.0, "ratio": 2 * factor, "p50": 2 * factor,
            "p99": 4 * factor}


def latency(factor, size):
    return {"ns": factor, "floor_ns": 1.0, "ratio": factor, "min": size * factor / 2,
            "p50": size * factor, "p90": size * factor, "p99": 3 * size * factor,
            "p999": 9 * size * factor, "max": 99 * size * factor, "total_p50": 9000 + factor,
            "total_p99": 20000, "total_p999": 90000, "total_ratio": 1 + factor / 100,
            "life_p50": 16000, "life_ratio": 1 + factor / 200}


def bench_entries(process):
    """Every process is a hundredth slower than the one before."""
    found = [entry("finalize/exit/floor_empty_thread/n:0", latency(16000, 1))]
    for subject, factor in SUBJECTS.items():
        factor *= 1 + process / 100
        for size in (16, 256):
            found.append(entry(f"finalize/registration/{subject}/n:{size}", one_operation(factor)))
        for size in (1, 4, 16):
            found.append(entry(f"finalize/exit/{subject}/n:{size}", latency(factor, size)))
        found.append(entry(f"finalize/exit_under_churn/{subject}/n:16/churn:64",
                           latency(factor, 16)))
        found.append(entry(f"finalize/ordering/{subject}/n:2", {}, f"order={ORDER}"))
        if subject != OTHER:
            found.append(entry(f"finalize/first_registration/{subject}/n:1",
                               one_operation(9 * factor)))
        if subject in BACKENDS:
            found.append(entry(f"finalize/cancel_foreign/{subject}/n:1", one_operation(factor)))
            found.append(entry(f"ref/check/{subject}/n:1", {**one_operation(factor / 9),
                                                            "dead_ns": factor / 9}))
            found += [entry(f"worker/teardown_broadcast/{subject}/workers:{size}",
                            {**one_operation(1e4 * size / factor), "serial_ns": 2e4 * size,
                             "serial_ratio": .5}) for size in (15, 85)]
            found.append(entry(f"memory/thread/{subject}/n:16",
                               {"bytes_per_thread": 640 * factor, "retained_bytes": 0,
                                "allocations": 2}))
    found.append(entry("finalize/registration/floor_bump_store/n:256", one_operation(.5)))
    return found


def sweep_entries():
    found = []
    for subject, factor in SUBJECTS.items():
        for at in OBJECTS:
            grown = factor * (1 + at if subject == "peer_vector" else 1)
            found.append(entry(f"sweep/loaded_objects/{subject}/objects:{at}",
                               one_operation(grown)))
        found += [entry(f"sweep/at_once/{subject}/threads:{at}", one_operation(factor))
                  for at in ALIVE]
        found.append(entry(f"sweep/access_inline_ensure/{subject}/n:1024",
                           one_operation(factor / 4)))
    return found


def pair(control, a, b, ratio, verdict, **more):
    return {"schema": 1, "kind": "pair", "a": a, "b": b, "quantity": "registration", "n": 256,
            "control": control, "ratio": ratio, "low": ratio - .01, "high": ratio + .01,
            "min_change": .02, "verdict": verdict, "confirmed": None, "processes": 20,
            "pairs": 200, "ratios": [ratio] * 20, "a_ns": 2.0, "b_ns": 2.0 * ratio, "seed": 1,
            "pinned_cpu": 1, "commit": "1a2b3c4", "command": f"scripts/lab pair {a},{b}", **more}


def pairs():
    return [pair("self", DEFAULT, DEFAULT, 1.0, "same"),
            pair("clone", DEFAULT, f"{DEFAULT}_clone", 1.005, "undecided", clone_spread=.03),
            pair("clone", OTHER, f"{OTHER}_clone", 1.05, "slower", low=None, confirmed=True),
            pair("planted", DEFAULT, f"{DEFAULT}_planted", 1.04, "slower"),
            pair("", DEFAULT, OTHER, 1.5, "slower", confirmed=True)]


def instructions():
    return [{"schema": 1, "kind": "instructions", "quantity": "registration", "subject": subject,
             "instructions": 11 * factor, "spread": .02, "runs": [11 * factor], "n_small": 256,
             "n_large": 1280, "commit": "1a2b3c4", "command": "scripts/lab instructions"}
            for subject, factor in SUBJECTS.items()] + [
                {"schema": 1, "kind": "instructions", "quantity": "detach",
                 "subject": "peer_vector", "error": "gives no handle to cancel by"}]


def samples():
    return [{"name": f"finalize/exit/{subject}/n:16", "unit": "ns", "what": what,
             "samples": [at * factor for at in range(first, first + 60)]}
            for subject, factor in SUBJECTS.items()
            for what, first in (("drain", 20), ("total", 9000))]


def document(entries, **context):
    return {"context": {"commit": "1a2b3c4", "compiler": "g++ 12.2.0", "allocator": "glibc",
                        "load": "0.10", "host_name": "somebodys", **context},
            "benchmarks": entries}


def files():
    """{name: a JSON document, or a list of the lines}"""
    found = {"describe.json": DESCRIBE, "sweep.json": document(sweep_entries()),
             "bench.json": document(bench_entries(0)), "samples.jsonl": samples(),
             "pairs.jsonl": pairs(), "instructions.jsonl": instructions()}
    for process in range(1, PROCESSES):
        found[f"process-{process + 1:02}.json"] = document(bench_entries(process))
    for name, slower in (("glibc", 1), ("jemalloc", 4)):
        found[f"allocator-{name}.json"] = document(
            [entry(f"finalize/registration/{subject}/n:16", one_operation(
                factor * (slower if subject == "peer_vector" else 1)))
             for subject, factor in SUBJECTS.items()], allocator=name)
    return found


def write(folder, contents):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        lines = isinstance(content, list)
        text = "".join(json.dumps(line) + "\n" for line in content) if lines \
            else json.dumps(content)
        (Path(folder) / name).write_text(text, encoding="utf-8")
    return Path(folder)
