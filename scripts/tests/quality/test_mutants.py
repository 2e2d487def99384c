"""Mutants of a small library: each way that one can end, and what is wrong with a table."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import pytest

from tests.calls import lab
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import Unusable
from threadref_lab.docs import mutants
from threadref_lab.quality.mutants import ci, play, table

BUILD = """cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES C)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
add_executable(program main.c library.c)
enable_testing()
add_test(NAME by_ctest COMMAND program c)
"""
# Its exit status is what the library makes of the argument.
PROGRAM = """int threadref6detail_answer(int);
int main(int count, char** arguments) { return threadref6detail_answer(arguments[count - 1][0]); }
"""
LIBRARY = """/* answers */
int threadref6detail_answer(int asked);
int threadref6detail_answer(int asked) {
  return asked == 'b' ? 2 : 0;
}
"""
RETURN = "return asked == 'b' ? 2 : 0;"


def mutant(name, after, *killers, before=RETURN, survives=False):
    lines = ["[[mutant]]", f'id = "{name}"', 'breaks = "it"', 'file = "library.c"',
             f'before = "{before}"', f'after = "{after}"',
             f"killers = {json.dumps(killers or ['run program a'])}"]
    return "\n".join(lines + ["survives = true"] * survives) + "\n"


class Mutants(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="threadref-mutants-")
        cls.addClassCleanup(holder.cleanup)
        cls.root = Path(holder.name)
        (cls.root / table.FOLDER).mkdir(parents=True)
        (cls.root / mutants.PAGE).parent.mkdir(parents=True)
        for name, text in {"CMakeLists.txt": BUILD, "main.c": PROGRAM, "library.c": LIBRARY,
                           ".gitignore": "build/\n"}.items():
            (cls.root / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q", cls.root], check=True)

    def setUp(self):
        self.stored = self.root / "build/mutants/results.jsonl"
        self.stored.unlink(missing_ok=True)

    def play(self, *tables, options=(), status=None):
        """(what it said, the rows by id)"""
        (self.root / table.FOLDER / "all.toml").write_text("\n".join(tables), encoding="utf-8")
        out = self.root / "build/out.json"
        out.parent.mkdir(exist_ok=True)
        out.unlink(missing_ok=True)
        with mock.patch.object(os, "nice"):  # it is for good, and would be this process's
            ended, said = lab("mutate", "--root", self.root, "--out", out, *options)
        self.assertEqual(ended, status, said)
        self.assertEqual((self.root / "library.c").read_text(encoding="utf-8"), LIBRARY)
        rows = json.loads(out.read_text(encoding="utf-8"))["mutants"] if out.exists() else []
        return said, {row["id"]: row for row in rows}

    def test_killed_in_each_way(self):
        _, rows = self.play(
            mutant("fails", "return 2;"), mutant("crashes", "__builtin_trap();"),
            mutant("harmless", "/* said */", before="/* answers */", survives=True), status=0)
        self.assertEqual({name: row["outcome"] for name, row in rows.items()},
                         {"fails": "killed", "crashes": "killed", "harmless": "harmless"})
        self.assertEqual(rows["fails"]["how"], "failed")
        self.assertIn("SIG", rows["crashes"]["how"])

    def test_killers_are_tried_in_their_order(self):
        _, rows = self.play(mutant("late", "return asked == 'c' ? 2 : 0;",
                                   "run program a", "run program c"), status=0)
        self.assertEqual(rows["late"]["killer"], "run program c")
        self.assertEqual([each["killed"] for each in rows["late"]["tried"]], [False, True])

    def test_a_killer_of_ctest(self):
        self.play(mutant("late", "return asked == 'c' ? 2 : 0;", "ctest by_ctest program"),
                  status=0)

    def test_one_that_nothing_notices_survives(self):
        said, rows = self.play(mutant("unseen", "return asked == 'c' ? 2 : 0;"), status=2)
        self.assertEqual(rows["unseen"]["outcome"], "SURVIVED")
        self.assertIn("1 SURVIVED", said)

    def test_the_next_run_begins_with_the_unbroken(self):
        self.play(mutant("fails", "return 2;"), status=0)
        self.play(mutant("unseen", "return 0;"), status=2)

    def test_a_harmless_one_that_is_killed_is_told(self):
        self.play(mutant("harmless", "return 2;", survives=True), status=4)

    def test_a_killer_that_the_unbroken_fails_proves_nothing(self):
        said, _ = self.play(mutant("any", "return 2;", "run program b"), status=3)
        self.assertIn("unbroken library does not pass run program b", said)

    def test_nor_does_one_that_comes_later(self):
        said, _ = self.play(mutant("any", "return asked == 'b' ? 2 : 0 * 1;", "run program a",
                                   "run program b"), status=3)
        self.assertIn("unbroken library does not pass run program b", said)

    def test_one_that_does_not_apply_is_told(self):
        said, _ = self.play(mutant("stale", "", before="return 7;"), status=1)
        self.assertIn("stale is stale: its text is 0 times in library.c", said)
        said, _ = self.play(mutant("twice", "", before="asked"), status=1)
        self.assertIn("its text is 3 times", said)

    def test_one_that_does_not_compile_is_told(self):
        said, rows = self.play(mutant("broken", "return asked"), mutant("fails", "return 2;"),
                               status=1)
        self.assertIn("broken: program (release) does not compile", said)
        self.assertEqual(list(rows), ["fails"])

    def test_wrong_tables(self):
        for wrong, told in (
                (mutant("a", "", "nothing"), "'nothing' is not a check"),
                (mutant("a", "", "msan: run program"), "valid: release, tsan, asan"),
                (mutant("a", "", "stress churn"), "is not: stress CELL SECONDSs"),
                (mutant("a", "") + mutant("a", ""), "a is there twice"),
                (mutant("a", RETURN), "changes nothing at all"),
                (mutant("a", "", "ctest name"), "is not a check"),
                ("[[mutant]]\nid = 'a'\n", "a lacks before"),
                ("mutant = [", "is not valid TOML"), ("", "has no mutant")):
            with self.subTest(told):
                self.assertIn(told, self.play(wrong, status=1)[0])

    def test_only_and_list(self):
        tables = mutant("one", "return 2;"), mutant("another", "return 2;")
        said, rows = self.play(*tables, options=["--list", "--only", "^one$"], status=0)
        self.assertIn("one  (library.c)", said)
        self.assertEqual(rows, {})
        said, _ = self.play(*tables, options=["--only", "none"], status=1)
        self.assertIn("valid: one, another", said)
        self.play(*tables, options=["--table", "/nonexistent.toml"], status=1)
        self.play(*tables, options=["--only", "(", "--list"], status=1)
        self.play(*tables, options=["--only", "one", "--page"], status=1)
        self.play(*tables, options=["--frobnicate"], status=1)

    def test_what_has_a_result_is_not_played_again(self):
        tables = mutant("late", "return asked == 'c' ? 2 : 0;", "run program a", "run program c")
        first, rows = self.play(tables, status=0)
        said, again = self.play(tables, status=0)
        self.assertEqual(again, rows)
        self.assertIn("unbroken  run program c", first)
        self.assertNotIn("unbroken ", said)
        self.assertNotIn("built in", said)
        said, _ = self.play(tables, options=["--again"], status=0)
        self.assertIn("unbroken  run program c", said)

    @pytest.mark.nightly
    def test_it_is_once_something_changed(self):
        one = mutant("one", "return 2;")
        self.play(one, status=0)
        for changed in (mutant("one", "return 3;"), mutant("one", "return 2;", "run program c")):
            self.assertIn("killed    one: run", self.play(changed, status=0)[0])
        self.play(one, status=0)
        text = self.root / "main.c"
        text.write_text(PROGRAM + "/* more */\n", encoding="utf-8")
        self.addCleanup(text.write_text, PROGRAM, encoding="utf-8")
        self.assertIn("killed    one: run", self.play(one, status=0)[0])

    @pytest.mark.nightly
    def test_shards_make_one_table(self):
        tables = [mutant(f"m{at}", f"return {at + 2};") for at in range(5)]
        said, rows = self.play(*tables, options=["--shard", "1/2"], status=0)
        self.assertIn("2 of 5 mutants have no result yet", said)
        self.assertEqual(rows, {})
        self.assertEqual([at for at in range(5) if f"killed    m{at}: run" in said], [0, 2, 4])
        said, rows = self.play(*tables, options=["--shard", "2/2"], status=0)
        self.assertEqual([at for at in range(5) if f"killed    m{at}: run" in said], [1, 3])
        self.assertEqual(list(rows), ["m0", "m1", "m2", "m3", "m4"])
        for wrong in ("3/2", "0/2", "1", "1/x"):
            said = self.play(*tables, options=["--shard", wrong], status=1)[0]
            self.assertIn("is not an I/N", said)

    @pytest.mark.nightly
    def test_a_run_ends_with_its_time(self):
        tables = mutant("one", "return 4;"), mutant("two", "return 5;")
        said, rows = self.play(*tables, options=["--time", "0s"], status=0)
        self.assertIn("2 of 2 mutants have no result yet", said)
        self.assertEqual(rows, {})
        said, _ = self.play(*tables, options=["--time", "1h"], status=0)
        self.assertRegex(said, r"one: .*\[2 of 3, about 0 min left\]")
        said, _ = self.play(*tables, options=["--time", "1"], status=1)
        self.assertIn("is not a duration; give one such as", said)

    @pytest.mark.nightly
    def test_a_survivor_is_told_in_each_run(self):
        tables = mutant("unseen", "return asked == 'c' ? 2 : 0;"), mutant("fails", "return 2;")
        for options in (["--shard", "1/2"], ["--shard", "2/2"], []):
            self.play(*tables, options=options, status=2)

    @pytest.mark.nightly
    def test_one_whose_killer_may_fail_by_itself_has_no_result(self):
        tables = mutant("any", "return asked == 'b' ? 2 : 0 * 1;", "run program a",
                        "run program b")
        for _ in range(2):
            self.play(tables, status=3)

    @pytest.mark.nightly
    def test_a_result_that_was_cut_off_is_played_again(self):
        tables = mutant("one", "return 6;"), mutant("two", "return 7;")
        self.play(*tables, status=0)
        self.stored.write_bytes(self.stored.read_bytes()[:-9])
        for is_played in (True, False):
            said, rows = self.play(*tables, status=0)
            self.assertEqual(("killed    two: run" in said, len(rows)), (is_played, 2))

    def test_the_page(self):
        page = self.root / mutants.PAGE
        before = f"text\n{mutants.BLOCK.begin}\n"
        page.write_text(f"{before}{mutants.BLOCK.end}\n", encoding="utf-8")
        for _ in range(2):
            self.play(mutant("fails", "return 2;"), options=["--page"], status=0)
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(before))
        self.assertEqual(text.count("| `fails`: it | `run program a` | failed |"), 1)


class InCi(unittest.TestCase):
    SUITE = "bin/conformance_threadref"
    TESTS = {
        "conformance.registry": [SUITE, "--gtest_filter=*/registry.*-*/registry.c002*"],
        "conformance.other": [SUITE, "--gtest_filter=*/other.*"],
        "again": [SUITE, "--gtest_filter=*/registry.c003*", "--gtest_repeat=60"],
        "cell": ["expect", *ci.split(["-DCOMMAND=bin/stress_threadref;--filter=^churn/"])],
        "program": ["cmake", "--", "bin/program", "first"],
    }
    CHECKS = {"c001_one": "refs", "c002_two": "refs", "c003_three": "refs"}

    def plays(self, text):
        killer = table.killer(text, self.CHECKS)
        return ci.is_played(killer, self.TESTS, self.CHECKS)

    def test_what_is_played(self):
        for text in ("c001_one", "c003_three x60", "stress churn 2s", "run program first",
                     "ctest cell target", "tsan: c001_one"):
            self.assertTrue(self.plays(text), text)

    def test_what_is_not(self):
        for text in ("c002_two", "c001_one x2", "c003_three x61", "stress storm 2s", "run program",
                     "run program second", "run gone", "ctest gone target"):
            self.assertFalse(self.plays(text), text)

    def test_the_report(self):
        rows = [table.Mutant("by_one", "", "", "", [table.killer("c001_one", self.CHECKS)]),
                table.Mutant("by_two", "", "", "", [table.killer("c002_two", self.CHECKS)]),
                table.Mutant("either", "", "", "", [table.killer("c001_one", self.CHECKS),
                                                      table.killer("c002_two", self.CHECKS)]),
                table.Mutant("harmless", "", "", "", [], survives=True)]
        with mock.patch.object(ci, "commands", lambda *_: self.TESTS), \
                mock.patch.object(table, "checks_of", lambda _: self.CHECKS):
            said = ci.report(ROOT, rows, lambda _: None)
            self.assertEqual(said[-1], "killed by what CI runs: 2 of 3 (66 %); only at night: "
                             "by_two")
            # Of two that may have killed it, the one that did.
            said = ci.report(ROOT, rows[2:], lambda _: "c002_two")
            self.assertEqual(said[-1],
                             "killed by what CI runs: 0 of 1 (0 %); only at night: either")

    def test_tests_that_are_not_built_are_no_answer(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(Unusable, "build/release, but it is not configured"):
                ci.commands(Path(folder), "release")

    def test_what_is_labelled_nightly_is_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            build = Path(folder) / "build/release"
            build.mkdir(parents=True)
            (build / "CTestTestfile.cmake").write_text(
                "add_test(kept true)\nadd_test(slow true)\n"
                "set_tests_properties(slow PROPERTIES LABELS \"stress;nightly\")\n",
                encoding="utf-8")
            self.assertEqual(list(ci.commands(Path(folder), "release")), ["kept"])


class HowItEnded(unittest.TestCase):
    def test_a_hang_and_a_report_are_told(self):
        self.assertEqual(play.how_of(-9, True, "")[0], True)
        self.assertIn("hung", play.how_of(-9, True, "")[1])
        self.assertEqual(
            play.how_of(66, False, "SUMMARY: ThreadSanitizer: data race ../x.hpp:3 in f")[1],
            "ThreadSanitizer: data race")
        self.assertEqual(play.how_of(0, False, ""), (False, "passed"))
        self.assertEqual(play.how_of(
            2, False, "  twice                  221   37.0 %   forbidden    it ran\n"),
            (True, "failed: twice"))

    def test_refused_arguments_kill_nothing(self):
        with self.assertRaises(play.Wrong):
            play.how_of(1, False, "no check was selected")


class TheTable(unittest.TestCase):
    def test_every_mutant_applies(self):
        self.assertGreater(len(table.read(ROOT / table.FOLDER, ROOT)), 0)
