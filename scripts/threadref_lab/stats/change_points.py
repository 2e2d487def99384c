"""Change points of a series: E-divisive with a t-test.

E-divisive splits where the energy distance between what is before and what is after is largest, and
does the same with either side; Student's t-test then says whether a split is one. Looked at and not
used, for want of a well-kept implementation where this repository takes its packages from: Debian
12 has none of it for Python (python3-ruptures and the like are not there), in R only strucchange
and segmented, which fit regressions; npm has bayesian-changepoint, which is another method, and
nothing under the names changepoint, e-divisive, edm, ruptures or otava. The statistics are numpy's
and scipy's; the tests compare the distance with scipy.stats.energy_distance.
"""

import dataclasses

import numpy
import scipy.special

P_MOST = 0.001
LEAST_CHANGE = 0.03  # a smaller step is left to the paired gate
POINTS_LEAST = 3     # on either side, and nearer to it: two nights can be two accidents
WINDOW = 50          # nights: over a long series a t-test sees many steps as one large spread
NEAR = 5             # usable nights on either side whose pairs have a say in a change point


@dataclasses.dataclass(frozen=True)
class ChangePoint:
    at: int        # position of the first value after it
    before: float  # medians: one wild night moves no level
    after: float
    p: float

    @property
    def ratio(self):
        return self.after / self.before


def divergences(values):
    """Of the last axis, for each split 1 .. n - 1: the energy distance of both sides, weighted by
    their sizes; shape (..., n - 1)."""
    values = numpy.asarray(values, dtype=float)
    count = values.shape[-1]
    between = numpy.abs(values[..., :, None] - values[..., None, :])
    total = between.cumsum(axis=-1).cumsum(axis=-2)  # [i, j]: sum over the rows 0..i, columns 0..j
    at = numpy.arange(count - 1)
    left = total[..., at, at]
    across = total[..., at, -1] - left
    right = total[..., -1:, -1] - left - 2 * across
    m = at + 1.0
    n = count - m
    return m * n / count * (2 * across / (m * n) - left / m ** 2 - right / n ** 2)


def best_split(values):
    """Of the last axis: where the sides differ most, none of them shorter than POINTS_LEAST."""
    inner = divergences(values)[..., POINTS_LEAST - 1:values.shape[-1] - POINTS_LEAST]
    return inner.argmax(axis=-1) + POINTS_LEAST


def p_value(before, after):
    """Student's t-test: are both sides of one mean? scipy.stats.ttest_ind says the same, in ten
    times the time, and a year asks it a million times."""
    degrees = len(before) + len(after) - 2
    squares = before.var() * len(before) + after.var() * len(after)
    apart = abs(before.mean() - after.mean())
    if squares == 0:  # counts that never vary
        return 1.0 if apart == 0 else 0.0
    t = apart / (squares / degrees * (1 / len(before) + 1 / len(after))) ** 0.5
    return float(2 * scipy.special.stdtr(degrees, -t))


def p_of_best(before, after):
    """The same for a split that was chosen because it is the best of all: the luckiest of so many
    looks at nothing must not pass for a change (Bonferroni)."""
    places = len(before) + len(after) - 2 * POINTS_LEAST + 1
    return min(1.0, p_value(before, after) * places)


def splits(values, begin, end):
    """The significant splits of values[begin:end], in order."""
    if end - begin < 2 * POINTS_LEAST:
        return []
    at = begin + int(best_split(values[begin:end]))
    if p_of_best(values[begin:at], values[at:end]) >= P_MOST:
        return []
    return [*splits(values, begin, at), at, *splits(values, at, end)]


def newest_window(values):
    """(where it begins, its values)"""
    begin = max(0, len(values) - WINDOW)
    return begin, values[begin:]


def candidates(values):
    """Of the newest window, and of windows that overlap by half, so that no step is at the end of
    all that hold it."""
    found = set(splits(values, newest_window(values)[0], len(values)))
    for begin in range(0, max(1, len(values) - WINDOW // 2), WINDOW // 2):
        found.update(splits(values, begin, min(begin + WINDOW, len(values))))
    return sorted(found)


def judged(values, at, begin, end):
    """The change point between its neighbours; one that can't be has p = 1."""
    before, after = values[begin:at], values[at:end]
    if min(len(before), len(after)) < POINTS_LEAST:
        return ChangePoint(at, 1.0, 1.0, 1.0)
    point = ChangePoint(at, float(numpy.median(before)), float(numpy.median(after)),
                        p_of_best(before, after))
    if not stands_apart(values, point, begin, end):
        return dataclasses.replace(point, p=1.0)
    return point


def stands_apart(values, point, begin, end):
    """Are enough values of either side nearer to their own median than to the other?"""
    middle = (point.before + point.after) / 2
    above = values[begin:end] > middle
    split = point.at - begin
    if point.after < point.before:
        above = ~above
    return min((~above[:split]).sum(), above[split:].sum()) >= POINTS_LEAST


def size(point):
    """A step up and the same step down are of one size."""
    ratio = point.ratio if point.before > 0 else float("inf")
    return max(ratio, 1 / ratio) - 1 if ratio > 0 else float("inf")


def find(values, least=LEAST_CHANGE):
    """The change points of a whole series without holes, in order.

    What a window proposed has to hold between its neighbours too; the weakest goes first, since
    without it the others have more nights to stand on.
    """
    values = numpy.asarray(values, dtype=float)
    places = candidates(values)
    while places:
        edges = [0, *places, len(values)]
        points = [judged(values, at, begin, end)
                  for begin, at, end in zip(edges, edges[1:], edges[2:])]
        failed = [point for point in points if point.p >= P_MOST or size(point) < least]
        if not failed:
            return points
        places.remove(max(failed, key=lambda point: (point.p, -size(point))).at)
    return []


def in_newest(values, least=LEAST_CHANGE):
    """The change points of the newest window, with their places in the whole series."""
    begin, window = newest_window(values)
    return [dataclasses.replace(point, at=point.at + begin) for point in find(window, least)]


def not_in(points, earlier):
    """Those that were not seen before: as nights are added, the place of one may move a little."""
    return [point for point in points
            if all(abs(point.at - other.at) > POINTS_LEAST for other in earlier)]


def is_new(values, least=LEAST_CHANGE):
    """The change points of the newest window that were not seen the night before."""
    return not_in(in_newest(values, least), in_newest(values[:-1], least))


def near(at, count):
    """(begin, end) of the nights whose pairs have a say; that of the first one is about another
    environment."""
    return max(1, at - NEAR), min(count, at + NEAR)


def is_of_code(ratio, pairs, clone_change):
    """Does what the programs of these nights said side by side, chained, make up half of the step,
    and so for their clones? If not, the machine moved, or the floor, or the layout; `pairs`: their
    ratios, `clone_change`: how clone / subject changed meanwhile."""
    step, chained = numpy.log(ratio), numpy.log(pairs).sum()
    return bool(min(chained / step, (chained + numpy.log(clone_change)) / step) >= 0.5)
