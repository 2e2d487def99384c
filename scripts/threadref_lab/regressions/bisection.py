"""Which commit made a series slower or faster? Halves the range, with scripts/lab compare between
its older end and the middle; each commit is built once, and stays built."""

import json
import math
import re
import subprocess
import tempfile
from pathlib import Path

from threadref_lab.cli import children
from threadref_lab.cli.status import FINE, FORBIDDEN, INTERRUPTED, MISUSE, UNUSABLE, Unusable
from threadref_lab.regressions import commits
from threadref_lab.store.parts import command_of_pair, series_filter

SERIES = re.compile(r"[a-z_]+/\w+/\w+(/\w+:\d+)+")


def compared(root, a, b, series):
    """The line of lab compare about this series; None where a side can't be built or run."""
    with tempfile.TemporaryDirectory(prefix="threadref-narrow-") as folder:
        done = children.run([root / "scripts" / "lab", "compare", a, b, "--filter",
                               series_filter(series), "--out", folder], cwd=root,
                              stdout=subprocess.DEVNULL)
        if done.returncode == INTERRUPTED:
            raise KeyboardInterrupt
        if done.returncode == MISUSE:
            raise Unusable(f"--bisect {series}: scripts/lab compare refused it (above)", MISUSE)
        if done.returncode not in (FINE, FORBIDDEN):
            return None
        lines = json.loads(Path(folder, "compare.json").read_text(encoding="utf-8"))
    found = [line for line in lines if line["name"] == series]
    if not found:
        raise Unusable(f"--bisect {series}: the bench has no such row in both commits", MISUSE)
    return found[0]


def has_changed(line, whole):
    """Is more than half of the whole change there already, as ratios go? A middle commit that has
    a change of its own, smaller than this, does not mislead."""
    return math.log(line["ratio"]) / math.log(whole["ratio"]) > 0.5


def halve(root, series, older, found, whole):
    """(good, bad, [commits between that could not be measured]): the shortest range."""
    low, high = -1, len(found) - 1  # found[low] is without the change, found[high] has it
    skipped = set()
    while True:
        inside = [at for at in range(low + 1, high) if at not in skipped]
        if not inside:
            break
        middle = min(inside, key=lambda at: abs(at - (low + high) / 2))
        line = compared(root, older, found[middle], series)
        if line is None:
            skipped.add(middle)
            print(f"  {found[middle]}  could not be measured", flush=True)
            continue
        changed = has_changed(line, whole)
        print(f"  {found[middle]}  {line['ratio']:.4f}  {'with' if changed else 'without'} it",
              flush=True)
        low, high = (low, middle) if changed else (middle, high)
    between = [found[at] for at in sorted(skipped) if low < at < high]
    return (found[low] if low >= 0 else older), found[high], between


def tell(root, series, good, bad, between):
    line = compared(root, good, bad, series)
    if line is None:
        raise Unusable(f"{good} and {bad} could not be compared any more")
    subject = commits.git(root, "show", "--no-patch", "--format=%s", bad)
    if between:
        print(f"it came after {good}, with {bad} or with one of these, which could not be "
              f"measured: {', '.join(between)}")
    else:
        print(f"{bad} {subject}")
    high = "any" if line["high"] is None else f"{line['high']:.4f}"
    print(f"{series}: ratio {line['ratio']:.4f}, 99.9 % interval {line['low']:.4f} to {high}, "
          f"{line['a_ns']:.2f} -> {line['b_ns']:.2f} ns, {line['verdict']}")
    print(f"again: {command_of_pair(good, bad, series)}")


def bisect(root, series, since, runs):
    """The exit status: fine once a commit is named."""
    if not SERIES.fullmatch(series):
        raise Unusable(f"--bisect {series}: a series is called as a benchmark, such as "
                       "finalize/registration/registry/n:256", MISUSE)
    newest = commits.of_code(root, "HEAD")
    partner = commits.partner_of(root, runs, since, other_than=newest)
    if not partner.commit:
        raise Unusable(f"--bisect: {partner.why}; say --since COMMIT", MISUSE)
    found = [commits.known(root, name) for name in
             commits.between(root, partner.commit, newest)]
    if not found:
        raise Unusable(f"--bisect: there is no commit after {partner.commit} up to here", MISUSE)
    print(f"{series}: {len(found)} commits, {partner.commit}..{newest}", flush=True)
    whole = compared(root, partner.commit, newest, series)
    if whole is None:
        raise Unusable(f"{partner.commit} and {newest} could not be compared (see above)")
    if whole["verdict"] not in ("slower", "faster"):
        print(f"no change to narrow: {partner.commit} to {newest} is {whole['verdict']}, ratio "
              f"{whole['ratio']:.4f}")
        return UNUSABLE
    tell(root, series, *halve(root, series, partner.commit, found, whole))
    return FINE
