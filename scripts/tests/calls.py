"""Calls scripts/lab in this process."""

import contextlib
import io

from threadref_lab.cli import commands


def lab(*arguments):
    """(status, all that it said) of a command."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            status = commands.main([str(word) for word in arguments])
        except SystemExit as ended:  # of its parser
            status = ended.code
    return status, said.getvalue()
