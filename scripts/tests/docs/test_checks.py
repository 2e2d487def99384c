"""What the table of checks says, and above all what keeps it from being written."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from threadref_lab.docs import checks

BACKENDS = checks.back_ends()
PAGE = f"before\n{checks.BLOCK.begin}\nold\n{checks.BLOCK.end}\nafter\n"


def case(name, **properties):
    return {"name": name, "status": "RUN", "result": "COMPLETED", **properties}


def gtest(backend, *cases, **properties):
    return {"testsuites": [{"name": f"order/{backend}", "testsuite": list(cases)}], **properties}


class ConformanceTableTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-checks-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.page = self.folder / "checks.md"
        self.page.write_text(PAGE, encoding="utf-8")
        for backend in BACKENDS:
            self.leave(backend, case("c029_newest_first"))

    def leave(self, backend, *cases, **properties):
        path = self.folder / f"{backend}.json"
        path.write_text(json.dumps(gtest(backend, *cases, **properties)), encoding="utf-8")

    def run_it(self, *arguments):
        """(status, what it printed)"""
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(said):
            status = checks.main(
                ["--results", str(self.folder), "--page", str(self.page), *arguments])
        return status, said.getvalue()

    def written(self):
        status, said = self.run_it()
        self.assertEqual(status, 0, said)
        return self.page.read_text(encoding="utf-8")

    def row(self, label):
        """The cells of a row, by back end."""
        lines = [line for line in self.written().splitlines() if line.startswith(f"| {label} |")]
        self.assertEqual(len(lines), 1, label)
        return dict(zip(BACKENDS, (cell.strip() for cell in lines[0].split("|")[2:-1])))

    def test_only_what_is_between_the_markers_changes(self):
        text = self.written()
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"))
        self.assertNotIn("old", text)

    def test_fresh_after_writing_and_stale_after_a_change(self):
        self.assertEqual(self.run_it("--check")[0], 2)
        self.written()
        self.assertEqual(self.run_it("--check")[0], 0)
        self.leave(BACKENDS[0], case("c029_newest_first", not_applicable="it can't"))
        before = self.page.read_text(encoding="utf-8")
        status, said = self.run_it("--check")
        self.assertEqual(status, 2)
        self.assertIn("scripts/lab docs --only checks", said)
        self.assertEqual(self.page.read_text(encoding="utf-8"), before, "--check wrote")

    def test_the_checks_of_one_number_share_a_cell(self):
        self.leave(BACKENDS[0], case("c029_newest_first"), case("c029_again", deviation="x: y"))
        cells = self.row("29 newest first (and 1 more)")
        self.assertEqual(cells[BACKENDS[0]], "1 ok, 1 deviates [1]")
        self.assertEqual(cells[BACKENDS[1]], "ok")
        self.assertIn("\n1. x: y\n", self.written())

    def test_a_reason_is_one_footnote_however_often_it_is_given(self):
        for backend in BACKENDS[:2]:
            self.leave(backend, case("c029_newest_first", not_applicable="it can't"))
        cells = self.row("29 newest first")
        self.assertEqual(cells[BACKENDS[0]], "n/a [1]")
        self.assertEqual(cells[BACKENDS[1]], "n/a [1]")
        self.assertEqual(self.written().count("it can't"), 1)

    def test_counts(self):
        self.leave(BACKENDS[0], case("c029_newest_first"), case("c030_x", deviation="x: y"),
                   case("c031_x", not_applicable="it can't"))
        for verdict in ("passed", "deviates", "n/a"):
            self.assertEqual(self.row(verdict)[BACKENDS[0]], "1", verdict)
        self.assertEqual(self.row("deviates")[BACKENDS[1]], "0")

    def test_lines_of_other_programs(self):
        (self.folder / "keys.txt").write_text(
            "something else\n"
            f"check c101_no_key {BACKENDS[0]}: passed\n"
            f"check c101_no_key {BACKENDS[1]}: n/a it needs none\n"
            f"check c101_no_key {BACKENDS[2]}: deviates lost: it forgets\n", encoding="utf-8")
        cells = self.row("101 no key")
        self.assertEqual([cells[name] for name in BACKENDS[:4]],
                         ["ok", "n/a [1]", "deviates [2]", "-"])
        self.assertIn("\n2. lost: it forgets\n", self.written())

    def test_what_other_builds_leave_out(self):
        self.leave(BACKENDS[0], case("c029_newest_first"), left_out_71_under_tsan="no room")
        self.assertIn("* 71 under tsan: no room.", self.written())

    def test_numbers_without_a_row_are_named(self):
        text = self.written()
        self.assertIn("* 119 needs another C library: untested.", text)
        self.assertIn("* Not checked yet: 1, 2,", text)
        self.assertNotIn(" 29,", text)

    def refused(self, status, *words):
        before = self.page.read_text(encoding="utf-8")
        found, said = self.run_it()
        self.assertEqual(found, status, said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(self.page.read_text(encoding="utf-8"), before)

    def test_a_failure_or_a_skip_is_no_row(self):
        self.leave(BACKENDS[0], case("c029_newest_first", failures=[{"failure": "at:1\nno"}]))
        self.refused(2, "check 29 failed on", BACKENDS[0])
        self.leave(BACKENDS[0], case("c029_newest_first", result="SKIPPED"))
        self.refused(2, "check 29 skipped on")
        self.leave(BACKENDS[0], case("c029_newest_first"))
        (self.folder / "keys.txt").write_text(f"check c101_x {BACKENDS[0]}: failed it was lost\n",
                                              encoding="utf-8")
        self.refused(2, "check 101 failed on", "it was lost")

    def test_results_that_cannot_be_used(self):
        self.leave(BACKENDS[0], case("newest_first"))
        self.refused(3, "'newest_first' is not a check's name")
        (self.folder / f"{BACKENDS[0]}.json").write_text("{", encoding="utf-8")
        self.refused(3, "no results of GoogleTest")
        (self.folder / f"{BACKENDS[0]}.json").unlink()
        (self.folder / "keys.txt").write_text(f"check c101_x {BACKENDS[0]}: passed\n",
                                              encoding="utf-8")
        self.refused(3, f"no results of {BACKENDS[0]}")
        self.leave(BACKENDS[0], case("c029_newest_first"))
        (self.folder / "silent.txt").write_text("nothing\n", encoding="utf-8")
        self.refused(3, "silent.txt")

    def test_a_back_end_that_is_none(self):
        self.leave("nobody", case("c029_newest_first"))
        self.refused(2, "'nobody' is not a back end")

    def test_a_page_without_markers(self):
        self.page.write_text("nothing here\n", encoding="utf-8")
        self.refused(3, checks.BLOCK.begin)
