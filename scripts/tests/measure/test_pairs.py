"""What pairs over many process starts say, and what they must not."""

import argparse
import json
import unittest

from threadref_lab.cli.status import FINE, UNCAUGHT, Unusable
from threadref_lab.measure import pairs, starts
from threadref_lab.store import schema


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
        check = schema.validator("pair")
        for count in (20, 5):  # 5 give no interval
            rows = [process(1.06, i % 4) for i in range(count)]
            line, = pairs.judged({"paired/x_vs_x_clone/exit/n:256": rows}, pair_options())
            check.validate(json.loads(json.dumps(starts.finite(line))))

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
        with self.assertRaisesRegex(Unusable, "differed from itself by \\+1.2%"):
            pairs.usable(lines)

    def test_the_tally_blames_what_was_told_apart_and_what_was_not_found(self):
        told = pairs.judged({"paired/x_vs_x_clone/exit/n:256":
                             [process(1.1, 0) for _ in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(told)[1], UNCAUGHT)
        missed = pairs.judged({"paired/x_vs_x_planted/exit/n:256":
                               [process(1.0, i % 4) for i in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(missed)[1], UNCAUGHT)
        found = pairs.judged({"paired/x_vs_x_planted/exit/n:256":
                              [process(1.04, i % 4) for i in range(20)]}, pair_options())
        self.assertEqual(pairs.tally(found)[1], FINE)

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
