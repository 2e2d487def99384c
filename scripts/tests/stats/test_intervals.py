#!/usr/bin/python3
"""What counts as a difference, and what the scripts that say so make of it."""

import argparse
import json
import math
import random
import unittest
import unittest.mock
from pathlib import Path

import jsonschema

import scripts.tests  # noqa: F401  makes the scripts importable
import compare
import intervals
import pairs
import starts


class Interval(unittest.TestCase):
    def test_twenty_values_give_999_in_1000_and_ten_can_not(self):
        self.assertEqual(intervals.rank_below(20), 2)
        self.assertEqual(intervals.rank_below(11), 0)
        self.assertEqual(intervals.rank_below(10), -1)

    def test_it_holds_the_median_as_often_as_it_says(self):
        chance = random.Random(1)
        missed = 0
        for _ in range(4000):
            low, _, high = intervals.interval([chance.expovariate(1) for _ in range(20)])
            missed += not low <= math.log(2) <= high
        self.assertLess(missed, 12)  # 0.04 % are 1.6 of 4 000

    def test_too_few_values_exclude_nothing(self):
        low, middle, high = intervals.interval([1.5] * 10)
        self.assertEqual((low, middle, high), (0.0, 1.5, math.inf))
        self.assertEqual(intervals.verdict(low, high), "undecided")

    def test_verdicts(self):
        for low, high, expected in ((1.03, 1.05, "slower"), (0.9, 0.95, "faster"),
                                    (0.99, 1.01, "same"), (1.01, 1.03, "undecided"),
                                    (0.97, 1.01, "undecided"), (0.5, 2, "undecided")):
            self.assertEqual(intervals.verdict(low, high), expected, (low, high))

    def test_a_wider_layout_spread_makes_a_difference_none(self):
        self.assertEqual(intervals.verdict(1.03, 1.05, 0.04), "undecided")
        self.assertEqual(intervals.verdict(1.01, 1.03, 0.04), "same")

    def test_what_could_be_told_is_beyond_the_least_by_half_the_interval(self):
        self.assertAlmostEqual(intervals.min_change(0.99, 1.01), 0.03)


def process(ratio, layout, pairs_of_it=100):
    return {"ratio": ratio, "layout": layout, "pairs": pairs_of_it, "a_ns": 2.0,
            "b_ns": 2.0 * ratio, "pinned_cpu": 1, "commit": "abc"}


def pair_options(**more):
    return argparse.Namespace(processes=20, pairs=100, rounds=1, **more)


class Pairs(unittest.TestCase):
    def test_a_clone_that_is_slower_wherever_it_is_drawn_is_not_told_apart(self):
        rows = [process(1.06 if i % 2 == 0 else 1 / 1.06, i % 4) for i in range(20)]
        line, = pairs.judged({"paired/x_vs_x_clone/exit/n:256": rows}, pair_options())
        self.assertEqual(line["verdict"], "undecided")
        self.assertAlmostEqual(line["clone_spread"], 0.06, places=3)

    def test_a_line_is_what_the_schema_says(self):
        schema = json.loads((Path(__file__).parents[2] / "results/schema.json").read_text())
        validator = jsonschema.Draft202012Validator(
            {"$ref": "#/$defs/pair", "$defs": schema["$defs"]})
        for count in (20, 5):  # 5 give no interval
            rows = [process(1.06, i % 4) for i in range(count)]
            line, = pairs.judged({"paired/x_vs_x_clone/exit/n:256": rows}, pair_options())
            validator.validate(json.loads(json.dumps(starts.finite(line))))

    def test_no_difference_below_the_spread_of_a_clone_is_one(self):
        apart = [process(1.05, i % 4) for i in range(20)]
        clone = [process(1.07 if i % 2 == 0 else 1 / 1.07, i % 4) for i in range(20)]
        found = {"paired/x_vs_y/exit/n:256": apart, "paired/y_vs_y_clone/exit/n:256": clone}
        line = pairs.judged(found, pair_options())[0]
        self.assertEqual(line["verdict"], "same")
        del found["paired/y_vs_y_clone/exit/n:256"]
        self.assertEqual(pairs.judged(found, pair_options())[0]["verdict"], "slower")

    def test_a_function_that_differs_from_itself_makes_the_run_unusable(self):
        rows = [process(1.012, i % 4) for i in range(20)]
        lines = pairs.judged({"paired/x_vs_x/exit/n:256": rows}, pair_options())
        with self.assertRaisesRegex(pairs.Unusable, "differed from itself by \\+1.2%"):
            pairs.usable(lines)

    def test_the_tally_blames_what_was_told_apart_and_what_was_not_found(self):
        told = pairs.judged({"paired/x_vs_x_clone/exit/n:256":
                             [process(1.1, 0) for _ in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(told)[1], pairs.UNCAUGHT)
        missed = pairs.judged({"paired/x_vs_x_planted/exit/n:256":
                               [process(1.0, i % 4) for i in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(missed)[1], pairs.UNCAUGHT)
        found = pairs.judged({"paired/x_vs_x_planted/exit/n:256":
                              [process(1.04, i % 4) for i in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(found)[1], pairs.FINE)

    def test_undecided_pairs_are_measured_longer_and_no_others(self):
        asked = []

        def measure(pairs_each):
            asked.append(pairs_each)
            return [{"a": "x", "b": "y", "quantity": "exit", "n": 256,
                     "verdict": "same" if pairs_each >= 800 else "undecided"}]
        first = [{"a": "x", "b": "y", "quantity": "exit", "n": 256, "verdict": "undecided"}]
        lines, last = pairs.with_more_pairs(first, measure, 100)
        self.assertEqual([line["verdict"] for line in lines], ["same"])
        self.assertEqual(last, 800)
        self.assertEqual(asked, [200, 400, 800])


class Compare(unittest.TestCase):
    ROW = "finalize/exit/registry/n:256"
    FLOOR = "finalize/exit/floor_call_loop/n:256"
    OPTIONS = argparse.Namespace(names=["old", "new"], processes=20)

    def lines(self, ratios, spreads=()):
        figures = {name: [(1.0, ratio) for ratio in found] for name, found in ratios.items()}
        found = compare.lines_of(ratios, figures, list(spreads), self.OPTIONS)
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
        with unittest.mock.patch.multiple(compare, in_turns=in_turns,
                                          clone_spreads=lambda *_: {}):
            return compare.measured(["a", "b"], self.OPTIONS, "all"), asked

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
        for text in (compare.as_text([line]), compare.as_markdown([line])):
            for part in (self.ROW, "1.050", "slower, confirmed", "2.0%"):
                self.assertIn(part, text)
        self.assertIn("1 slower", compare.sentence([line], self.OPTIONS))


if __name__ == "__main__":
    unittest.main()
