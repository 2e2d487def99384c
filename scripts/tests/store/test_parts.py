"""What becomes of what the parts of a night left."""

import json
import tempfile
import unittest
from pathlib import Path

from threadref_lab.store import parts

TSAN = """round 1
==================
WARNING: ThreadSanitizer: data race (pid=7)
  Write of size 4
SUMMARY: ThreadSanitizer: data race a.cpp:3 in f
"""
ASAN = "==9==ERROR: AddressSanitizer: heap-use-after-free on address\n"


def row(**more):
    return {"name": "finalize/exit/registry/n:16", "group": "finalize", "quantity": "exit",
            "subject": "registry", "n": 16, "order": "ok", "ns": 3.0, "ratio": 1.5, "lost": 0,
            **more}


class MergeTest(unittest.TestCase):
    def test_the_median_of_the_starts_with_every_sample(self):
        found = parts.merged([row(ns=ns, ratio=ns / 2) for ns in (3.0, 9.0, 4.0)])
        self.assertEqual((found["ns"], found["ns_samples"]), (4, [3, 9, 4]))
        self.assertEqual((found["ratio"], found["n"], found["processes"]), (2, 16, 3))
        self.assertNotIn("ns_low", found)  # three say nothing of the median

    def test_eleven_give_an_interval(self):
        found = parts.merged([row(ns=float(ns)) for ns in range(1, 12)])
        self.assertEqual((found["ns_low"], found["ns_high"]), (1, 11))

    def test_what_one_start_lost_is_lost(self):
        self.assertEqual(parts.merged([row(), row(lost=2), row()])["lost"], 2)

    def test_an_error_of_one_start_is_the_row(self):
        found = parts.merged([row(), {**row(), "error": "crashed"}])
        self.assertEqual(found["error"], "crashed")
        self.assertNotIn("ns_samples", found)

    def test_bytes_are_not_rounded(self):
        self.assertEqual(parts.merged([row(retained_bytes=167772161.0)])["retained_bytes"],
                         167772161)
        self.assertEqual(parts.merged([row(ns=1.23456789)])["ns"], 1.23457)

    def test_thinned_keeps_both_ends(self):
        found = parts.thinned(list(range(5000)))
        self.assertEqual((len(found), found[0], found[-1]), (parts.DRAINS_KEPT, 0, 4999))
        self.assertEqual(parts.thinned([1, 2]), [1, 2])


class GradeTest(unittest.TestCase):
    def grade(self, word, verdict="passed", has_contract=True, promise="guaranteed"):
        return parts.grade_of({"word": word, "verdict": verdict, "promise": promise},
                              "guaranteed", has_contract)

    def test_grades(self):
        self.assertEqual(self.grade("guaranteed"), "kept")
        self.assertEqual(self.grade("lost", "failed"), "broken")
        self.assertEqual(self.grade("lost", promise="lost"), "declared")
        self.assertEqual(self.grade("unknown", "unknown"), "unknown")
        self.assertEqual(self.grade("n/a"), "")
        self.assertEqual(self.grade("lost", has_contract=False), "broken")
        self.assertEqual(self.grade("guaranteed", has_contract=False), "kept")


class ReportTest(unittest.TestCase):
    def test_each_report_once(self):
        self.assertEqual(parts.reports_of(TSAN + TSAN + ASAN), [
            "WARNING: ThreadSanitizer: data race (pid=7)"] * 2 + [
                "ERROR: AddressSanitizer: heap-use-after-free on address"])
        self.assertEqual(parts.reports_of("every cell passed\n"), [])


class CanaryTest(unittest.TestCase):
    def test_the_first_cell_that_caught_it(self):
        with tempfile.TemporaryDirectory(prefix="threadref-parts-") as folder:
            raw = Path(folder)
            cells = [{"cell": f"{name}/canary_a", "backend": "canary_a",
                      "caught_after_seconds": seconds}
                     for name, seconds in (("churn", .5), ("burst", .25))]
            (raw / "stress-canaries.json").write_text(json.dumps({
                "cells": cells, "events": [{"cell": "end/return/canary_b", "verdict": "failed",
                                            "mechanism": "canary_b", "seconds": .1}]}),
                encoding="utf-8")
            (raw / "stress-rare.json").write_text("{}", encoding="utf-8")
            found = list(parts.canaries(raw, [], [], ["canary_a", "canary_c"]))
        self.assertEqual([(each["name"], each["seconds"], each["cell"]) for each in found], [
            ("canary_a", .25, "burst/canary_a"), ("canary_c", None, None),
            ("canary_b", .1, "end/return/canary_b")])
