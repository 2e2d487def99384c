#!/usr/bin/python3
"""What a night comes to: its changes, each with size, interval, certainty, commits and command; its
status; and the one sentence."""

import commits
import intervals
import notes
import rows

FINE, FORBIDDEN, UNUSABLE = 0, 2, 3
LEAST_INSTRUCTIONS = 0.005  # they are exact but for a few retries
WORSE = ("regression", "forbidden", "sanitizer", "target", "guarantee")


def percent(ratio):
    return f"{abs(ratio - 1):.1%}"


def span(low, high):
    """An interval of ratios, in words."""
    return f"{low - 1:+.1%} to " + ("any" if high is None else f"{high - 1:+.1%}")


class Judge:
    """Of one night: its head and lines, the run before it (or None), and what was expected."""

    def __init__(self, root, head, lines, before, expected):
        self.root, self.head, self.lines, self.before = root, head, lines, before
        self.expected = expected
        self.to_commit = head["commit"]
        self.from_commit = head.get("compared_with", {}).get("commit") or (
            before.commit if before else self.to_commit)
        self.names = commits.between(root, self.from_commit, self.to_commit) or [
            commits.plain(self.to_commit)]

    def of(self, kind):
        return [line for line in self.lines if line["kind"] == kind]

    def change(self, kind, series, sentence, **more):
        """Acknowledged can be what was measured; never something forbidden."""
        known = notes.reason(self.expected, series, self.names) if kind == "regression" else None
        return {"series": series, "kind": kind, "sentence": sentence, "ratio": None, "low": None,
                "high": None, "certainty": "seen", "from_commit": self.from_commit,
                "to_commit": self.to_commit, "command": "", "acknowledged": known, **more}

    def pairs(self):
        """What both of two independent runs found. An unusable night measured nothing."""
        for line in self.of("pair") if self.head["usable"] else []:
            if line["verdict"] not in ("faster", "slower") or line["confirmed"] is not True:
                continue
            is_slower = line["verdict"] == "slower"
            yield self.change(
                "regression" if is_slower else "improvement", line["series"],
                f"{line['series']} takes {percent(line['ratio'])} "
                f"{'longer' if is_slower else 'less'}: {line['a_ns']:.2f} -> {line['b_ns']:.2f} ns",
                ratio=line["ratio"], low=line["low"], high=line["high"],
                certainty=f"paired over {line['processes']} process starts, and confirmed by a "
                          "second run", from_commit=line["a_commit"], to_commit=line["b_commit"],
                command=line["command"])

    def instructions(self):
        """Counts are compared where nothing but the code is different."""
        if not self.before or self.before.environment_hash != self.head["environment_hash"]:
            return
        known = self.before.lines["instructions"]
        for line in self.of("instructions"):
            old = known.get(f"{line['quantity']}/{line['subject']}", {})
            if "instructions" not in line or "instructions" not in old:
                continue
            ratio = line["instructions"] / old["instructions"]
            least = max(LEAST_INSTRUCTIONS, line["spread"] + old["spread"])
            if abs(ratio - 1) <= least:
                continue
            series = f"instructions/{line['quantity']}/{line['subject']}"
            yield self.change(
                "regression" if ratio > 1 else "improvement", series,
                f"{series}: {percent(ratio)} {'more' if ratio > 1 else 'fewer'} instructions, "
                f"{old['instructions']:.2f} -> {line['instructions']:.2f}",
                ratio=ratio, low=ratio - least, high=ratio + least,
                certainty=f"counted, each time the same but for {least:.2%}",
                from_commit=self.before.commit, command=line["command"])

    def forbidden(self):
        for cell in self.of("stress"):
            if cell["verdict"] == "failed":
                seen = ", ".join(f"{outcome['name']} {outcome['count']}"
                                 for outcome in cell["outcomes"]
                                 if outcome["grade"] == "forbidden" and outcome["count"])
                seed = next((line["seed"] for line in self.of("stress_totals")), "")
                yield self.change("forbidden", cell["cell"], f"{cell['cell']} failed: {seen}",
                                  command=f"stress_threadref --filter='^{cell['cell']}$' "
                                          f"--seed={seed}")
        for row in self.of("bench"):
            if rows.broken(row):
                yield self.change("forbidden", row["name"], f"{row['name']}: {rows.broken(row)}",
                                  command=f"bench_threadref --benchmark_filter='^{row['name']}'")

    def sanitizers(self):
        for leg in self.of("sanitizer"):
            if leg["reports"] or leg["failed"]:
                what = leg["first"] or [f"{cell} failed" for cell in leg["failed"]]
                yield self.change("sanitizer", leg["leg"], f"{leg['leg']}: {leg['reports']} "
                                  f"reports; the first: {what[0]}",
                                  command=f"build/{leg['leg']}/bin/stress_threadref")

    def matrix(self):
        """A back end's guarantee that is broken, or another word than the night before saw."""
        known = self.before.lines["matrix"] if self.before else {}
        for cell in self.of("matrix"):
            if cell["backend"] not in self.head["backends"]:
                continue
            name = f"{cell['row']}/{cell['backend']}"
            old = known.get(name, {}).get("grade")
            if cell["grade"] == "broken" or old and old != cell["grade"]:
                was = f", which was {old}" if old else ""
                yield self.change("guarantee", name, f"{name} is {cell['grade'] or 'absent'}"
                                  f"{was}: {cell['word']}", command=cell["command"])

    def targets(self):
        for line in self.of("target"):
            if line["decides"] and line["missed"] and not line["listed"]:
                yield self.change("target", line["target"], f"target {line['target']} is missed: "
                                  f"{line['median']:.4g}, and not {line['sign']} {line['limit']:g}",
                                  ratio=None, low=line["low"], high=line["high"],
                                  command=line["command"])

    def changes(self):
        return [*self.pairs(), *self.instructions(), *self.forbidden(), *self.sanitizers(),
                *self.matrix(), *self.targets()]


def counted(number, word):
    return f"{number} {word}{'' if number == 1 else 's'}"


def judge(root, head, lines, before, expected):
    """Puts changes, sentence and status into the head."""
    found = Judge(root, head, lines, before, expected).changes()
    head["changes"] = found
    regressions = [each for each in found if each["kind"] == "regression"]
    if any(not each["acknowledged"] for each in regressions):
        head["status"] = max(head["status"], FORBIDDEN)
    head["sentence"] = sentence(head, lines, found)


def sentence(head, lines, changes):
    worse = [each for each in changes if each["kind"] in WORSE and not each["acknowledged"]]
    better = [each for each in changes if each["kind"] == "improvement"]
    expected = [each for each in changes if each["acknowledged"]]
    more = f" (and {len(worse) - 1} more)" if len(worse) > 1 else ""
    if not head["usable"]:
        also = f"; and {worse[0]['sentence']}{more}" if worse else ""
        return f"this run is not usable: {head['problems'][0]}{also}"
    if worse:
        return f"worse: {worse[0]['sentence']}{more}"
    if head["status"]:
        what = (head["problems"] or [f"{name} ended with {code}" for name, code in
                                     head["statuses"].items() if code] or ["no reason recorded"])
        return f"something failed: {what[0]}"
    against, found = head.get("compared_with", {}), []
    if better:
        found.append(f"{counted(len(better), 'improvement')}, the first: {better[0]['sentence']}")
    if expected:
        found.append(f"{counted(len(expected), 'expected change')}: {expected[0]['sentence']} "
                     f"({expected[0]['acknowledged']})")
    if found:
        return "nothing is worse; " + "; ".join(found)
    if not against.get("commit"):
        return f"all is well; {against.get('why', 'nothing was compared')}"
    pairs = [line for line in lines if line["kind"] == "pair"]
    open_ones = sum(line["verdict"] == "undecided" for line in pairs)
    undecided = f", {open_ones} of them undecided" if open_ones else ""
    return (f"nothing changed since {against['commit']}: {counted(len(pairs), 'pair')} of series"
            f"{undecided}, none slower or faster")


def told(head):
    """The changes for a terminal, line by line, and at last the sentence."""
    for each in head["changes"]:
        known = f"  (expected: {each['acknowledged']})" if each["acknowledged"] else ""
        yield f"{each['kind']}: {each['sentence']}{known}"
        if each["ratio"] is not None:
            yield (f"  ratio      {each['ratio']:.4f}, {intervals.CONFIDENCE:.1%} interval "
                   f"{span(each['low'], each['high'])}")
        yield f"  certainty  {each['certainty']}"
        yield f"  commits    {each['from_commit']}..{each['to_commit']}"
        if each["command"]:
            yield f"  again      {each['command']}"
        if each["kind"] in ("regression", "improvement") and "/n:" in each["series"]:
            yield (f"  which one  scripts/nightly.sh --bisect {each['series']} "
                   f"--since {each['from_commit']}")
    yield head["sentence"]
