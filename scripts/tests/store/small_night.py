"""Small nights to test with: what the two programs would have written."""

import argparse
import json
from pathlib import Path

from threadref_lab.store import archive, rows

BACKENDS = ("registry", "pthread_key")
SUBJECTS = (*BACKENDS, "floor_bump_store", "peer_vector")
QUANTITIES = ("registration/{}/n:16", "registration/{}/n:256", "exit/{}/n:16",
              "exit_under_churn/{}/n:16/churn:4000")
BENCH_ROWS = len(SUBJECTS) * len(QUANTITIES)


def bench(changes, leave_out, compiler):
    entries = []
    for subject in SUBJECTS:
        for quantity in QUANTITIES:
            name = f"finalize/{quantity.format(subject)}"
            if name not in leave_out:
                entries.append({
                    "name": name, "run_type": "iteration", "iterations": 1, "real_time": 1.0,
                    "label": "order=ok", "ns": 3.0, "floor_ns": 2.0, "ratio": 1.5, "min": 40,
                    "p50": 50, "p90": 60, "p99": 90, "p999": 200, "max": 900, "total_p50": 9000,
                    "total_p99": 20000, "total_p999": 90000, "threads": 100, "lost": 0,
                    "doubled": 0, "misordered": 0, **changes.get(name, {})})
    return {"context": {"commit": "1a2b3c4", "compiler": compiler, "cpu": "some cpu",
                        "host_name": "somebodys", "executable": "/opt/x", "caches": []},
            "benchmarks": entries}


def stress(verdict, leave_out):
    cells = [{"cell": f"churn/{backend}", "scenario": "churn", "backend": backend,
              "verdict": verdict, "rounds": 3, "threads_churned": 100, "threads_alive_max": 4,
              "finalizers_run": 6400, "seconds": .5,
              "outcomes": [{"name": "once", "count": 3, "grade": "acceptable"},
                           {"name": "lost", "count": int(verdict == "failed"),
                            "grade": "forbidden"}]}
             for backend in BACKENDS if f"churn/{backend}" not in leave_out]
    return {"schema": 1, "program": "stress_threadref", "seed": "0x1", "build_type": "Tsan",
            "commit": "1a2b3c4", "cells": cells, "verdict": verdict, "status": 0,
            "totals": {"threads_churned": 200, "finalizers_run": 12800}}


DESCRIBE = {
    "schema": 1, "backends": [{"name": name, "summary": "…"} for name in BACKENDS],
    "absent": [{"name": "boost_tss", "why": "package Boost not found"}],
    "scenarios": [{"name": "finalize/registration", "tools": ["bench"]},
                  {"name": "churn", "tools": ["stress"]}, {"name": "burst", "tools": ["stress"]}],
    "cells": [{"backend": "registry", "scenario": "burst", "status": "n/a",
               "why": "needs a capability"},
              {"backend": "registry", "scenario": "churn", "status": "run"}]}


def options(results, day, *, bench_text=None, statuses=(), verdict="passed", leave_out=(),
            compiler="g++ 12.2.0", **changes):
    """The command line of `lab store add` for one night, with its input files written."""
    raw = Path(results).parent / f"raw-{day}"
    raw.mkdir(parents=True, exist_ok=True)
    entries = bench(changes.get("bench", {}), leave_out, compiler)
    (raw / "bench.json").write_text(bench_text or json.dumps(entries), encoding="utf-8")
    (raw / "stress.json").write_text(json.dumps(stress(verdict, leave_out)), encoding="utf-8")
    (raw / "describe.json").write_text(json.dumps(DESCRIBE), encoding="utf-8")
    return argparse.Namespace(
        results=Path(results), machine=changes.get("machine", "box"), quick=False,
        run=f"2026-01-{day:02}T020000Z-1a2b3c4", started=f"2026-01-{day:02}T02:00:00Z",
        status=list(statuses), describe=[raw / "describe.json"], bench=raw / "bench.json",
        stress=raw / "stress.json", raw=None, first=None, program="")


def stored(results, day, **changes):
    """(path, status) of one night put into the store."""
    head, found = rows.collect(options(results, day, **changes))
    return archive.add(Path(results), [head, *found]), head["status"]
