#!/usr/bin/python3
"""What a night comes to: the judgement of detect.py, of the night together with those before it, as
the page has it too. Imported by night.py, never run."""

import changes
import detect
import nights
import store


class Verdict:
    """Of the last of these runs of one machine; `expected` are the notes."""

    def __init__(self, runs, expected):
        machine = detect.Machine(runs[-1].machine, nights.of_runs(runs), expected)
        self.head = runs[-1].head
        self.found = machine.found()
        said = detect.verdict([machine])
        self.sentence = said["sentence"]
        # The page knows no canary that was not caught, only that something is not usable.
        self.status = max(self.head["status"], said["status"])

    def told(self):
        """The changes for a terminal, line by line, and at last the sentence."""
        for change in self.found:
            yield from changes.told(change)
        yield self.sentence


def of(head, lines, before, expected):
    """The verdict on a night that is not stored yet; puts it into its head."""
    run = store.Run(None, head)
    for line in lines:
        run.take(line)
    verdict = Verdict([*before, run], expected)
    head["sentence"] = verdict.sentence
    head["changes"] = [change.stored() for change in verdict.found]
    return verdict
