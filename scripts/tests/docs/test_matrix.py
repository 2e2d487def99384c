"""scripts/lab docs --only matrix: what it writes is fresh, and what has changed since is told."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from threadref_lab.cli import status
from threadref_lab.cli.checkout import LAB
from threadref_lab.docs import matrix

MARKDOWN = """* If you need one: use registry.

| what happens | `peer_key_list` | `registry` |
| --- | --- | --- |
| **end** | | |
| `end/return` do callbacks run? | **lost** [1] | guaranteed |
| `end/cancel` and then? | guaranteed | conditional [2] |

1. lost: never
2. guaranteed: at once; refused: later

5 trials. Any cell again: `stress_threadref --filter='^<event>/<mechanism>$'`.

| bugs that people had | rows that show them |
| --- | --- |
| 1. somebody's | `end/return` |
"""


def cell(event, mechanism, word):
    name = f"{event}/{mechanism}"
    return {"cell": name, "event": event, "mechanism": mechanism, "word": word, "why": "",
            "verdict": "passed", "again": f"bin/stress_threadref --filter='^{name}$' --seed=0x1"}


def document():
    return {"interrupted": False,
            "rows": [{"event": "end/return"}, {"event": "end/cancel"}],
            "columns": [{"mechanism": "peer_key_list"}, {"mechanism": "registry"}],
            "cells": [cell("end/return", "peer_key_list", "lost"),
                      cell("end/return", "registry", "guaranteed"),
                      cell("end/cancel", "peer_key_list", "guaranteed"),
                      cell("end/cancel", "registry", "conditional")]}


class MatrixTable(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        self.page = self.root / matrix.PAGE
        self.page.parent.mkdir(parents=True)
        self.page.write_text(f"before\n{matrix.BLOCK.begin}\n{matrix.BLOCK.end}\nafter\n",
                             encoding="utf-8")
        self.document = document()
        self.run_script()

    def run_script(self, *arguments):
        (self.root / "matrix.json").write_text(json.dumps(self.document), encoding="utf-8")
        (self.root / "matrix.md").write_text(MARKDOWN, encoding="utf-8")
        return subprocess.run([LAB, "docs", "--only", "matrix", "--matrix", self.root, "--root",
                               self.root, *arguments], capture_output=True, text=True,
                              check=False)

    def check(self, expected, says=""):
        done = self.run_script("--check")
        self.assertEqual(done.returncode, expected, done.stderr)
        self.assertIn(says, done.stderr)

    def test_what_it_wrote_is_fresh(self):
        self.check(status.FINE)
        text = self.page.read_text(encoding="utf-8")
        self.assertIn("| **lost** [1] | guaranteed |", text)
        self.assertIn("somebody's", text)
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))

    def test_another_word_is_stale(self):
        self.document["cells"][0]["word"] = "crashes"
        self.check(status.FORBIDDEN, "end/return/peer_key_list is 'crashes' and not 'lost'")

    def test_what_differs_from_trial_to_trial_is_not_stale(self):
        text = self.page.read_text(encoding="utf-8")
        self.page.write_text(text.replace("1. lost: never", "1. lost: never (2 of 5 trials)"),
                             encoding="utf-8")
        self.document["cells"][0]["word"] = "guaranteed"
        self.check(status.FINE)

    def test_a_word_is_asked_for_again(self):
        player = self.root / "player"
        again = [dict(cell("end/return", "peer_key_list", "lost"), conditions=[])]
        player.write_text("#!/bin/sh\nfor last; do :; done\n"
                          f"echo '{json.dumps({'events': again})}' >\"${{last#--json=}}\"\n",
                          encoding="utf-8")
        player.chmod(0o755)
        self.document["cells"][0].update(
            word="crashes", again=f"{player} --filter='^end/return/peer_key_list$' --smoke")
        self.check(status.FINE)

    def test_what_is_absent_here_is_not_compared(self):
        self.document["cells"][0]["word"] = "absent"
        self.check(status.FINE)

    def test_a_new_event_is_stale(self):
        self.document["rows"].append({"event": "end/new"})
        self.check(status.FORBIDDEN, "end/new")

    def test_a_new_mechanism_is_stale(self):
        self.document["columns"].append({"mechanism": "peer_new"})
        self.check(status.FORBIDDEN, "peer_new")

    def test_another_command_is_stale(self):
        self.document["cells"][0]["again"] = "bin/stress_threadref --cell=end/return/peer_key_list"
        self.check(status.FORBIDDEN, "the command")

    def test_a_failed_cell_makes_no_table(self):
        self.document["cells"][1]["verdict"] = "failed"
        self.assertEqual(self.run_script().returncode, status.FORBIDDEN)

    def test_an_interrupted_run_is_not_usable(self):
        self.document["interrupted"] = True
        self.check(status.UNUSABLE, "interrupted")

    def test_wrong_use(self):
        self.assertEqual(self.run_script("--frobnicate").returncode, status.MISUSE)
