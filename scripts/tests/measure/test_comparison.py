"""What two programs, row by row, say of each other."""

import argparse
import unittest
from unittest import mock

from tests.calls import lab
from tests.report import folder as samples
from threadref_lab.measure import comparison


class Compare(unittest.TestCase):
    ROW = "finalize/exit/registry/n:256"
    FLOOR = "finalize/exit/floor_call_loop/n:256"
    OPTIONS = argparse.Namespace(names=["old", "new"], processes=20)

    def lines(self, ratios, spreads=()):
        figures = {name: [(1.0, ratio) for ratio in found] for name, found in ratios.items()}
        found = comparison.lines_of(ratios, figures, list(spreads), self.OPTIONS)
        return {line["name"]: line for line in found}

    def test_a_change_beyond_two_percent_is_one(self):
        self.assertEqual(self.lines({self.ROW: [1.05] * 20})[self.ROW]["verdict"], "slower")
        self.assertEqual(self.lines({self.ROW: [1.01] * 20})[self.ROW]["verdict"], "same")

    def test_floors_that_moved_as_much_make_it_none(self):
        moved = self.lines({self.ROW: [1.05] * 20, self.FLOOR: [1.06] * 20})
        self.assertEqual(moved[self.ROW]["verdict"], "same")

    def test_clones_that_differ_as_much_make_it_none(self):
        spread = {("registry", "exit"): 0.08}
        self.assertEqual(self.lines({self.ROW: [1.05] * 20}, [spread])[self.ROW]["verdict"], "same")

    def measured(self, *runs):
        """What measured() makes of these answers of in_turns(), and what it asked for."""
        asked, answers = [], iter(runs)

        def in_turns(_, starts, pattern):
            asked.append((starts, pattern))
            found = next(answers)
            return ({name: list(values) for name, values in found.items()},
                    {name: [(1.0, value) for value in values] for name, values in found.items()})
        with mock.patch.multiple(comparison, in_turns=in_turns,
                                          clone_spreads=lambda *_: {}):
            return comparison.measured(["a", "b"], self.OPTIONS, "all"), asked

    def test_what_looks_changed_gets_more_starts_with_its_floors_and_nothing_else(self):
        other = "finalize/registration/registry/n:16"
        wild = [0.9, 1.05, 1.06, 1.07, 1.04] * 4
        lines, asked = self.measured({self.ROW: wild, self.FLOOR: [1.0] * 20, other: [1.0] * 20},
                                     {self.ROW: [1.05] * 20, self.FLOOR: [1.0] * 20})
        self.assertEqual([starts for starts, _ in asked], [20, 20])
        self.assertNotIn(other, asked[1][1])
        self.assertIn(self.FLOOR, asked[1][1])
        changed = next(line for line in lines if line["name"] == self.ROW)
        self.assertEqual((changed["verdict"], changed["processes"]), ("slower", 40))

    def test_there_is_an_end_to_more_starts_and_floors_alone_get_none(self):
        wild = [0.8, 1.05, 1.3, 0.9, 1.2] * 4
        self.assertEqual([starts for starts, _ in self.measured(
            {self.ROW: wild}, {self.ROW: wild}, {self.ROW: wild * 2})[1]], [20, 20, 40])
        self.assertEqual(len(self.measured({self.FLOOR: wild})[1]), 1)

    def test_tables_say_all_of_it(self):
        line = self.lines({self.ROW: [1.05] * 20})[self.ROW]
        line["confirmed"] = True
        for text in (comparison.as_text([line]), comparison.as_markdown([line])):
            for part in (self.ROW, "1.050", "slower, confirmed", "2.0%"):
                self.assertIn(part, text)
        self.assertIn("1 slower", comparison.sentence([line], self.OPTIONS))


def results(folder, process):
    return samples.write(folder, {"bench.json": samples.document(samples.bench_entries(process))})


def test_two_folders_of_results(tmp_path):
    sides = results(tmp_path / "a", 0), results(tmp_path / "b", 1)
    status, said = lab("compare", *sides, "--out", tmp_path / "out")
    assert status == 0
    assert f"from {sides[0]} to {sides[1]}: 30 undecided (of 30 rows)" in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "compare.txt", "compare.md", "compare.json"}


def test_what_is_no_side_is_refused_before_anything_is_built(tmp_path, monkeypatch):
    monkeypatch.setattr(comparison.checkout, "set_up", None)
    there = results(tmp_path / "a", 0)
    for sides, why in (([there, "nothing"], "'nothing' is neither a commit"), ([there], "required"),
                       ([there, "HEAD"], "only be compared with another one")):
        status, said = lab("compare", *sides)
        assert (status, said.count("\n")) == (1, 1)
        assert why in said


def test_a_build_folder_is_its_program(tmp_path):
    program = tmp_path / "bin" / "bench_threadref"
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert comparison.kind_of(str(tmp_path)) == ("program", program)
