"""What compiling costs: what the launcher writes, and the table made of it."""

import contextlib
import io
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from threadref_lab.cli.checkout import LAB
from threadref_lab.cli.status import Unusable
from threadref_lab.quality import compile_times

SECONDS = {"a/CMakeFiles/program.dir/main.cpp.o": 70.0,
           "a/CMakeFiles/program.dir/cmake_pch.hxx.gch": 30.0,
           "CMakeFiles/library.dir/sub/one.cpp.o": 60.5,
           "CMakeFiles/other.dir/two.cpp.o": 900.0}
NEEDED = {"program": set(list(SECONDS)[:3])}


class Launched(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadref-times-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def launch(self, *command):
        return subprocess.run([LAB, "times", "--launch", *command], cwd=self.folder,
                              check=False).returncode

    def log(self):
        path = self.folder / compile_times.LOG
        return compile_times.logged(path.read_text(encoding="utf-8")) if path.exists() else {}

    def test_it_measures_the_command_and_not_itself(self):
        spin = "import time\nwhile time.process_time() < {}: pass"
        self.assertEqual(self.launch(sys.executable, "-c", spin.format(.5), "-o", "some.o"), 0)
        self.assertEqual(self.launch("true", "-o", "none.o"), 0)
        found = self.log()
        self.assertGreaterEqual(found["some.o"], .5)
        self.assertLess(found["none.o"], .1)

    def test_what_fails_is_not_in_it(self):
        self.assertEqual(self.launch("false", "-o", "some.o"), 1)
        self.assertEqual(self.log(), {})

    def test_what_is_compiled_again_counts_once(self):
        self.assertEqual(compile_times.logged("1.5\ta.o\n2.5\tb.o\n0.5\ta.o\n"),
                         {"a.o": .5, "b.o": 2.5})


class Table(unittest.TestCase):
    def table(self, *budgets):
        table = {"program": dict(zip(("a/", ""), budgets))} if budgets else {}
        with mock.patch.object(compile_times, "BUDGETS", table):
            lines, exceeded = compile_times.table(SECONDS, NEEDED, ["program"])
        return "\n".join(lines), exceeded

    def test_biggest_first_and_without_what_is_not_needed(self):
        said = self.table()[0]
        self.assertRegex(said, r"100\.0 +2  program\n +60\.5 +1  library\n +160\.5 +3  in all")
        self.assertRegex(said, r"slowest files\n +70\.0  a/CMakeFiles/program\.dir/main")
        self.assertNotIn("900", said)
        self.assertNotIn("budget", said)

    def test_budgets(self):
        said, exceeded = self.table(100, 140)
        self.assertIn("program, what is in a/: 100.0 s, within the budget of 100 s", said)
        self.assertIn("program, all that it needs: 160.5 s, over the budget of 140 s", said)
        self.assertFalse(exceeded)
        self.assertTrue(self.table(83, 1000)[1])
        self.assertTrue(self.table(1000, 133)[1])

    def test_an_object_without_a_time_is_no_zero(self):
        with tempfile.TemporaryDirectory() as folder:
            build = Path(folder)
            build.joinpath("build.ninja").write_text(
                "rule cc\n  command = cc -o $out\nbuild CMakeFiles/p.dir/main.c.o: cc\n"
                "build p: phony CMakeFiles/p.dir/main.c.o\n", encoding="utf-8")
            with self.assertRaisesRegex(Unusable, "lacks 1 objects, CMakeFiles/p.dir/main.c.o"):
                compile_times.main([folder, "p"])
            with self.assertRaises(Unusable) as caught:
                compile_times.main([folder, "q"])
            self.assertEqual(caught.exception.status, 1)
            (build / compile_times.LOG).write_text("2\tCMakeFiles/p.dir/main.c.o\n",
                                                   encoding="utf-8")
            with contextlib.redirect_stdout(io.StringIO()), \
                    mock.patch.dict(compile_times.BUDGETS, {"p": {"": 1}}):
                self.assertEqual(compile_times.main([folder, "p"]), 2)
