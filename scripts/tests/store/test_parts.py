"""What becomes of what the parts of a night left; the environment with its hash; the database."""

import contextlib
import io
import json
import sqlite3
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.store import small_night
from threadref_lab.regressions import commits, notes
from threadref_lab.store import archive, command, environment, parts

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


class EnvironmentTest(unittest.TestCase):
    def test_the_hash_is_of_what_must_not_change(self):
        block = environment.observe("/bin/true", environment.before(), {"compiler": "g++ 12"})
        self.assertTrue(all(isinstance(value, str) for value in block.values()))
        self.assertRegex(block["build_id"], "^[0-9a-f]+$|^unknown$")
        one = environment.hash_of(block)
        for name in ("load_before", "load_after", "steal_percent", "build_id"):
            self.assertEqual(environment.hash_of({**block, name: "x"}), one, name)
        for name in environment.HASHED:
            self.assertNotEqual(environment.hash_of({**block, name: "x"}), one, name)

    def test_steal(self):
        self.assertEqual(environment.steal_percent((10, 100), (15, 200)), 5)
        self.assertEqual(environment.steal_percent((10, 100), (10, 100)), 0)

    def test_the_choice_of_the_kernel(self):
        self.assertEqual(environment.chosen("always [madvise] never"), "madvise")

    def test_the_bench_is_believed_first(self):
        self.assertEqual(environment.observe("", environment.before(),
                                             {"cpu": "mine"})["cpu"], "mine")

    def test_a_busy_machine_and_a_full_disk_are_said(self):
        with mock.patch("os.getloadavg", return_value=(99.0, 0, 0)):
            said = list(environment.complaints(.5, 10 ** 12, "/"))
        self.assertIn("the load is 99.00", said[0])
        self.assertIn("MiB are free where results go", said[1])


class NoteTest(unittest.TestCase):
    def test_by_series_and_commit(self):
        note = notes.Note({"series": "a/b/c/n:1", "commit": "1a2b3c4", "reason": "why"})
        full = "1a2b3c4" + "0" * 33
        self.assertEqual(notes.reason([note], "a/b/c/n:1", ["f" * 40, full]), "why")
        self.assertIsNone(notes.reason([note], "a/b/c/n:2", [full]))
        self.assertIsNone(notes.reason([note], "a/b/c/n:1", ["f" * 40]))

    def test_no_file_is_no_note(self):
        self.assertEqual(notes.read(Path("/nonexistent")), ([], []))

    def test_what_git_does_not_know(self):
        self.assertEqual(commits.between("/", "a", "b"), [])


class OldLinesTest(unittest.TestCase):
    """What was stored by schema 1 reads as it did."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-parts-")
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name) / "results"
        self.path, _ = small_night.stored(self.results, 1)

    def age(self):
        lines = [json.loads(text) for text in self.path.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            line["schema"] = 1
            for key in ("usable", "sentence", "changes", "controls", "environment_hash",
                        "ns_samples", "ratio_samples", "processes"):
                line.pop(key, None)
        self.path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def check(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return command.main(["check", "--results", str(self.results)]), said.getvalue()

    def test_they_are_valid_and_read(self):
        self.age()
        self.assertEqual(self.check()[0], 0)
        run = archive.load(self.results)[0]["box"][0]
        self.assertTrue(run.is_usable)
        self.assertEqual((run.environment_hash, len(run.bench)), ("", small_night.BENCH_ROWS))

    def test_a_head_of_schema_2_says_whether_it_is_usable(self):
        text = self.path.read_text(encoding="utf-8")
        self.path.write_text(text.replace('"usable": true, ', ""), encoding="utf-8")
        status, said = self.check()
        self.assertEqual(status, 3)
        self.assertIn("'usable' is a required property", said)

    def test_an_interrupted_write_leaves_none(self):
        for call in ("os.fsync", "os.replace"):
            with mock.patch(call, side_effect=KeyboardInterrupt), \
                    self.assertRaises(KeyboardInterrupt):
                small_night.stored(self.results, 2)
            self.assertEqual(list(self.results.rglob("*02T*")), [])
        small_night.stored(self.results, 2)
        self.assertEqual(len(archive.load(self.results)[0]["box"]), 2)

    def test_the_database_holds_all_of_it(self):
        out = self.results.parent / "all.db"
        with contextlib.redirect_stdout(io.StringIO()) as said:
            for _ in range(2):  # it is made anew
                self.assertEqual(command.main(["sqlite", "--results", str(self.results), "--out",
                                             str(out)]), 0)
            self.assertEqual(command.main([
                "query", "--results", str(self.results), "--sql",
                "select cell, verdict from stress order by cell"]), 0)
        self.assertTrue(said.getvalue().endswith(
            "cell\tverdict\nchurn/pthread_key\tpassed\nchurn/registry\tpassed\n"))
        with contextlib.closing(sqlite3.connect(out)) as database:
            count, = database.execute("select count(*) from bench").fetchone()
            blob, = database.execute("select ns_samples from bench").fetchone()
        self.assertEqual((count, len(blob)), (small_night.BENCH_ROWS, 4))
        self.assertEqual(sorted(path.name for path in out.parent.glob(".*")), [])

    def test_a_wrong_question(self):
        for sql, sentence in (("selec", "--sql: near"), ("drop table runs", "only a question")):
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(command.main(["query", "--results", str(self.results), "--sql",
                                             sql]), 1)
            self.assertIn(sentence, said.getvalue())
