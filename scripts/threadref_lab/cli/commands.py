"""The subcommands of scripts/lab."""

import collections
import importlib
import re
import signal
import sys

from threadref_lab.cli import children
from threadref_lab.cli.arguments import ended
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, INTERRUPTED, MISUSE

# module: its main(arguments) is imported only when the command is called; prog: the name in its
# messages.
Command = collections.namedtuple("Command", "name module what prog", defaults=("",))
GROUPS = {
    "to measure": (
        Command("pair", "measure.pairs", "is one subject faster than another?"),
        Command("compare", "measure.comparison", "what became slower between two commits?"),
        Command("targets", "measure.targets", "does the default back end reach its targets?"),
        Command("sweep", "measure.sweeps", "what do the figures depend on?"),
        Command("instructions", "measure.instructions",
                "how many instructions one registration or exit takes"),
        Command("soak", "measure.soak", "many threads for a long time, under each tool")),
    "to judge what is stored": (
        Command("store", "store.command", "checks, questions and copies of the results store"),
        Command("detect", "regressions.detection", "what changed, since when, and how sure is it?"),
        Command("export", "store.export", "the newest night in other programs' formats"),
        Command("simulate", "simulation.study", "how often would our rule raise a false alarm?")),
    "to show": (
        Command("report", "report.page", "a run's results on one page"),
        Command("pictures", "report.pictures", "a run's pictures, as SVG and PNG"),
        Command("readme-picture", "report.readme_picture", "the picture of README.md"),
        Command("page", "dashboard.command", "the dashboard: writes, builds and tests its page"),
        Command("docs", "docs.command", "writes or checks the generated tables")),
    "to check the sources": (
        Command("mutate", "quality.mutants.play",
                "does a test fail for each broken line of the registry?"),
        Command("style", "quality.style", "the rules that no compiler checks"),
        Command("tidy", "quality.tidy", "clang-tidy over the sources that were touched"),
        Command("times", "quality.compile_times", "what compiling costs, beside the budgets"),
        Command("header-cost", "quality.header_cost", "what including threadref.hpp costs")),
    "called by the scripts": (
        Command("night", "nightly.night", "one night, step by step (nightly.sh)", "nightly.sh"),
        Command("summary", "quality.summary", "adds up ctest's reports (test.sh)"))}
COMMANDS = {command.name: command for group in GROUPS.values() for command in group}


def text():
    """The help text."""
    lines = ["usage: scripts/lab COMMAND [ARGUMENT...]"]
    for group, commands in GROUPS.items():
        lines += ["", f"{group}:", *(f"  {each.name:15}{each.what}" for each in commands)]
    return "\n".join([*lines, "", "scripts/lab COMMAND --help says what it does, its options and "
                      "its exit statuses;", "scripts/lab --version prints the version."])


def version():
    """The project's version, which only CMakeLists.txt states."""
    found = re.search(r"^project\(threadref VERSION ([\d.]+)",
                      (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.M)
    return found[1]


def interrupt(*_):
    """Of a signal. Python runs it in the main thread; others may wait for children of theirs."""
    children.end_all()
    raise KeyboardInterrupt


def main(arguments):
    """The exit status of a command."""
    name = arguments[0] if arguments else ""
    if name == "--help":
        print(text())
        return FINE
    if name == "--version":
        print(f"lab {version()}")
        return FINE
    if name not in COMMANDS:
        wrong = f"unknown command '{name}'" if name else "a command is missing"
        print(f"lab: {wrong}; valid: {', '.join(COMMANDS)}", file=sys.stderr)
        return MISUSE
    # Also SIGINT: a shell has it ignored by what it starts in the background.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    command = COMMANDS[name]
    try:
        module = importlib.import_module(f"threadref_lab.{command.module}")
        return ended(command.prog or f"lab {name}", module.main, arguments[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
