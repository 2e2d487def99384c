"""The stored nights as their judges see them: usable or not, in which
environment, and what else than benchmarks and stress cells they hold."""

from threadref_lab.cli.status import INTERRUPTED, MISUSE, UNUSABLE, Unusable
from threadref_lab.store import archive, environment, rows


class StoredNight:
    """One stored run; `at` is its place among those of its machine, oldest first."""

    def __init__(self, run, at):
        self.run, self.at = run, at
        self.head, self.bench = run.head, run.bench
        self.stress, self.totals = run.stress, run.totals
        self.machine, self.commit = run.machine, run.head["commit"]
        self.environment_hash = (run.environment_hash
                                 or environment.hash_of(run.head["environment"]))
        # Schema 1 did not say: a crash, or a part that was not there, made it unusable.
        self.usable = run.head.get("usable", not run.head["quick"] and run.head["status"]
                                   not in (UNUSABLE, INTERRUPTED))

    def lines(self, kind):
        return self.run.of(kind)


def of_runs(runs):
    return [StoredNight(run, at) for at, run in enumerate(runs)]


def load(results):
    """({machine: nights, oldest first}, problems)"""
    machines, problems = archive.load(results)
    return {machine: of_runs(runs) for machine, runs in sorted(machines.items())}, problems


def of_machine(stored, name, results):
    """The nights of the one that was asked for."""
    if name not in stored:
        raise Unusable(f"{results} has no night of a machine {name}; it has "
                       f"{', '.join(stored) or 'none at all'}", MISUSE)
    return stored[name]


def last_usable(nights):
    """The newest usable night, or None."""
    return next((night for night in reversed(nights) if night.usable), None)


def segments(nights):
    """The usable nights in runs of one environment: figures are compared inside one only."""
    found = []
    for night in nights:
        if not night.usable:
            continue
        if not found or found[-1][-1].environment_hash != night.environment_hash:
            found.append([])
        found[-1].append(night)
    return found


def judged_series(nights):
    """The names of all rows that have a ratio and are of a back end: floors and peers change
    without anybody's doing."""
    return list(dict.fromkeys(
        name for night in reversed(nights) for name, row in night.bench.items()
        if row.get("ratio") is not None and rows.kind_of(row["subject"]) == "backend"))
