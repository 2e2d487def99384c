"""Programs that a command starts, each the head of a process group of its own: it ends together
with all that it started, also when we are interrupted."""

import contextlib
import os
import signal
import subprocess

PATIENCE = 10  # seconds from the request to end until it is killed
RUNNING = set()


def ask_to_end(child):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)


def end_all():
    """Asks all to end, also those that another thread waits for."""
    for child in list(RUNNING):
        ask_to_end(child)


def stop(child):
    """Ends a child and its group."""
    ask_to_end(child)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):  # what is left of the group
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def end_of(path, lines):
    """The last lines of a log."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def shell_status(code):
    """Of a child, as a shell would say it: 128 and the signal that ended it."""
    return 128 - code if code < 0 else code


def run(command, **options):
    """Like subprocess.run(), without terminal input: a background process group that reads it is
    stopped."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if options.pop("capture_output", False):
        options.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with subprocess.Popen(command, process_group=0, **options) as child:
        RUNNING.add(child)
        try:
            out, err = child.communicate()
        except BaseException:
            stop(child)
            raise
        finally:
            RUNNING.discard(child)
    return subprocess.CompletedProcess(command, child.returncode, out, err)
