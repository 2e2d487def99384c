"""Instruction counts: the arithmetic, and what becomes of them when callgrind or a subject fails.

Where callgrind is needed, a stand-in counts: what is tested here is what the script makes of it.
"""

import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.calls import lab
from threadref_lab.measure import instructions
from threadref_lab.store import schema

# For the subject "costs_7", each operation takes 7; the first thread's instructions must not count.
VALGRIND = r"""#!/usr/bin/python3
import re, sys
command = " ".join(sys.argv)
subject, quantity, out = (re.search(rf"--{key}=(\S+)", command)[1]
                          for key in ("subject", "quantity", "callgrind-out-file"))
n, threads = (int(re.search(rf"--{key}=(\d+)", command)[1]) for key in ("n", "threads"))
if subject == "crashes":
    sys.exit("callgrind is out of order")
open(out, "w").close()
open(out + "-01", "w").write(f"totals: {123456 * n}\n")
if subject != "unseen":
    open(out + "-02", "w").write(f"totals: {1000 + int(subject.split('_')[1]) * n * threads}\n")
print(f"{quantity} {subject} lost={int(subject == 'loses_1')} commit=1a2b3c4")
sys.exit(2 if subject == "loses_1" else 0)
"""
DRIVER = """#!/bin/sh
echo registration costs_7; echo registration costs_8; echo exit loses_1; echo exit crashes
echo exit unseen; echo "detach costs_7 cannot: gives no handle"; echo detach costs_8
"""


class ArithmeticTest(unittest.TestCase):
    def test_one_more_instruction_is_one_more(self):
        small, large = 5000 + 52 * 256 * 4, 5000 + 52 * 1280 * 4
        self.assertEqual(instructions.marginal(small, large, 256, 1280, 4), 52)
        one_more = instructions.marginal(small + 256 * 4, large + 1280 * 4, 256, 1280, 4)
        self.assertEqual(one_more, 53)

    def test_what_both_sizes_take_does_not_count(self):
        for constant in (0, 7_000_000):
            self.assertEqual(instructions.marginal(constant, constant + 1024, 0, 1024, 1), 1)

    def test_spread(self):
        self.assertEqual(instructions.spread([40, 40, 40]), 0)
        self.assertAlmostEqual(instructions.spread([40, 42, 40, 41, 40]), .05)


class ScriptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-instructions-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "instructions.jsonl"
        self.plant("driver", DRIVER)
        self.plant("valgrind", VALGRIND)
        self.plant("setarch", '#!/bin/sh\nshift\nexec "$@"\n')

    def plant(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def run_script(self, *arguments):
        """(status, all that it said)"""
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        with mock.patch.dict(os.environ, path):
            return lab("instructions", "--driver", self.folder / "driver", "--out", self.out,
                       *arguments)

    def lines(self):
        return [json.loads(text) for text in self.out.read_text(encoding="utf-8").splitlines()]

    def test_figures(self):
        status, said = self.run_script("--runs", "3", "--subject", "costs_7", "--subject",
                                       "costs_8")
        self.assertEqual(status, 0, said)
        self.assertIn("no detach of costs_7: gives no handle", said)
        seven, eight, cannot, _ = self.lines()
        self.assertEqual((seven["instructions"], seven["runs"], seven["spread"]), (7, [7] * 3, 0))
        self.assertEqual((eight["instructions"], eight["commit"]), (8, "1a2b3c4"))
        self.assertEqual((cannot["quantity"], cannot["error"]), ("detach", "gives no handle"))

    def test_every_line_is_as_the_schema_says(self):
        self.run_script("--subject", "costs_7", "--runs", "1")
        check = schema.validator("instructions")
        for line in self.lines():
            self.assertEqual([error.message for error in check.iter_errors(line)], [])
            self.assertFalse(check.is_valid({**line, "ns": 1}))
        self.assertFalse(check.is_valid({"schema": 1, "kind": "instructions", "quantity": "exit",
                                         "subject": "neither figures nor a reason"}))

    def test_nothing_is_written_unless_all_went_well(self):
        for subject, status, sentence in (("loses_1", 2, "lost=1"),
                                          ("crashes", 3, "callgrind is out of order"),
                                          ("unseen", 3, "callgrind counted nothing")):
            with self.subTest(subject):
                ended, said = self.run_script("--subject", subject, "--runs", "1")
                self.assertEqual(ended, status, said)
                self.assertIn(sentence, said)
                self.assertFalse(self.out.exists())

    def test_wrong_use(self):
        for arguments, sentence in ((["--runs", "0"], "not a whole number of at least 1"),
                                    (["--runs", "x"], "--runs"),
                                    (["--subject", "none"], "valid: costs_7, costs_8"),
                                    (["--quantity", "none"], "valid: registration, exit, detach"),
                                    (["--out", str(self.folder)], "cannot write"),
                                    (["--wrong"], "--wrong")):
            with self.subTest(arguments):
                status, said = self.run_script(*arguments)
                self.assertEqual(status, 1, said)
                self.assertIn(sentence, said)
                self.assertEqual(said.count("\n"), 1)

    def test_without_valgrind(self):
        with mock.patch("shutil.which", return_value=None):
            status, said = self.run_script()
        self.assertEqual(status, 3)
        self.assertIn("scripts/setup.sh --all", said)
