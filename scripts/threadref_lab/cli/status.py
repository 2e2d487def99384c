"""The exit statuses, and the errors that carry one. scripts/common.sh has the same list for the
shell; a test compares the two."""

FINE = 0
MISUSE = 1       # wrong use
FORBIDDEN = 2    # a forbidden outcome, a regression, a finding
UNUSABLE = 3     # crashed, timed out, or not usable
UNCAUGHT = 4     # a canary or a planted fault was not caught
INTERRUPTED = 130


class Unusable(Exception):
    """A sentence for the user, and the status to end with."""

    def __init__(self, sentence, status=UNUSABLE):
        super().__init__(sentence)
        self.status = status


class Refused(Unusable):
    """What was asked for is wrong."""

    def __init__(self, sentence, status=MISUSE):
        super().__init__(sentence, status)
