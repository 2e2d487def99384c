"""What a list of ratios can say: one definition of faster, slower and same for all scripts."""

import math
import statistics

CONFIDENCE = 0.999
LEAST_CHANGE = 0.02  # smaller differences are not distinguished from none
SELF_LIMIT = 0.01    # a function against itself: further away the run is not usable


def rank_below(count):
    """How many order statistics may be cut off each end so that what stays holds the median 99.9
    times in 100, whatever the distribution: the number of values below it is binomial. -1: too few
    values even for the outermost ones."""
    tail, cut = 0.0, -1
    for below in range(count // 2):
        tail += math.comb(count, below) / 2.0 ** count
        if 1 - 2 * tail < CONFIDENCE:
            break
        cut = below
    return cut


def interval(values):
    """(low, median, high): the 99.9 % interval of the median; (0, median, inf) of too few values,
    which can't exclude anything."""
    ordered = sorted(values)
    middle = statistics.median(ordered)
    cut = rank_below(len(ordered))
    if cut < 0:
        return 0.0, middle, math.inf
    return ordered[cut], middle, ordered[-1 - cut]


def verdict(low, high, least=LEAST_CHANGE):
    """Of the second against the first, for a ratio of times second / first."""
    if low > 1 + least:
        return "slower"
    if high < 1 / (1 + least):
        return "faster"
    if low > 1 / (1 + least) and high < 1 + least:
        return "same"
    return "undecided"


def min_change(low, high, least=LEAST_CHANGE):
    """The smallest true change whose whole interval would have been beyond `least`."""
    return least + (high - low) / 2 if math.isfinite(high) else math.inf
