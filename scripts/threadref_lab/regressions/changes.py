"""One change: what it is, how certain, since when, and which command shows it again. Also the
changes that need no statistics, because a state has turned."""

import dataclasses
import shlex

from threadref_lab.cli.checkout import ROOT
from threadref_lab.regressions import commits, notes as note_list
from threadref_lab.stats import intervals
from threadref_lab.store import rows

INSTRUCTIONS_LEAST = 0.005
MEASURED = ("regression", "improvement")
# Kinds whose state is bad until it turns: these cannot be acknowledged.
STATES = ("forbidden", "guarantee", "sanitizer", "target")


@dataclasses.dataclass
class Change:
    """With the keys that the dashboard reads; `since_run` is a place among the machine's runs."""
    machine: str
    series: str
    kind: str
    sentence: str
    certainty: str
    since_run: int
    from_commit: str
    to_commit: str
    command: str
    ratio: float = None
    low: float = None
    high: float = None
    acknowledged: str = None
    tonight: bool = False  # the newest night brought it to light, or is still in that state
    bad: bool = True
    layout: bool = False   # the clones do not share it

    def document(self):
        found = dataclasses.asdict(self)
        del found["bad"], found["layout"]
        return found

    def stored(self):
        """As the head of its night stores it; the head itself says which run that is."""
        found = self.document()
        del found["machine"], found["since_run"], found["tonight"]
        return found


def acknowledge(changes, notes):
    """Sets the reason where a note names the series and a commit of the range."""
    for change in changes:
        if change.kind in MEASURED and any(
                note_list.is_about(note, change.series) for note in notes):
            names = commits.between(ROOT, change.from_commit, change.to_commit)
            change.acknowledged = note_list.reason(
                notes, change.series, [commits.plain(change.to_commit), *names])


def report(change, place=""):
    """For a terminal, line by line."""
    known = f"  (expected: {change.acknowledged})" if change.acknowledged else ""
    yield f"{place}{change.kind}: {change.sentence}{known}"
    if change.ratio is not None:
        span = (f", {intervals.CONFIDENCE:.1%} interval {change.low - 1:+.1%} to "
                + ("any" if change.high is None else f"{change.high - 1:+.1%}")
                if change.low is not None else "")
        yield f"  ratio      {change.ratio:.4f}{span}"
    yield f"  certainty  {change.certainty}"
    yield f"  commits    {change.from_commit}..{change.to_commit}"
    if change.command:
        yield f"  again      {change.command}"
    if change.kind in MEASURED and "/n:" in change.series and "--bisect" not in change.command:
        yield f"  which one  {bisect(change.series)} --since {change.from_commit}"


def percent(ratio):
    return f"{abs(ratio - 1):.1%}"


def bisect(series):
    return f"scripts/nightly.sh --bisect {shlex.quote(series)}"


# ----------------------------------------------------------------------------- pairs and counts


def paired(nights):
    """The paired gate's verdicts that a second run confirmed. Not of floors, which are the ruler:
    their code is the same, so they differ only by where the linker put it."""
    for night in nights:
        if not night.usable:
            continue
        for line in night.lines("pair"):
            if line["verdict"] not in ("slower", "faster") or not line.get("confirmed"):
                continue
            if rows.kind_of(line["series"].split("/")[2]) == "floor":
                continue
            slower = line["verdict"] == "slower"
            yield Change(
                night.machine, line["series"], "regression" if slower else "improvement",
                f"{line['series']} became {percent(line['ratio'])} {line['verdict']}: "
                f"{line['a_ns']:.2f} -> {line['b_ns']:.2f} ns",
                "paired, confirmed by a second run", night.at, line["a_commit"], line["b_commit"],
                line.get("command") or bisect(line["series"]), line["ratio"], line["low"],
                line["high"], bad=slower)


def counted(segments):
    """Instructions are exact, so comparing a night with the one before is enough."""
    for segment in segments:
        before = {}
        for night in segment:
            for line in night.lines("instructions"):
                key = line["quantity"], line["subject"]
                if "instructions" not in line or rows.kind_of(line["subject"]) != "backend":
                    continue
                older = before.get(key)
                before[key] = night, line
                if older:
                    yield from counted_change(*older, night, line)


def counted_change(older, old, night, line):
    ratio = line["instructions"] / old["instructions"]
    least = max(INSTRUCTIONS_LEAST, old["spread"], line["spread"])
    if 1 / (1 + least) <= ratio <= 1 + least:
        return
    name = f"instructions/{line['quantity']}/{line['subject']}"
    yield Change(
        night.machine, name, "regression" if ratio > 1 else "improvement",
        f"{line['quantity']} of {line['subject']} takes {percent(ratio)} "
        f"{'more' if ratio > 1 else 'fewer'} instructions: {old['instructions']:.1f}, now "
        f"{line['instructions']:.1f}",
        f"counted, exact to {least:.1%}", night.at, older.commit, night.commit,
        line.get("command") or f"scripts/lab instructions --subject {line['subject']} "
        f"--quantity {line['quantity']}", ratio, bad=ratio > 1)


# ----------------------------------------------------------------------------- states


@dataclasses.dataclass
class State:
    """Of one thing in one night: is it bad, and what shows that."""
    kind: str  # one of STATES
    key: str
    is_bad: bool
    sentence: str
    certainty: str
    command: str


def states(night):
    """Everything in this night whose state can turn."""
    yield from stress_states(night)
    yield from bench_states(night)
    yield from sanitizer_states(night)
    yield from target_states(night)
    yield from guarantee_states(night)


def stress_states(night):
    seed = f" --seed={night.totals['seed']}" if night.totals else ""
    build = "tsan" if night.head["schema"] == 1 else "release"
    for cell in night.stress.values():
        seen = ", ".join(f"{outcome['name']} {outcome['count']}" for outcome in cell["outcomes"]
                         if outcome["count"] and outcome["grade"] == "forbidden")
        yield State("forbidden", cell["cell"], cell["verdict"] == "failed",
                    f"{cell['cell']}: {seen or 'failed'}", "seen",
                    f"build/{build}/bin/stress_threadref --filter='^{cell['cell']}$'{seed}")


def bench_states(night):
    for name, row in night.bench.items():
        broken = rows.broken(row)
        yield State("forbidden", name, bool(broken), f"{name}: {broken}", "seen",
                    f"build/release/bin/bench_threadref --benchmark_filter='^{name}(/|$)'")


def sanitizer_states(night):
    for line in night.lines("sanitizer"):
        leg, reports = line["leg"], line["reports"]
        failed = [f"{cell} failed" for cell in line.get("failed", [])]
        first = [*line.get("first", []), *failed, "no first line"][0]
        yield State("sanitizer", leg, bool(reports or failed),
                    f"{leg}: {reports} reports; the first: {first}",
                    "reported", f"build/{leg}/bin/stress_threadref")


def target_states(night):
    for line in night.lines("target"):
        # A miss that is listed with its reason is known, so not reported.
        yield State("target", line["target"],
                    line["missed"] and line["decides"] and not line["listed"],
                    f"target {line['target']} is missed: {target_figure(line)}",
                    "99.9 % interval" if "low" in line else "no figure", line["command"])


def guarantee_states(night):
    for line in night.lines("matrix"):
        is_unknown = line["grade"] in ("unknown", "")
        # The matrix shows peers beside the back ends, but they are not judged.
        is_peer = line["backend"] not in night.head["backends"]
        if is_unknown or is_peer:
            continue
        cell = f"{line['row']}/{line['backend']}"
        why = f" ({line['why']})" if line["why"] else ""
        yield State("guarantee", cell, line["grade"] == "broken",
                    f"{cell} is broken: {line['word']}{why}", "seen", line["command"])


def target_figure(line):
    if "median" not in line:
        return line.get("why", "no figure")
    return f"{line['median']:.3g}, must be {line['sign']} {line['limit']:g}"


def turned(nights):
    """A change for each time a state became bad; nights in order."""
    seen, still_bad, last_night, last_of_kind = [], {}, {}, {}
    for night in nights:
        for state in states(night):
            key = state.kind, state.key
            last_of_kind[state.kind] = night.at
            if not state.is_bad:
                still_bad.pop(key, None)
            elif key in still_bad:
                still_bad[key].sentence = state.sentence  # the newest night's
            else:
                still_bad[key] = became_bad(state, last_night.get(key, night), night)
                seen.append(still_bad[key])
            last_night[key] = night
    for key, change in still_bad.items():
        # Bad still, unless a later night looked at the kind without it.
        change.tonight = last_night[key].at == last_of_kind[change.kind]
    return seen


def became_bad(state, older, night):
    return Change(night.machine, state.key, state.kind, state.sentence, state.certainty, night.at,
                  older.commit, night.commit, state.command)
