"""The table of mutants: what a mutant is, what may kill it, and what can be wrong with either."""

import re
import shlex
import tomllib
from dataclasses import dataclass

from threadref_lab.cli.status import MISUSE, Unusable

BACKEND = "registry"
FOLDER = "impl/conformance/mutants"
BUILDS = ("release", "tsan", "asan")
KEYS = {"id", "breaks", "file", "before", "killers"}
OPTIONAL = {"after", "survives"}
CHECK = re.compile(r"TYPED_TEST\(\w+, (c\w+)\)")
KILLER = re.compile(r"(?:(?P<build>\w+): )?(?P<what>\S+)(?: (?P<rest>.+))?")
STRESS_PROGRAM = "stress_backends_alone"
REPEAT = re.compile(r"x(?P<times>\d+)")
STRESS = re.compile(r"(?P<cell>[\w/]+) (?P<seconds>\d+)s(?: seed (?P<seed>\d+))?")
# Longer than what a check waits for by itself, so that it can say what it waited for.
SECONDS_OF_A_CHECK = {"release": 90, "tsan": 180, "asan": 120}
MARGIN_OF_STRESS = 60


@dataclass(frozen=True)
class Killer:
    text: str
    build: str
    targets: tuple
    command: tuple  # in the folder of the build
    seconds: int


@dataclass
class Mutant:
    id: str
    breaks: str
    file: str
    before: str
    killers: list
    after: str = ""
    survives: bool = False  # it breaks nothing

    @property
    def played(self):
        """All that what comes of it depends on."""
        return self.file, self.before, self.after, tuple(self.killers), self.survives


def checks_of(root):
    """{name of a check: the section that it is in}"""
    found = {}
    for path in sorted((root / "impl/conformance/checks").glob("*.cpp")):
        for name in CHECK.findall(path.read_text(encoding="utf-8")):
            found[name] = path.stem
    return found


def killer(text, checks):
    """Raises ValueError with a sentence."""
    parts = KILLER.fullmatch(text)
    build = (parts and parts["build"]) or "release"
    if not parts or build not in BUILDS:
        raise ValueError(f"'{text}' names no build; valid: {', '.join(BUILDS)}")
    what, rest, seconds = parts["what"], parts["rest"] or "", SECONDS_OF_A_CHECK[build]
    words = tuple(shlex.split(rest))
    if what == "run" and words:
        return Killer(text, build, words[:1], (f"bin/{words[0]}", *words[1:]), seconds)
    if what == "ctest" and len(words) > 1:
        return Killer(text, build, words[1:],
                      ("ctest", "--output-on-failure", "-R", f"^{re.escape(words[0])}$"), seconds)
    if what == "stress":
        cell = STRESS.fullmatch(rest)
        if not cell:
            raise ValueError(f"'{text}' is not: stress CELL SECONDSs [seed NUMBER]")
        return Killer(text, build, (STRESS_PROGRAM,),
                      (f"bin/{STRESS_PROGRAM}", f"--filter=^{cell['cell']}/{BACKEND}$",
                       f"--time={cell['seconds']}s", f"--seed={cell['seed'] or 1}"),
                      int(cell["seconds"]) + MARGIN_OF_STRESS)
    repeat = REPEAT.fullmatch(rest) if rest else None
    if what not in checks or (rest and not repeat):
        raise ValueError(f"'{text}' is not a check of impl/conformance/checks, stress, run or "
                         "ctest")
    times = int(repeat["times"]) if repeat else 1
    program = f"conformance_{checks[what]}"
    return Killer(text, build, (program,),
                  (f"bin/{program}", f"--gtest_filter=*/{BACKEND}.{what}",
                   f"--gtest_repeat={times}"), seconds)


def faults_of(row, root, checks):
    """What is wrong with a row, in sentences."""
    missing = KEYS - set(row)
    unknown = set(row) - KEYS - OPTIONAL
    if missing or unknown:
        yield "; ".join(([f"lacks {', '.join(sorted(missing))}"] if missing else []) +
                        ([f"has unknown {', '.join(sorted(unknown))}"] if unknown else []))
        return
    path = root / row["file"]
    times = path.read_text(encoding="utf-8").count(row["before"]) if path.is_file() else 0
    if times != 1 or not row["before"]:
        yield (f"is stale: its text is {times} times in {row['file']}, and has to be there once: "
               f"{row['before'].strip()}")
    if row["before"] == row.get("after"):
        yield "changes nothing at all"
    if not row["killers"]:
        yield "names no killer"
    for text in row["killers"]:
        try:
            killer(text, checks)
        except ValueError as why:
            yield str(why)


def rows_of(path):
    """Of a file, or of all files of a folder by their names."""
    rows = []
    for each in sorted(path.glob("*.toml")) if path.is_dir() else [path]:
        try:
            rows += tomllib.loads(each.read_text(encoding="utf-8")).get("mutant", [])
        except tomllib.TOMLDecodeError as error:
            raise Unusable(f"{each} is not valid TOML: {error}", MISUSE) from error
        except OSError as error:
            raise Unusable(f"{each}: {error.strerror}", MISUSE) from error
    return rows


def read(path, root):
    """The mutants. Raises Unusable with all that is wrong."""
    rows = rows_of(path)
    checks = checks_of(root)
    wrong, seen = [], set()
    for row in rows:
        name = row.get("id", "a mutant without an id")
        wrong += [f"{name} {fault}" for fault in faults_of(row, root, checks)]
        if name in seen:
            wrong.append(f"{name} is there twice")
        seen.add(name)
    if not rows:
        wrong.append("it has no mutant")
    if wrong:
        raise Unusable("\n  ".join([f"{path}:", *wrong]), MISUSE)
    return [Mutant(**{**row, "killers": [killer(text, checks) for text in row["killers"]]})
            for row in rows]
