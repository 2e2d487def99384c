"""What the clones say about a change: was the code slower, or did it only come to lie elsewhere?

A clone is the same source compiled again, so it lies elsewhere. What slows the code slows both; an
accident of layout moves one of them, and with it the ratio of both. So the change of the clone
is that of its subject, times the change of their ratio: a second layout for every comparison, at
the price of the controls, which each night measures anyway.
"""

import statistics

from threadref_lab.store import rows


def signed_ratio(line):
    """Time of the clone / time of its subject. `lab pair` swaps the two in every second start, so
    that the median of a control as it stands says how much, and not in which direction."""
    ratios = line.get("ratios") or [line["ratio"]]
    return statistics.median(1 / ratio if at % 2 else ratio for at, ratio in enumerate(ratios))


class Clones:
    """All clone controls of one machine."""

    def __init__(self, nights):
        self.found = {}  # (subject, quantity): {n: [(place of the night, clone / subject)]}
        for night in nights:
            for line in night.lines("control"):
                if night.usable and line["control"] == "clone":
                    sizes = self.found.setdefault((line["a"], line["quantity"]), {})
                    sizes.setdefault(line["n"], []).append((night.at, signed_ratio(line)))

    def _of(self, name):
        """Of the same size, else of the largest: it is the same code."""
        _, quantity, subject, *_ = name.split("/")
        sizes = self.found.get((subject, quantity))
        if not sizes:
            return []
        return sizes.get(rows.parameters(name).get("n"), sizes[max(sizes)])

    def spread(self, name):
        """The largest difference that the two copies ever showed."""
        return max((abs(ratio - 1) for _, ratio in self._of(name)), default=0.0)

    def change(self, name, before, after):
        """How clone / subject changed from one night to another; 1 where it is not known."""
        known = self._of(name)
        older = [ratio for at, ratio in known if at <= before]
        newer = [ratio for at, ratio in known if at <= after]
        return newer[-1] / older[-1] if older else 1.0
