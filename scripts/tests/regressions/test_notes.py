"""Changes that were expected, and commits that git does not know."""

import unittest
from pathlib import Path

from threadref_lab.regressions import commits, notes


class NoteTest(unittest.TestCase):
    def test_by_series_and_commit(self):
        note = notes.Note({"series": "a/b/c/n:1", "commit": "1a2b3c4", "reason": "why"})
        full = "1a2b3c4" + "0" * 33
        self.assertEqual(notes.reason([note], "a/b/c/n:1", ["f" * 40, full]), "why")
        self.assertIsNone(notes.reason([note], "a/b/c/n:2", [full]))
        self.assertIsNone(notes.reason([note], "a/b/c/n:1", ["f" * 40]))

    def test_no_file_is_no_note(self):
        self.assertEqual(notes.read(Path("/nonexistent")), ([], []))

    def test_what_git_does_not_know(self):
        self.assertEqual(commits.between("/", "a", "b"), [])
