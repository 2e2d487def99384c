"""What was stored by schema 1, and the database that is made of the store."""

import contextlib
import io
import json
import sqlite3
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.store import small_night
from threadref_lab.store import archive, command


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
