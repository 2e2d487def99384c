"""What the tables of lab sweep say, and above all what they must not say."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from tests.calls import lab
from threadref_lab.measure import sweeps


def document(allocator, **figures):
    """Of name -> ns; None: a row that failed."""
    entries = [{"name": name.replace("__", "/") + "/iterations:8/manual_time",
                **({"error_occurred": True} if ns is None else {"ns": ns})}
               for name, ns in figures.items()]
    for entry in entries:  # the last underscore stands before the value
        stem, _, rest = entry["name"].partition("/iterations")
        entry["name"] = ":".join(stem.rsplit("_", 1)) + "/iterations" + rest
    return {"context": {"allocator": allocator}, "benchmarks": entries}


class SweepsTest(unittest.TestCase):
    def tables(self, **documents):
        """(status, lines) for these files of a folder; a text is written as it is."""
        with tempfile.TemporaryDirectory(prefix="threadref-sweeps-") as folder:
            for name, content in documents.items():
                text = content if isinstance(content, str) else json.dumps(content)
                path = Path(folder) / f"{name.replace('__', '-')}.json"
                path.write_text(text, encoding="utf-8")
            status, said = lab("sweep", "--show", folder)
        return status, said.splitlines()

    def test_ratio_is_of_the_largest_value_to_the_smallest(self):
        status, lines = self.tables(sweep=document("glibc", sweep__keys__a__keys_900=30.0,
                                                   sweep__keys__a__keys_0=3.0,
                                                   sweep__keys__a__keys_8=60.0))
        self.assertEqual(status, 0)
        self.assertEqual(lines[-1].split(), ["a", "3.00", "60.0", "30.0", "10.0x"])

    def test_a_row_that_failed_has_no_figure_and_no_ratio(self):
        _, lines = self.tables(sweep=document("glibc", sweep__keys__a__keys_0=3.0,
                                              sweep__keys__a__keys_8=None,
                                              sweep__keys__b__keys_0=1.0,
                                              sweep__keys__b__keys_8=2.0))
        self.assertEqual(lines[-2].split(), ["a", "3.00", "-", "-"])

    def test_an_allocator_that_is_not_there_has_no_column(self):
        row = {"finalize__exit__a__n_16": 5.0, "finalize__exit__a__n_1": 7.0}
        _, lines = self.tables(sweep=document("glibc"), allocator__glibc=document("glibc", **row),
                               allocator__mimalloc=document("mimalloc", **row))
        self.assertEqual(lines[-2].split(), ["glibc", "mimalloc"])
        self.assertEqual(lines[-1].split(), ["a", "5.00", "5.00"])

    def test_what_is_no_result_is_said(self):
        self.assertEqual(self.tables(sweep="{")[0], 3)
        self.assertEqual(self.tables()[0], 3)

    def test_another_allocator_is_refused(self):
        with tempfile.TemporaryDirectory(prefix="threadref-sweeps-") as folder:
            path = Path(folder) / "one.json"
            path.write_text(json.dumps(document("glibc")), encoding="utf-8")
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(sweeps.keep(path, "mimalloc", Path(folder)), 3)
            self.assertIn("glibc, not of mimalloc", said.getvalue())
            self.assertEqual(sweeps.keep(path, "glibc", Path(folder)), 0)
            self.assertTrue((Path(folder) / "allocator-glibc.json").exists())
