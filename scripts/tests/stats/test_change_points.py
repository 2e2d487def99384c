"""Change points: found where they were planted, not where nothing was, and by the right numbers."""

import random
import unittest

import numpy
import scipy.stats

from tests.store import history
from threadref_lab.stats import change_points


class ChangePointsTest(unittest.TestCase):
    def test_a_planted_step_is_found_at_its_place(self):
        points = change_points.find(history.noisy(60, step_at=40))
        self.assertEqual([point.at for point in points], [40])
        self.assertAlmostEqual(points[0].ratio, 1.05, delta=.005)
        self.assertLess(points[0].p, change_points.P_MOST)

    def test_the_same_values_shuffled_have_none(self):
        values = history.noisy(60, step_at=40)
        for seed in range(20):
            random.Random(seed).shuffle(values)
            with self.subTest(seed):
                self.assertEqual(change_points.find(values), [])

    def test_up_and_down_again_are_two(self):
        values = history.noisy(90, step_at=30)
        values[60:] = history.noisy(30, seed=8)
        self.assertEqual([point.at for point in change_points.find(values)], [30, 60])

    def test_a_step_that_is_too_small_is_none(self):
        values = history.noisy(60, step_at=40, step=1.02)
        self.assertEqual(change_points.find(values), [])
        self.assertEqual([point.at for point in change_points.find(values, .01)], [40])

    def test_two_wild_nights_are_no_change(self):
        values = history.noisy(40)
        values[-2:] = [3.0, 3.0]
        self.assertEqual(change_points.find(values), [])

    def test_three_nights_are_enough_and_new_only_once(self):
        values = history.noisy(60, step_at=40)
        news = [night for night in range(30, 61) if change_points.is_new(values[:night])]
        self.assertEqual(news, [43])

    def test_short_series_and_equal_values(self):
        for values in ([], [1.0], [1.0] * 5, [1.0] * 50):
            with self.subTest(len(values)):
                self.assertEqual(change_points.find(values), [])

    def test_counts_that_never_vary_can_step(self):
        self.assertEqual([point.at for point in change_points.find([41.0] * 9 + [44.0] * 9)], [9])

    def test_the_distance_is_scipys_energy_distance(self):
        values = numpy.array(history.noisy(30, step_at=11))
        found = change_points.divergences(values)
        for at in (1, 11, 29):
            expected = scipy.stats.energy_distance(values[:at], values[at:]) ** 2
            self.assertAlmostEqual(found[at - 1], expected * at * (30 - at) / 30)

    def test_p_is_that_of_scipys_t_test(self):
        values = numpy.array(history.noisy(30, step_at=11, noise=.05))
        expected = scipy.stats.ttest_ind(values[:11], values[11:]).pvalue
        self.assertAlmostEqual(change_points.p_value(values[:11], values[11:]), expected)

    def test_pairs_decide_whether_it_was_the_code(self):
        self.assertTrue(change_points.is_of_code(1.05, [1.0, 1.05, 1.0], 1.0))
        self.assertTrue(change_points.is_of_code(1.05, [1.01, 1.01, 1.01], 1.0))
        self.assertFalse(change_points.is_of_code(1.05, [1.0, 1.01, 1.0], 1.0))
        self.assertFalse(change_points.is_of_code(0.95, [1.05], 1.0))

    def test_clones_that_did_not_become_slower_say_that_it_was_the_layout(self):
        self.assertFalse(change_points.is_of_code(1.05, [1.0, 1.05, 1.0], 1 / 1.05))
        self.assertTrue(change_points.is_of_code(1.05, [1.0, 1.05, 1.0], 1 / 1.02))
        self.assertFalse(change_points.is_of_code(1.05, [1.0, 1.0], 1.05))
