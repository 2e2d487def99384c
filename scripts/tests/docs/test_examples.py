"""scripts/lab docs --only examples: what it writes is fresh, and what no longer holds is told."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from threadref_lab.cli.checkout import LAB
from threadref_lab.docs import examples


class ExampleOutputs(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.page = self.folder / "README.md"
        blocks = [f"{examples.block(name).begin}\n{examples.block(name).end}\n"
                  for name in ("one", "two")]
        self.page.write_text("before\n" + "between\n".join(blocks) + "after\n",
                               encoding="utf-8")
        self.program("one", "echo first; echo second")
        self.program("two", "echo third")

    def program(self, name, lines):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        os.chmod(path, 0o755)

    def script(self, *arguments):
        return subprocess.run(
            [LAB, "docs", "--only", "examples", "--programs", self.folder,
             "--page", self.page, *arguments], capture_output=True, text=True, check=False)

    def test_writes_each_between_its_lines(self):
        self.assertEqual(self.script().returncode, 0)
        text = self.page.read_text(encoding="utf-8")
        self.assertIn("```\nfirst\nsecond\n```", text)
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertIn("between\n", text)
        self.assertEqual(self.script("--check").returncode, 0)

    def test_tells_which_one_prints_something_else(self):
        self.script()
        shown = self.page.read_text(encoding="utf-8")
        self.program("two", "echo fourth")
        ended = self.script("--check")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("'output of two' is stale", ended.stderr)
        self.assertEqual(self.page.read_text(encoding="utf-8"), shown)

    def test_does_not_take_the_output_of_one_that_fails(self):
        for lines, why in (("echo x; exit 7", "ended with 7"), ("echo x; echo y >&2", "y")):
            self.program("one", lines)
            ended = self.script()
            self.assertEqual(ended.returncode, 3)
            self.assertIn(why, ended.stderr)

    def test_needs_the_programs_and_the_lines(self):
        os.remove(self.folder / "one")
        self.assertIn("build it first", self.script().stderr)
        self.page.write_text("nothing\n", encoding="utf-8")
        self.assertEqual(self.script("--check").returncode, 3)
