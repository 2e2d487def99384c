"""The noise of a simulated year: what a night of one machine measures when the code does not
change, and when it becomes slower.

Measured, on the project's two-processor machine, and used as it is:

* by how much the figure of one process differs from that of the next, as a coefficient of variation
  of the median (and, for the rule that uses it, the minimum) of 20 repetitions: PROCESSES below;
* the same of a ratio to something unlike it, measured in turns in one process: TO_FLOOR;
* the same of two programs started in turns 30 times, ABBA: TWO_PROGRAMS, from which the spread of
  one such pair of starts follows, since a median of n normal values has 1.2533 / sqrt(n) of it;
* what two copies of one code differ by: every row of the controls' table in
  bench/docs/pairs.md, drawn again with replacement.

Assumed, because it was not measured: that nights are independent but for a drift that makes up half
of the variance; how often a night is disturbed or not usable, the environment changes, and a build
moves everything; and the shapes, a t distribution with four degrees of freedom for the outliers
and two modes for what may start on the same processor or on another.
"""

import dataclasses
import re

import numpy

from threadref_lab.cli.checkout import ROOT

CONTROLS = ROOT / "bench/docs/pairs.md"
PINNED, LIGHT, HEAVY = "pinned", "light", "heavy"
CONDITIONS = (PINNED, LIGHT, HEAVY)
# {operation: {condition: (median of 20, minimum of 20)}}
PROCESSES = {
    "create_join": {LIGHT: (.130, .188), HEAVY: (.403, .295), PINNED: (.028, .018)},
    "register_exit": {LIGHT: (.200, .017), HEAVY: (.920, .232), PINNED: (.024, .021)},
    "atomic_add": {LIGHT: (.015, .015), HEAVY: (.715, .715), PINNED: (.017, .017)}}
TO_FLOOR = {"create_join": {LIGHT: .205, HEAVY: .275, PINNED: .012},
            "register_exit": {LIGHT: .062, HEAVY: .049, PINNED: .0035},
            "atomic_add": {LIGHT: .062, HEAVY: .049, PINNED: .0035}}
# Of heavy load nobody measured two programs; a ratio in one process was twice that of light load.
TWO_PROGRAMS = {LIGHT: .0059, HEAVY: .0118, PINNED: .0017}
TWO_PROGRAMS_STARTS = 30
WITHIN = .035  # between repetitions of one process, create and join under light load

CONTROL = .002  # a function beside itself: most rows of the controls' table are within 0.2 %

REPETITIONS, STARTS = 20, 20
DRIFT_SHARE, DRIFT_KEPT = .5, .9  # of the variance; what one night passes on to the next
DISTURBED, DISTURBED_BY = .03, 4  # share of nights; how much noisier such a night is
SEEN_AS_DISTURBED = .7            # by the controls: then the night is not usable
ENVIRONMENTS_A_YEAR, ENVIRONMENT_MOVES, ENVIRONMENT_MOVES_RATIO = 2, .10, .05
RELAYOUTS_A_YEAR = 6              # commits after which other code lies elsewhere
COMMITS_A_NIGHT = .4
SLOW_MODE, SLOW_SHARE = 1.4, .15
STEP = 1.05


@dataclasses.dataclass
class Year:
    """What one machine measured; arrays are [series, night] or [series, night, repetition]."""
    condition: str
    usable: numpy.ndarray       # [night]
    environment: numpy.ndarray  # [night] how many changes there have been
    commit: numpy.ndarray       # [night] how many commits there have been
    step_at: numpy.ndarray      # [series] the first night that is slower; beyond the year: none
    clone: numpy.ndarray        # [series, night] time of the clone / time, as the controls say
    moved: numpy.ndarray        # [night] does the layout differ from that of the night before
    ns: numpy.ndarray           # with repetitions
    ratio: numpy.ndarray        # with repetitions
    pair: numpy.ndarray         # [series, night, start]: today's program beside the last usable one
    again: numpy.ndarray        # the second run of the same


def clone_spreads():
    """The column "clone: spread" of the controls' table, as shares."""
    text = CONTROLS.read_text(encoding="utf-8")
    found = re.findall(r"^\|[^|]+\|[^|]+\|[^|]+\|[^|]+\| ([\d.]+) % \|", text, re.M)
    return numpy.array([float(number) / 100 for number in found])


def outlying(random, shape):
    """Four degrees of freedom, scaled to a variance of one."""
    return random.standard_t(4, shape) / numpy.sqrt(2)


def drifting(random, series, nights):
    """Between nights, a variance of one: half comes and goes slowly, half is new every night."""
    slow = numpy.empty((series, nights))
    slow[:, 0] = random.standard_normal(series)
    fresh = numpy.sqrt(1 - DRIFT_KEPT ** 2) * random.standard_normal((series, nights))
    for night in range(1, nights):
        slow[:, night] = DRIFT_KEPT * slow[:, night - 1] + fresh[:, night]
    return (numpy.sqrt(DRIFT_SHARE) * slow
            + numpy.sqrt(1 - DRIFT_SHARE) * outlying(random, (series, nights)))


def last_usable_before(usable):
    """Of each night, the place of the usable one before it; -1: none."""
    places = numpy.where(usable, numpy.arange(len(usable)), -1)
    return numpy.concatenate([[-1], numpy.maximum.accumulate(places)[:-1]])


def levels(random, series, nights, spread):
    """(what the code itself does to the time, the same of its clone, nights on which the layout
    moved, where steps are)"""
    moved = random.random(nights) < RELAYOUTS_A_YEAR / 365
    moved[0] = False
    # Two layouts differ by what two copies differ by: each is half of that variance.
    drawn = spread[:, None] * random.standard_normal((2, series, nights)) / numpy.sqrt(2)
    layout, clone_layout = drawn[:, :, moved.cumsum()]
    # Half of the series get slower once, with room before and behind.
    step_at = random.integers(min(60, nights // 3), max(nights - 30, nights // 3 + 1), series)
    step_at[random.permutation(series)[: series // 2]] = 2 * nights
    step = numpy.where(numpy.arange(nights) >= step_at[:, None], numpy.log(STEP), 0.0)
    return step + layout, step + clone_layout, moved, step_at


def year(seed, machine, series, nights):
    """The year of the machine-th machine: pinned, light load, heavy load, and so on in turns."""
    random = numpy.random.default_rng([seed, machine])
    condition = CONDITIONS[machine % len(CONDITIONS)]
    operations = [list(PROCESSES)[number % len(PROCESSES)] for number in range(series)]
    spread = random.choice(clone_spreads(), series)
    level, clone_level, moved, step_at = levels(random, series, nights, spread)
    environment = (random.random(nights) < ENVIRONMENTS_A_YEAR / 365).cumsum()
    moves = random.standard_normal((2, series, nights + 1))[:, :, environment]
    disturbed = random.random(nights) < DISTURBED
    usable = ~(disturbed & (random.random(nights) < SEEN_AS_DISTURBED))
    louder = numpy.where(disturbed, DISTURBED_BY, 1)
    commit = ((random.random(nights) < COMMITS_A_NIGHT) | moved
              | numpy.isin(numpy.arange(nights), step_at)).cumsum()

    process = numpy.array([PROCESSES[name][condition][0] for name in operations])[:, None]
    floor = numpy.array([TO_FLOOR[name][condition] for name in operations])[:, None]
    repeated = WITHIN * (process / .13).clip(.1, 1)[..., None] * outlying(
        random, (series, nights, REPETITIONS))
    if condition != PINNED:  # pinned, there is no other processor to start on
        repeated += numpy.log(SLOW_MODE) * (random.random(repeated.shape) < SLOW_SHARE)
    log_ns = (level + ENVIRONMENT_MOVES * moves[0]
              + process * louder * drifting(random, series, nights))
    log_ratio = (level + ENVIRONMENT_MOVES_RATIO * moves[1]
                 + floor * louder * drifting(random, series, nights))
    base = random.uniform(3, 300, series)[:, None, None]
    paired = floor[..., None] * outlying(random, repeated.shape)
    return Year(condition, usable, environment, commit, step_at,
                numpy.exp(clone_level - level + CONTROL * outlying(random, level.shape)), moved,
                base * numpy.exp(log_ns[..., None] + repeated),
                1.5 * numpy.exp(log_ratio[..., None] + paired),
                *(pairs(random, condition, level, usable, louder) for _ in range(2)))


def pairs(random, condition, level, usable, louder):
    """Today's program beside that of the last usable night, start by start."""
    start = TWO_PROGRAMS[condition] * numpy.sqrt(TWO_PROGRAMS_STARTS) / 1.2533
    before = last_usable_before(usable)
    true = numpy.where(before >= 0, level - level[:, before], 0.0)
    shape = (*level.shape, STARTS)
    return numpy.exp(true[..., None] + start * louder[:, None] * outlying(random, shape))
