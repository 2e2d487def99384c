"""Which mutants would be noticed by the tests that run for every change."""

import fnmatch
import json
import re
import subprocess
from pathlib import Path

from threadref_lab.cli.status import Unusable
from threadref_lab.quality.mutants import table

SUITE = "conformance_threadref"
STRESS = "stress_threadref"


def commands(root, build):
    """{name of a test: its words}; without what is labelled nightly."""
    done = subprocess.run(["ctest", "--test-dir", root / "build" / build, "-LE", "^nightly$",
                           "--show-only=json-v1"], capture_output=True, text=True, check=False)
    tests = json.loads(done.stdout)["tests"] if done.returncode == 0 else []
    # A test of a program that is not built has no command, and what its cells are is not known.
    unbuilt = [test["name"] for test in tests if not test.get("command")]
    if not tests or unbuilt:
        what = f"its {unbuilt[0]} has no program" if tests else "it is not configured"
        raise Unusable(f"--ci reads the tests of build/{build}, but {what}: "
                       f"scripts/test.sh --preset {build} builds them")
    return {test["name"]: split(test["command"]) for test in tests}


def split(words):
    """Some tests hand their program to another one, as a list of CMake's."""
    return [part for word in words for part in word.removeprefix("-DCOMMAND=").split(";")]


def options(words, name):
    return [word.partition("=")[2] for word in words if word.startswith(f"--{name}=")]


def program_at(words, names):
    """Where the program is among the words; None if it is not."""
    return next((at for at, word in enumerate(words) if Path(word).name in names), None)


def selects(pattern, name):
    """As GoogleTest reads its filter: some patterns, and behind a minus what is left out."""
    wanted, _, unwanted = pattern.partition("-")

    def any_of(patterns):
        return any(fnmatch.fnmatchcase(name, each) for each in patterns.split(":") if each)
    return (not wanted or any_of(wanted)) and not any_of(unwanted)


def has_check(words, section, check, times):
    if program_at(words, (SUITE, f"conformance_{section}")) is None:
        return False
    name = f"{section}/{table.BACKEND}.{check}"
    repeats = max([1, *map(int, options(words, "gtest_repeat"))])
    return repeats >= times and all(selects(each, name) for each in
                                    options(words, "gtest_filter"))


def has_cell(words, cell):
    if program_at(words, (STRESS,)) is None:
        return False
    return all(re.search(each, f"{cell}/{table.BACKEND}") for each in options(words, "filter"))


def has_program(words, wanted):
    at = program_at(words, (wanted[0],))
    return at is not None and words[at + 1:] == wanted[1:]


def is_played(killer, tests, checks):
    """Whether one of the tests does what the killer does, as often."""
    what, _, rest = killer.text.removeprefix(f"{killer.build}: ").partition(" ")
    if what == "ctest":
        return rest.split()[0] in tests
    if what == "stress":
        return any(has_cell(words, rest.split()[0]) for words in tests.values())
    if what == "run":
        return any(has_program(words, rest.split()) for words in tests.values())
    times = int(rest[1:]) if rest else 1
    return any(has_check(words, checks[what], what, times) for words in tests.values())


def report(root, every, killer_of):
    """The lines: each mutant that nothing in CI kills, and how many are killed.

    `killer_of` says by what a mutant was killed when it was played; None if it was not played, and
    then any of its killers counts.
    """
    checks = table.checks_of(root)
    broken = [mutant for mutant in every if not mutant.survives]
    tests = {build: commands(root, build)
             for build in sorted({each.build for mutant in broken for each in mutant.killers})}
    lines, night = [], []
    for mutant in broken:
        known = killer_of(mutant)
        killers = [each for each in mutant.killers if known in (None, each.text)]
        by = [each.text for each in killers if is_played(each, tests[each.build], checks)]
        if not by:
            night.append(mutant.id)
        lines.append(f"{'CI' if by else 'night':5}  {mutant.id}: "
                     f"{(by or [each.text for each in killers])[0]}")
    killed = len(broken) - len(night)
    share = 100 * killed // len(broken) if broken else 0
    lines.append(f"killed by what CI runs: {killed} of {len(broken)} ({share} %)" +
                 (f"; only at night: {', '.join(night)}" if night else ""))
    return lines
