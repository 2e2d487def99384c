"""When a year of nights raises an alarm: our rule, and the plain rules that others use. Each takes
figures as [series, night, repetition] and gives, as [series, night], the night that an alarm
blames, or NONE.

The rules of others are written anew from what their sources do (of asv: only the newest step of at
most one in 50 nights), and all of them look for what became slower.
"""

import math

import numpy
import scipy.stats

from threadref_lab.simulation import noise
from threadref_lab.stats import change_points, intervals

NONE = -1
BACK = 30  # nights that conbench's and rustc-perf's rules look back
ASV_LEAST, ASV_NIGHTS = 1.05, 2


def before(values):
    """The night before; nothing can be said of the first."""
    return numpy.concatenate([numpy.full_like(values[:, :1], numpy.nan), values[:, :-1]], axis=1)


def blaming_itself(alarms):
    return numpy.where(alarms, numpy.arange(alarms.shape[1]), NONE)


def times_previous(limit):
    def rule(samples):
        middle = numpy.median(samples, axis=-1)
        return blaming_itself(middle > limit * before(middle))
    return rule


def differs(samples):
    """Mann-Whitney's two-sided p < 0.05 of the repetitions of two nights, and slower."""
    alarms = numpy.zeros(samples.shape[:2], bool)
    p = scipy.stats.mannwhitneyu(samples[:, 1:], samples[:, :-1], axis=-1,
                                 method="asymptotic").pvalue
    middle = numpy.median(samples, axis=-1)
    alarms[:, 1:] = (p < .05) & (middle[:, 1:] > middle[:, :-1])
    return alarms


def mann_whitney(samples):
    return blaming_itself(differs(samples))


def lnt(samples):
    """The minima differ by more than 1 % and 2.576 standard deviations, and Mann-Whitney agrees."""
    least = samples.min(axis=-1)
    change = least - before(least)
    return blaming_itself(differs(samples) & (change > .01 * before(least))
                          & (change > 2.576 * before(samples.std(axis=-1, ddof=1))))


def windows(values, length):
    """[series, night, length]: the nights before each from night `length` on."""
    return numpy.lib.stride_tricks.sliding_window_view(values, length, axis=1)[:, :-1]


def far_from_mean(samples):
    """More than five standard deviations above the mean of 30 nights, as conbench."""
    middle = numpy.median(samples, axis=-1)
    past = windows(middle, BACK)
    alarms = numpy.zeros(middle.shape, bool)
    alarms[:, BACK:] = (middle[:, BACK:] - past.mean(axis=-1)) > 5 * past.std(axis=-1, ddof=1)
    return blaming_itself(alarms)


def beyond_fence(samples):
    """A change above the third quartile of the last 30 by three interquartile ranges, as
    rustc-perf."""
    middle = numpy.median(samples, axis=-1)
    changes = middle[:, 1:] / middle[:, :-1] - 1
    past = windows(changes, BACK)
    low, high = numpy.quantile(past, (.25, .75), axis=-1)
    alarms = numpy.zeros(middle.shape, bool)
    alarms[:, BACK + 1:] = changes[:, BACK:] > high + 3 * (high - low)
    return blaming_itself(alarms)


def absolute_error(values):
    """Of the last axis, around its median."""
    return numpy.abs(values - numpy.median(values, axis=-1, keepdims=True)).sum(axis=-1)


def asv_steps(samples):
    """The best step, in the least absolute error, that pays for itself: asv's price of a step is
    4 log(n) / n of the logarithm of the error."""
    middle = numpy.median(samples, axis=-1)
    alarms = numpy.zeros(middle.shape, bool)
    up = numpy.zeros(len(middle), bool)
    for night in range(2 * ASV_NIGHTS, middle.shape[1]):
        window = middle[:, max(0, night + 1 - change_points.WINDOW):night + 1]
        count = window.shape[1]
        splits = range(ASV_NIGHTS, count - ASV_NIGHTS + 1)
        errors = numpy.array([absolute_error(window[:, :at]) + absolute_error(window[:, at:])
                              for at in splits])
        best = errors.argmin(axis=0)
        gain = numpy.log(absolute_error(window) / errors.min(axis=0))
        after = numpy.array([numpy.median(row[splits[at]:]) / numpy.median(row[:splits[at]])
                             for row, at in zip(window, best)])
        now = (gain > 4 * math.log(count) / count) & (after > ASV_LEAST)
        alarms[:, night] = now & ~up
        up = now
    return blaming_itself(alarms)


# ----------------------------------------------------------------------------- change points


def may_change(values):
    """Of the last axis, of each series: could there be a change point in it at all? Exact: without
    a first split there is no other, and no step is larger than all there is between two nights."""
    low, high = values.min(axis=-1), values.max(axis=-1)
    at = change_points.best_split(values)[:, None]
    count = values.shape[-1]
    left = numpy.arange(count) < at
    n, m = left.sum(axis=-1), (~left).sum(axis=-1)
    mean = (values * left).sum(axis=-1) / n, (values * ~left).sum(axis=-1) / m
    squares = (((values - numpy.where(left, mean[0][:, None], mean[1][:, None])) ** 2)
               .sum(axis=-1))
    t = numpy.abs(mean[0] - mean[1]) / numpy.sqrt(squares / (count - 2) * (1 / n + 1 / m))
    p = 2 * scipy.stats.t.sf(t, count - 2) * (count - 2 * change_points.POINTS_LEAST + 1)
    return (high >= low * (1 + change_points.LEAST_CHANGE)) & (p < change_points.P_MOST)


def trend_alarms(figures, groups, least, year=None):
    """What is new at the end of each night's window, for the worse; `groups`: lists of nights that
    belong together, in order; `least`: [series, night]; `year`: whose pairs and clones count."""
    pairs = None if year is None else numpy.median(year.pair, axis=-1)
    blamed = numpy.full(figures.shape, NONE)
    for group in groups:
        earlier = [[] for _ in figures]
        for number in range(2 * change_points.POINTS_LEAST, len(group) + 1):
            nights = group[:number]
            _, recent = change_points.newest_window(nights)
            may = may_change(figures[:, recent])
            for series, row in enumerate(figures):
                points = (change_points.in_newest(row[nights], least[series, nights[-1]])
                          if may[series] else [])
                new = change_points.not_in(points, earlier[series])
                worse = [nights[point.at] for point in new if point.ratio > 1 and
                         (pairs is None or of_code(point, pairs[series, nights],
                                                   year.clone[series, nights]))]
                blamed[series, nights[-1]] = max(worse, default=NONE)
                earlier[series] = points
    return blamed


def of_code(point, pairs, clone):
    begin, end = change_points.near(point.at, len(pairs))
    return change_points.is_of_code(point.ratio, pairs[begin:end],
                                    clone[end - 1] / clone[begin - 1])


def otava(samples):
    """Change points over all nights as they come."""
    figures = numpy.median(samples, axis=-1)
    return trend_alarms(figures, [numpy.arange(figures.shape[1])],
                        numpy.full(figures.shape, change_points.LEAST_CHANGE))


# ----------------------------------------------------------------------------- our rule


def paired_gate(year):
    """The whole 99.9 % interval above 2 %, and above what the clones of both programs differ by;
    and a second run says so too."""
    cut = intervals.rank_below(year.pair.shape[-1])
    spread = abs(year.clone - 1)
    limit = 1 + numpy.maximum(intervals.LEAST_CHANGE,
                              numpy.maximum(spread, numpy.nan_to_num(before(spread))))
    return (year.usable & (numpy.sort(year.pair, axis=-1)[..., cut] > limit)
            & (numpy.sort(year.again, axis=-1)[..., cut] > limit))


def shared_by_clones(year):
    """Is the change beyond 2 % in the other layout too?"""
    older = year.clone[:, noise.last_usable_before(year.usable)]
    return numpy.median(year.pair, axis=-1) * year.clone / older > 1 + intervals.LEAST_CHANGE


def our_trend(year):
    """Change points of the ratios of usable nights, within one environment, unless the pairs of the
    nights around, or the clones, say that it was not the code."""
    nights = numpy.flatnonzero(year.usable)
    groups = [nights[year.environment[nights] == value]
              for value in numpy.unique(year.environment[nights])]
    known = numpy.maximum.accumulate(abs(year.clone - 1), axis=1)
    return trend_alarms(numpy.median(year.ratio, axis=-1), groups,
                        numpy.maximum(change_points.LEAST_CHANGE, known), year)


def not_seen_by(gate, trend):
    """The trend's findings without changes that the gate has already reported."""
    left = trend.copy()
    for series, night in zip(*numpy.nonzero(trend != NONE)):
        alarms = numpy.flatnonzero(gate[series, :night + 1] != NONE)
        if (abs(alarms - trend[series, night]) <= change_points.POINTS_LEAST).any():
            left[series, night] = NONE
    return left


def ours(year):
    """{name: alarms}: both together, each alone, and the gate without its look at the clones."""
    plain, trend = paired_gate(year), our_trend(year)
    gate = blaming_itself(plain & shared_by_clones(year))
    both = numpy.where(gate != NONE, gate, not_seen_by(gate, trend))
    return {"**ours: paired gate and change points**": both,
            "ours, the paired gate alone": gate,
            "ours, change points alone": trend,
            "the paired gate without a look at the clones": blaming_itself(plain)}


# What is compared, as the table names it; those of others are tried on times and on ratios.
OTHERS = {"previous night x 1.5 (github-action-benchmark)": times_previous(1.5),
          "previous night x 1.05": times_previous(1.05),
          "Mann-Whitney p < 0.05 against the previous night": mann_whitney,
          "LNT's: Mann-Whitney, 2.576 standard deviations, 1 %": lnt,
          "z > 5 over 30 nights (conbench)": far_from_mean,
          "fence of 3 IQR over 30 changes (rustc-perf)": beyond_fence,
          "steps of 5 % (asv, one step)": asv_steps,
          "change points as ours, of all nights (as Otava)": otava}
