"""What counts as a difference."""

import math
import random
import unittest

from threadref_lab.stats import intervals


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
