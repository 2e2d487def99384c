"""What changed, since when, how sure that is, and which command shows it again.

usage: scripts/lab detect [--results DIR] [--machine NAME] [--all] [--json]

Reads a machine's usable nights and finds: what the paired gate confirmed; change points of the
ratios to the floors (E-divisive with a t-test, p < 0.001, at least 3 % and at least the difference
between the clones of that subject), within one environment, unless the pairs of the nights around
it show that the code is not the cause; instructions; forbidden outcomes, sanitizer reports, missed
targets and broken guarantees. Improvements too. A line of series, commit and reason in
results/notes.jsonl acknowledges a change. Prints what the newest night of each machine brought to
light.

  --results DIR   the store; default: results/ of this repository
  --machine NAME  only this machine
  --all           all changes, newest first, not only those of the newest night
  --json          JSON lines
  --help          this text

exit status: 0 nothing is worse · 1 wrong use · 2 a confirmed regression, a change point for the
             worse or a forbidden outcome · 3 the newest night of a machine is not usable
"""

import collections
import json
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, UNUSABLE
from threadref_lab.regressions import changes as change_list, layouts, notes as note_list
from threadref_lab.stats import change_points, intervals
from threadref_lab.store import nights as night_list

NAMED_MOST = 3  # changes in the verdict's sentence


def ratios(segment, name):
    """(nights that have it, their ratios)"""
    have = [night for night in segment if night.bench.get(name, {}).get("ratio") is not None]
    return have, [night.bench[name]["ratio"] for night in have]


def spread_interval(before, after):
    """Of after / before, the worst of both 99.9 % intervals; too few nights give none."""
    low_before, _, high_before = intervals.interval(before)
    low, _, high = intervals.interval(after)
    if low_before == 0 or low == 0:
        return None, None
    return low / high_before, high / low_before


def trend_change(name, have, values, point, edges):
    begin, end = edges
    low, high = spread_interval(values[begin:point.at], values[point.at:end])
    first, older = have[point.at], have[point.at - 1]
    slower = point.ratio > 1
    return change_list.Change(
        first.machine, name, "regression" if slower else "improvement",
        f"{name} has been {change_list.percent(point.ratio)} {'slower' if slower else 'faster'} "
        "since, beside its floor", f"change point, p = {point.p:.1g}", first.at,
        older.commit, first.commit, change_list.bisect(name), point.ratio, low, high, bad=slower)


def chained(have, name, at):
    """The pairs' ratios of the usable nights around a change point; None where one is missing. Two
    nights of one commit need none."""
    found = []
    for place in range(*change_points.near(at, len(have))):
        night = have[place]
        line = next((line for line in night.lines("pair") if line["series"] == name), None)
        if line:
            found.append(line["ratio"])
        elif have[place - 1].commit != night.commit:
            return None
    return found


class Trends:
    """The change points of all judged series of one machine, each segment for itself."""

    def __init__(self, nights):
        self.points = {}   # name: [(place among the runs, ChangePoint, is it of the code?)]
        self.changes = []
        self.clones, segments = layouts.Clones(nights), night_list.segments(nights)
        for name in night_list.judged_series(nights):
            least = max(change_points.LEAST_CHANGE, self.clones.spread(name))
            for segment in segments:
                self._take(name, segment, least, segment is segments[-1])

    def _take(self, name, segment, least, newest):
        have, values = ratios(segment, name)
        points = change_points.find(values, least)
        edges = [0, *(point.at for point in points), len(values)]
        new = {point.at for point in change_points.is_new(values, least)} if (
            newest and have and have[-1] is segment[-1]) else set()
        for number, point in enumerate(points):
            of_code = self._is_of_code(name, have, point)
            self.points.setdefault(name, []).append((have[point.at].at, point, of_code))
            if not of_code:
                continue  # drawn, with its cause, but not a regression
            change = trend_change(name, have, values, point, (edges[number], edges[number + 2]))
            change.tonight = any(abs(point.at - at) <= change_points.POINTS_LEAST for at in new)
            self.changes.append(change)

    def _is_of_code(self, name, have, point):
        pairs = chained(have, name, point.at)
        begin, end = change_points.near(point.at, len(have))
        return pairs is None or change_points.is_of_code(
            point.ratio, pairs, self.clones.change(name, have[begin - 1].at, have[end - 1].at))


def look_at_other_layout(paired, nights, clones):
    """A change that the clones do not share comes from the layout: listed, but not a regression."""
    for change in paired:
        earlier = [night.at for night in nights[:change.since_run] if night.usable]
        other = change.ratio * clones.change(change.series, earlier[-1] if earlier else -1,
                                             change.since_run)
        least = intervals.LEAST_CHANGE
        if not (other > 1 + least if change.ratio > 1 else other < 1 / (1 + least)):
            change.certainty += f"; but {other:.2f} in the clones' layout: an accident of layout"
            change.layout = True


def merged(paired, trends):
    """One change that both saw is one change, with both certainties; the pair dates it."""
    found, left = list(paired), []
    for trend in trends:
        twin = next((change for change in found if change.series == trend.series
                     and change.bad == trend.bad
                     and abs(change.since_run - trend.since_run) <= change_points.POINTS_LEAST),
                    None)
        if twin is None:
            left.append(trend)
        elif "change point" not in twin.certainty:
            twin.certainty += f"; {trend.certainty}"
    return found + left


class Machine:
    """All that is known of one machine's nights: its changes, newest first, and change points."""

    def __init__(self, name, nights, notes):
        self.name, self.nights = name, nights
        self.last, self.last_usable = nights[-1], night_list.last_usable(nights)
        trends = Trends(nights)
        self.points = trends.points
        paired = list(change_list.paired(nights))
        counted = list(change_list.counted(night_list.segments(nights)))
        look_at_other_layout(paired, nights, trends.clones)
        for change in [*paired, *counted]:
            change.tonight = (self.last_usable is self.last and change.since_run == self.last.at
                              and not change.layout)
        for change in trends.changes:
            change.tonight = change.tonight and self.last_usable is self.last
        self.changes = [*merged(paired, trends.changes), *counted, *change_list.turned(nights)]
        change_list.acknowledge(self.changes, notes)
        self.changes.sort(key=lambda change: (-change.since_run, not change.bad, change.series))

    def tonight(self):
        return [change for change in self.changes if change.tonight]

    def found(self):
        """What the newest night saw: its changes, and accidents of layout, which no code caused."""
        return [change for change in self.changes if change.tonight
                or change.layout and change.since_run == self.last.at]


def load(results, only=None):
    """([Machine], problems)"""
    notes, problems = note_list.read(results)
    stored, more = night_list.load(results)
    if only:
        stored = {only: night_list.of_machine(stored, only, results)}
    return [Machine(name, nights, notes) for name, nights in stored.items()], problems + more


# ----------------------------------------------------------------------------- words


def figure(change):
    if change.ratio is None:
        return change.sentence
    interval = f" [{change.low:.3f}, {change.high:.3f}]" if change.low and change.high else ""
    return f"{change.series} {change.ratio:.3f}{interval}"


def kinds_of_news():
    """(what counts, its word, does it make the night bad), the worst first."""
    def certain(change):
        return not change.certainty.startswith("change point")
    return [
        (lambda c: c.kind == "regression" and certain(c), "confirmed regression", True),
        (lambda c: c.kind == "forbidden", "forbidden outcome", True),
        (lambda c: c.kind == "guarantee", "broken guarantee", True),
        (lambda c: c.kind == "sanitizer", "leg with sanitizer reports", True),
        (lambda c: c.kind == "target", "missed target", True),
        (lambda c: c.kind == "regression" and not certain(c), "regression by trend", True),
        (lambda c: c.kind == "improvement", "improvement", False)]


def plural(count, words):
    head, _, tail = words.partition(" with ")
    many = words if count == 1 else f"{head}s with {tail}" if tail else f"{words}s"
    return f"{count} {many}"


def said_of(found, words):
    """ "1 confirmed regression on m1: finalize/… 1.050 [1.043, 1.057] since abc1234." """
    machines = ", ".join(dict.fromkeys(change.machine for change in found))
    named = [f"{figure(change)} since {change.to_commit}" for change in found[:NAMED_MOST]]
    more = f"; and {len(found) - NAMED_MOST} more" if len(found) > NAMED_MOST else ""
    return f"{plural(len(found), words)} on {machines}: {'; '.join(named)}{more}."


def said_of_run(machine):
    """A sentence where the newest run itself went wrong, beyond what its changes say."""
    covered = any(change.kind in change_list.STATES for change in machine.tonight())
    head = machine.last.head
    why = f": {head['problems'][0].rstrip('.?')}" if head["problems"] else ""
    if not machine.last.usable:
        harmless = head["quick"] and not head["status"]
        word = "was a quick one and judges nothing" if harmless else "is not usable"
        return f"The last night of {machine.name} {word}{why}."
    if head["status"] and not (head["status"] == FORBIDDEN and covered):
        return f"The last night of {machine.name} ended with status {head['status']}{why}."
    return ""


def compared(machine):
    """What the pairs of the newest night came to; "" where none were asked for."""
    night, against = machine.last, machine.last.head.get("compared_with", {})
    if "commit" not in against:
        return f", and nothing was compared: {against['why']}" if against else ""
    lines = night.lines("pair")
    news = {change.series for change in machine.tonight()}
    doubts = collections.Counter(
        "undecided" if line["verdict"] == "undecided" else "an accident of layout"
        if line["confirmed"] else "not found again" for line in lines
        if line["verdict"] != "same" and line["series"] not in news)
    for_certain = " for certain: " * bool(doubts) + ", ".join(
        f"{count} {words}" for words, count in doubts.items())
    return (f" since {against['commit']}: {plural(len(lines), 'pair')} of series, none "
            f"{'else ' if news else ''}slower or faster{for_certain}")


def said_of_nothing(machines, known):
    nothing = f"Nothing {'else ' if known else ''}changed"
    if len(machines) > 1:
        return f"{nothing} in the last night of {len(machines)} machines."
    words = compared(machines[0])
    if words.startswith(" since"):
        return f"{nothing}{words}."
    return (f"All is well in the last night of {machines[0].name}{words}." if words else
            f"{nothing} in the last night of {machines[0].name}.")


def verdict(machines):
    """{"status": 0, 2 or 3, "sentence": …} of the newest night of each machine."""
    if not machines:
        return {"status": UNUSABLE, "sentence": "No night is stored."}
    news = [change for machine in machines for change in machine.tonight()]
    open_news = [change for change in news if not change.acknowledged]
    said, status = [], FINE
    for counts, words, bad in kinds_of_news():
        found = [change for change in open_news if counts(change)]
        if found:
            said.append(said_of(found, words))
            status = FORBIDDEN if bad else status
    for machine in machines:
        sentence = said_of_run(machine)
        if sentence:
            said.append(sentence)
            quick = machine.last.head["quick"] and not machine.last.head["status"]
            failed = FORBIDDEN if machine.last.head["status"] == FORBIDDEN else UNUSABLE
            status = status or (FINE if quick else failed)
    known = len(news) - len(open_news)
    if not said:
        said.append(said_of_nothing(machines, known))
    if known:
        said.append(f"{plural(known, 'acknowledged change')}.")
    return {"status": status, "sentence": " ".join(said)}


def work(options):
    machines, problems = load(options.results, options.machine)
    for problem in problems:
        print(f"lab detect: {problem}", file=sys.stderr)
    for machine in machines:
        for change in machine.changes if options.all else machine.found():
            since = machine.nights[change.since_run].head["started"][:10]
            print(json.dumps(change.document()) if options.json else
                  "\n".join(change_list.report(change, f"{machine.name} {since} ")))
    said = verdict(machines)
    print(json.dumps(said) if options.json else said["sentence"])
    return said["status"]


def main(arguments):
    parser = Parser("lab detect", __doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--machine")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", action="store_true")
    return run(parser, work, arguments)
