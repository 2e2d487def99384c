#!/usr/bin/python3
"""Mutants of a small library: each way that one can end, and what is wrong with a table."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import scripts.tests  # noqa: F401  makes the scripts importable
import mutants
import mutate

ROOT = mutate.ROOT
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
        (cls.root / mutate.TABLE).mkdir(parents=True)
        (cls.root / mutate.README).parent.mkdir(parents=True)
        for name, text in {"CMakeLists.txt": BUILD, "main.c": PROGRAM, "library.c": LIBRARY,
                           ".gitignore": "build/\n"}.items():
            (cls.root / name).write_text(text, encoding="utf-8")
        subprocess.run(["git", "init", "-q", cls.root], check=True)

    def play(self, *table, options=(), status=None):
        """(what it said, the rows by id)"""
        (self.root / mutate.TABLE / "all.toml").write_text("\n".join(table), encoding="utf-8")
        out = self.root / "build/out.json"
        out.parent.mkdir(exist_ok=True)
        out.unlink(missing_ok=True)
        done = subprocess.run([mutate.__file__, "--root", self.root, "--out", out, *options],
                              capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
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
        for table, told in (
                (mutant("a", "", "nothing"), "'nothing' is no check"),
                (mutant("a", "", "msan: run program"), "valid: release, tsan, asan"),
                (mutant("a", "", "stress churn"), "is not: stress CELL SECONDSs"),
                (mutant("a", "") + mutant("a", ""), "a is there twice"),
                (mutant("a", RETURN), "changes nothing at all"),
                (mutant("a", "", "ctest name"), "is no check"),
                ("[[mutant]]\nid = 'a'\n", "a lacks before"),
                ("mutant = [", "is no TOML"), ("", "has no mutant")):
            with self.subTest(told):
                self.assertIn(told, self.play(table, status=1)[0])

    def test_only_and_list(self):
        tables = mutant("one", "return 2;"), mutant("another", "return 2;")
        said, rows = self.play(*tables, options=["--list", "--only", "^one$"], status=0)
        self.assertIn("one  (library.c)", said)
        self.assertEqual(rows, {})
        said, _ = self.play(*tables, options=["--only", "none"], status=1)
        self.assertIn("valid: one, another", said)
        self.play(*tables, options=["--table", "/nonexistent.toml"], status=1)
        self.play(*tables, options=["--only", "(", "--list"], status=1)
        self.play(*tables, options=["--only", "one", "--readme"], status=1)
        self.play(*tables, options=["--frobnicate"], status=1)

    def test_the_readme(self):
        readme = self.root / mutate.README
        readme.write_text("# registry\n\n## Other\n\ntext\n", encoding="utf-8")
        for _ in range(2):
            self.play(mutant("fails", "return 2;"), options=["--readme"], status=0)
        text = readme.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("# registry\n\n## Other\n\ntext\n\n## Mutants\n"))
        self.assertEqual(text.count("| `fails`: it | `run program a` | failed |"), 1)


class HowItEnded(unittest.TestCase):
    def test_a_hang_and_a_report_are_told(self):
        self.assertEqual(mutate.how_of(-9, True, "")[0], True)
        self.assertIn("hung", mutate.how_of(-9, True, "")[1])
        self.assertEqual(
            mutate.how_of(66, False, "SUMMARY: ThreadSanitizer: data race ../x.hpp:3 in f")[1],
            "ThreadSanitizer: data race")
        self.assertEqual(mutate.how_of(0, False, ""), (False, "passed"))
        self.assertEqual(mutate.how_of(
            2, False, "  twice                  221   37.0 %   forbidden    it ran\n"),
            (True, "failed: twice"))

    def test_refused_arguments_kill_nothing(self):
        with self.assertRaises(mutate.Wrong):
            mutate.how_of(1, False, "no check was selected")


class TheTable(unittest.TestCase):
    def test_every_mutant_applies(self):
        self.assertGreater(len(mutants.read(ROOT / mutate.TABLE, ROOT)), 0)


if __name__ == "__main__":
    unittest.main()
