"""A simulated year of nights, by seed: how often would our rule and simpler common rules raise a
false alarm, and which steps of +5 % would they find within seven nights?

usage: scripts/lab simulate [--seed N] [--nights N] [--machines N] [--series N] [--out DIR]
                            [--table] [--check]

Prints the table. noise.py, beside this file, says which noise was measured and which is assumed.

  --seed N      default 1; the same seed gives the same year
  --nights N    default 365, at least 60
  --machines N  default 4: pinned, unpinned under light load, under heavy load, pinned again, ...
  --series N    default 60, at least 2; half of them become 5 % slower once
  --out DIR     writes the nights into DIR as a store of results, machines called sim-..., instead
                of judging them
  --table       also writes the table into results/docs/detection_study.md
  --check       only checks that the table in results/docs/detection_study.md was made with these
                options and this text
  --help        this text

exit status: 0 fine · 1 wrong use · 2 --check: the table was made with other ones · 3 something
             could not be written or read
"""

import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run, whole_number
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE
from threadref_lab.docs.block import Block
from threadref_lab.regressions import alarm_rules
from threadref_lab.simulation import nights, noise
from threadref_lab.stats import change_points

PAGE = Path("results/docs/detection_study.md")
BLOCK = Block("false alarms", "simulate --table")
FOUND_WITHIN, OF_THE_STEP = 7, 30  # nights; later alarms about a step are late, not false
DAYS, SERIES = 365, 60             # a machine-year
COLUMNS = ("rule", *(f"{kind}, {condition}" for kind in ("times", "ratios")
                     for condition in noise.CONDITIONS))


class Tally:
    """Of one rule under one condition, over the machines that have it."""

    def __init__(self):
        self.false = self.layout = self.nights = self.found = self.steps = 0

    def add(self, year, blamed):
        """Alarms by what they blame: nothing, an accident of layout, or the step."""
        series, nights = blamed.shape
        night = range(nights)
        since = [[at - step for at in night] for step in year.step_at]
        moved = [at for at in night if year.moved[at]]
        for row, places in enumerate(blamed):
            found = False
            for at in night:
                of_the_step = 0 <= since[row][at] < OF_THE_STEP
                self.nights += not of_the_step
                if places[at] == alarm_rules.NONE:
                    continue
                of_the_step |= abs(places[at] - year.step_at[row]) <= change_points.NEAR
                found = found or 0 <= since[row][at] < FOUND_WITHIN
                by_layout = any(abs(places[at] - other) <= change_points.NEAR for other in moved)
                self.layout += by_layout and not of_the_step
                self.false += not by_layout and not of_the_step
            stepped = year.step_at[row] < nights
            self.steps += stepped
            self.found += found and stepped
        return self

    def cell(self):
        scale = DAYS * SERIES / self.nights
        share = f"{self.found / self.steps:.0%}" if self.steps else "no step"
        return f"{amount(self.false * scale)} + {amount(self.layout * scale)} → {share}"


def amount(number):
    return f"{number:.1f}" if number < 10 else f"{number:,.0f}"


def judge(years):
    """{rule: {column: Tally}}"""
    table = {}
    for year in years:
        # A rule of ours is one of pairs and ratios.
        for name, blamed in alarm_rules.ours(year).items():
            column = f"ratios, {year.condition}"
            table.setdefault(name, {}).setdefault(column, Tally()).add(year, blamed)
        for name, rule in alarm_rules.OTHERS.items():
            for kind, samples in (("times", year.ns), ("ratios", year.ratio)):
                column = f"{kind}, {year.condition}"
                table.setdefault(name, {}).setdefault(column, Tally()).add(year, rule(samples))
    return table


def as_markdown(table):
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for rule, found in table.items():
        cells = [found[column].cell() if column in found else "–" for column in COLUMNS[1:]]
        lines.append(f"| {' | '.join([rule, *cells])} |")
    return "\n".join(lines)


def command(options):
    return (f"scripts/lab simulate --seed {options.seed} --nights {options.nights} "
            f"--machines {options.machines} --series {options.series} --table")


def text_around(options, markdown):
    """What stands between the markers."""
    return f"""By `{command(options)}`. In each cell: alarms in a machine-year of {SERIES} series
without any change of the program's time, plus those that blame an accident of layout (see below),
then the share of steps of +5 % that were found within {FOUND_WITHIN} nights.

{markdown}

* pinned: what `nightly.sh` does. light, heavy: unpinned, under light and heavy load.
* times: nanoseconds as they are; ratios: to the floor, in turns in one process.
* A layout moves when other code is linked elsewhere: {noise.RELAYOUTS_A_YEAR} nights a year here,
  an assumption. The time of the row does change then, and a second run finds it again, but nobody
  made the code slower. By how much is drawn from the clone spreads of the controls' table. Our rule
  asks the clones, which lie elsewhere, whether they share it; the last row of ours does not.
* The noise between processes is drawn from distributions with measured spreads, not from measured
  nights: heavy-tailed, half of its variance as drift over about ten nights. Real nights depend on
  each other in more ways, so that this is optimistic for every rule, most for those that look back.
  Disturbed nights ({noise.DISTURBED:.0%}), unusable ones and changes of the environment
  ({noise.ENVIRONMENTS_A_YEAR} a year) are assumptions; only our rule knows of the latter two.
* The gate has {noise.STARTS} starts here. `lab compare` takes up to four times as many of what
  looks changed, which finds more, and is not played: a verdict still needs two independent runs."""


def prose(text):
    """Without the figures, which take minutes to make again."""
    return [line for line in text.strip().splitlines() if line and not line.startswith("|")]


def check(options):
    page = options.root / PAGE
    as_made = prose(BLOCK.within(page)) == prose(text_around(options, ""))
    return BLOCK.report(page, [] if as_made else ["it was made with other options or another text"],
                        command(options))


def work(options):
    if options.check:
        return check(options)
    years = (noise.year(options.seed, machine, options.series, options.nights)
             for machine in range(options.machines))
    if options.out:
        print(nights.write(options.out, years))
        return FINE
    markdown = as_markdown(judge(years))
    print(markdown)
    if options.table:
        BLOCK.write(options.root / PAGE, text_around(options, markdown))
    return FINE


def main(arguments):
    parser = Parser("lab simulate", __doc__)
    parser.add_argument("--seed", type=whole_number(0), default=1)
    parser.add_argument("--nights", type=whole_number(60), default=365)
    parser.add_argument("--machines", type=whole_number(1), default=4)
    parser.add_argument("--series", type=whole_number(2), default=60)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--check", action="store_true")
    return run(parser, work, arguments)
