"""Where the default loses, in its page: what is a line there, and what keeps it from being
written."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from tests.report import folder
from threadref_lab.docs import losses

PAGE = f"before\n{losses.BLOCK.begin}\nold\n{losses.BLOCK.end}\nafter\n"


class LossesTableTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadref-losses-")
        self.addCleanup(holder.cleanup)
        self.results = Path(holder.name) / "run"
        self.results.mkdir()
        self.page = Path(holder.name) / "losses.md"
        self.page.write_text(PAGE, encoding="utf-8")
        self.files = folder.files()

    def run_it(self):
        """(status, what it printed, the page after it)"""
        folder.write(self.results, self.files)
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(said):
            status = losses.main(["--run", str(self.results), "--page", str(self.page)])
        return status, said.getvalue(), self.page.read_text(encoding="utf-8")

    def test_only_what_is_between_the_markers_changes(self):
        status, said, text = self.run_it()
        self.assertEqual(status, 0, said)
        self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
        self.assertNotIn("\nold\n", text)

    def test_who_is_faster_stands_beside_the_figure_with_the_ratio(self):
        _, _, text = self.run_it()
        self.assertIn("It loses 0 of", text)
        self.assertIn(f"{folder.PROCESSES} process starts", text)
        self.assertRegex(text, r"\| registration, 16 finalizers: each \| 4.\d+ ns \| - "
                               r"\| peer_vector 2.00 \|")
        self.assertNotIn(folder.OTHER, text)

    def test_of_several_the_fastest_is_first(self):
        for name, document in self.files.items():
            if name == "bench.json" or name.startswith("process-"):
                for entry in document["benchmarks"]:
                    if f"/{folder.OTHER}/" in entry["name"] and "registration" in entry["name"]:
                        entry["ns"] /= 6
        _, _, text = self.run_it()
        self.assertRegex(text, r"registration, 16 finalizers: each \|[^|]*\| pthread_key 4.00 \|")

    def test_what_holds_nothing_to_compare_changes_nothing(self):
        for name in list(self.files):
            if name != "describe.json":
                del self.files[name]
        status, said, text = self.run_it()
        self.assertEqual((status, text), (3, PAGE))
        self.assertIn("holds no result", said)

    def test_a_folder_that_is_none_is_named(self):
        self.results.rmdir()
        with contextlib.redirect_stderr(io.StringIO()) as said:
            status = losses.main(["--run", str(self.results), "--page", str(self.page)])
        self.assertEqual(status, 3)
        self.assertIn("is not a folder", said.getvalue())
