"""What lab soak makes of its runs; and lab soak itself, at its smallest size."""

import contextlib
import io
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.calls import lab
from threadref_lab.cli.checkout import LAB
from threadref_lab.measure import soak

SLOPE = "memory_slope_bytes_per_thread"


def cell(name, threads, slope=None, **outcomes):
    grades = {"once": "acceptable", "platform": "interesting"}
    found = {"cell": name, "scenario": name.partition("/")[0], "threads_churned": threads,
             "verdict": "failed" if "lost" in outcomes else "passed",
             "outcomes": [{"name": {"platform": "memory_grows"}.get(key, key), "count": value,
                           "grade": grades.get(key, "forbidden")}
                          for key, value in outcomes.items()]}
    return found if slope is None else {**found, SLOPE: slope}


class SoakTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-soak-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        grades = {"churn": "forbidden", "mixed": "interesting"}
        (self.folder / "describe.json").write_text(json.dumps({"scenarios": [
            {"name": name, "tools": ["stress"],
             "outcomes": [{"name": "memory_grows", "expect": grade}]}
            for name, grade in grades.items()]}), encoding="utf-8")

    def add(self, tool, number, status=0, cells=None, wall=10):
        with (self.folder / "runs.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"tool": tool, "run": number, "wall_seconds": wall,
                                   "status": status}) + "\n")
        if cells is not None:
            threads = sum(each["threads_churned"] for each in cells)
            (self.folder / f"{tool}-{number}.json").write_text(json.dumps({
                "commit": "1a2b3c4", "seed": "0x1", "cells": cells,
                "totals": {"threads_churned": threads, "finalizers_run": 3 * threads}}),
                encoding="utf-8")

    def merge(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            status = soak.merge(self.folder, "10m")
        document = json.loads((self.folder / "soak.json").read_text(encoding="utf-8"))
        return status, document, said.getvalue()

    def test_the_runs_of_a_tool_are_added_up(self):
        self.add("release", 1, cells=[cell("churn/a", 100, 0.0, once=9)])
        self.add("release", 2, cells=[cell("churn/a", 300, 1.0, once=9)])
        self.add("tsan", 1, cells=[cell("churn/a", 5)])
        status, document, said = self.merge()
        self.assertEqual((status, document["totals"]["threads_churned"]), (0, 405))
        release = document["tools"][0]
        self.assertEqual((release["runs"], release["finalizers_run"]), (2, 1200))
        self.assertEqual(release["memory"][SLOPE], 0.75)
        self.assertNotIn(SLOPE, document["tools"][1]["memory"])
        self.assertIn("+0.750", said)

    def test_what_the_platform_keeps_is_told_apart(self):
        self.add("release", 1, cells=[cell("churn/a", 100, 0.5), cell("mixed/b", 100, 50.0,
                                                                      platform=1),
                                     cell("mixed/c", 100, 6.0)])
        memory = self.merge()[1]["tools"][0]["memory"]
        self.assertEqual(memory[SLOPE], 0.5)
        self.assertEqual([kept["cell"] for kept in memory["platform_keeps"]], ["mixed/b"])

    def test_what_was_lost_fails(self):
        self.add("release", 1, 2, cells=[cell("churn/a", 100, lost=3)])
        status, document, said = self.merge()
        self.assertEqual((status, document["totals"]["lost"]), (2, 3))
        self.assertIn("release: churn/a failed", said)

    def test_a_report_of_a_tool_is_counted_though_it_left_no_document(self):
        self.add("asan", 1, 66)
        status, document, said = self.merge()
        self.assertEqual((status, document["totals"]["reports"]), (3, 1))
        self.assertIn("asan-1.json", said)

    def test_clang_is_started_anew_before_it_has_kept_too_much(self):
        self.assertEqual(soak.next_seconds([], "release", 7200), 7200)
        at_first = soak.next_seconds([], "clang19-tsan", 7200)
        most = soak.THREADS_MOST["clang19-tsan"]
        self.assertLess(at_first * soak.RATE_AT_FIRST, most)
        self.add("clang19-tsan", 1, cells=[cell("churn/a", 2_000_000)], wall=100)
        runs = soak.read_runs(self.folder)
        self.assertLess(soak.next_seconds(runs, "clang19-tsan", 7200) * 20_000, most)
        self.assertEqual(soak.next_seconds(runs, "clang19-tsan", 5), 5)

    def test_all_stress_scenarios_are_played(self):
        described = {"scenarios": [{"name": "churn", "tools": ["stress"]},
                                   {"name": "finalize/exit", "tools": ["bench"]},
                                   {"name": "pool", "tools": ["stress"]}]}
        self.assertEqual(soak.scenario_filter(described, "release"), "^(churn|pool)/")
        self.assertEqual(soak.scenario_filter(described, "memcheck"), "^(churn)/")

    def test_wrong_use_is_one_sentence(self):
        for arguments in (["10x"], ["0s"], ["--tool", "nothing"], ["--frobnicate"], ["--out"]):
            ended = subprocess.run([LAB, "soak", *arguments], capture_output=True,
                                   text=True, check=False)
            self.assertEqual((ended.returncode, ended.stderr.count("\n")), (1, 1), arguments)


PROGRAM = """#!/bin/sh
for word; do
  case $word in
    --describe) echo '{"scenarios": [{"name": "churn", "tools": ["stress"], "outcomes": []}]}'
                exit ;;
    --json=*) json=${word#--json=} ;;
  esac
done
tally() {
  echo '{"commit": "1a2b3c4", "cells": [], "totals": {"threads_churned": 7}}' >"$json"
  exit "$1"
}
trap 'tally 130' INT
echo "$*"
"""


def soak_of(tmp_path, monkeypatch, ending, *arguments):
    """(status, what was said, the rows of its table by tool)"""
    program = tmp_path / "stress_threadref"
    program.write_text(PROGRAM + ending, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(soak.checkout, "program", lambda *_: program)
    out = tmp_path / "out"
    status, said = lab("soak", "2s", "--no-build", "--out", out, *arguments)
    document = json.loads((out / "soak.json").read_text(encoding="utf-8"))
    return status, said, {row["tool"]: row for row in document["tools"]}


def test_each_tool_is_played_with_the_flags(tmp_path, monkeypatch):
    status, said, rows = soak_of(tmp_path, monkeypatch, "tally 0", "--tool", "release", "tsan",
                                 "--", "--backend=some")
    assert (status, list(rows), rows["tsan"]["threads_churned"]) == (0, ["release", "tsan"], 7)
    assert "--threads=1000 --filter=^(churn)/ --time=2s --json=" in said
    assert "--backend=some\n" in said


def test_one_that_finds_something_is_not_started_again(tmp_path, monkeypatch):
    status, said, rows = soak_of(tmp_path, monkeypatch, "tally 2", "--tool", "release")
    assert (status, rows["release"]["runs"]) == (2, 1)
    assert "release ended with 2; see " in said


def test_an_interrupted_one_still_has_its_table(tmp_path, monkeypatch):
    status, said, rows = soak_of(tmp_path, monkeypatch, "kill -INT $PPID\nsleep 60 &\nwait\n",
                                 "--tool", "release", "asan")
    assert (status, list(rows)) == (130, ["release"])
    assert rows["release"]["threads_churned"] == 7
    assert "written: " in said


def test_another_soak_in_the_folder_is_refused(tmp_path):
    (tmp_path / "runs.jsonl").touch()
    status, said = lab("soak", "2s", "--out", tmp_path)
    assert (status, said.count("\n")) == (1, 1)
