#!/usr/bin/python3
"""Runs clang-tidy-14 over a compilation database, several files at a time.

usage: tidy.py BUILD_DIR JOBS

Prints each finding once, however many files include the header it is in, and how long each slow
file took. A file found clean is not looked at again before something in it, in what it includes or
in .clang-tidy changes. exit status: 0 nothing found · 1 wrong use · 2 findings
"""

import concurrent.futures
import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path

FINE, MISUSE, FORBIDDEN = 0, 1, 2
ROOT = Path(__file__).resolve().parent.parent
SLOW_SECONDS = 30
TIDY_VERSION = subprocess.run(["clang-tidy-14", "--version"], capture_output=True,
                              check=False).stdout


def sources(build):
    """{our own file: its compile command}.

    Many are compiled for several targets. Those called <what>_once are for us, over a single back
    end: the others only read the same templates again for every type.
    """
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(ROOT):
            inside = path.relative_to(ROOT)
            if inside.parts[0] in ("impl", "bench", "stress"):
                if inside not in found or "_once.dir/" in entry["command"]:
                    found[inside] = entry
    return dict(sorted(found.items()))


def write_database(build, entries):
    """clang-tidy would look at a file once for each of its entries: here every file has one."""
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(list(entries)), encoding="utf-8")


def stamp(build, entry):
    """Stands for all that decides what clang-tidy finds; comments too, since they hold NOLINT."""
    command = re.sub(r" -o \S+", "", entry["command"]) + " -E -C"
    done = subprocess.run(command, shell=True, cwd=entry["directory"], capture_output=True,
                          check=False)
    if done.returncode:
        return None  # the compiler says why, when clang-tidy is run
    rules = (ROOT / ".clang-tidy").read_bytes()
    digest = hashlib.sha256(command.encode() + rules + TIDY_VERSION + done.stdout).hexdigest()
    return build / "tidy" / digest


def run(build, source, entry):
    began = time.monotonic()
    clean = stamp(build, entry)
    if clean and clean.exists():
        return source, 0, "", 0
    # The database is g++'s: some of its warning options mean nothing to clang.
    command = ["clang-tidy-14", "--quiet", f"-p={build / 'tidy'}",
               f"--config-file={ROOT / '.clang-tidy'}",
               "--extra-arg=-Wno-unknown-warning-option", str(ROOT / source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + ("" if done.returncode in (0, 1) else done.stderr)
    if done.returncode and not text.strip():
        text = f"{source}: error: clang-tidy-14 ended with {done.returncode}: {done.stderr}"
    if clean and done.returncode == 0:
        clean.touch()
    return source, done.returncode, text, time.monotonic() - began


def blocks(text):
    """A finding is its own line, the code under it, and what else it says about our own files.

    Where in GoogleTest a template was instantiated is of no use to anybody.
    """
    parts = re.split(r"(?m)^(?=\S+:\d+:\d+: |(?:\S+: )?error: )", text)
    found = []
    for part in (part.rstrip() for part in parts if part.strip()):
        if re.match(r"(\S+: )?(error|warning): ", part):
            found.append(part)
        elif found and ": note: " in part and str(ROOT) in part and found[-1].count("\n") < 12:
            found[-1] += "\n" + part
    return found


def main(arguments):
    if len(arguments) != 2 or not arguments[1].isdigit():
        print(__doc__.strip(), file=sys.stderr)
        return MISUSE
    build, jobs = Path(arguments[0]).resolve(), int(arguments[1])
    found, failing = set(), 0
    names = sources(build)
    if not names:
        print(f"tidy.py: {build} compiles no file of this repository", file=sys.stderr)
        return MISUSE
    write_database(build, names.values())
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for source, code, text, seconds in pool.map(lambda pair: run(build, *pair), names.items()):
            failing += code != 0
            if seconds > SLOW_SECONDS:
                print(f"  {source}: {seconds:.0f} s")
            for block in blocks(text):
                finding = block.splitlines()[0]  # the notes under it differ from file to file
                if finding not in found:
                    found.add(finding)
                    print(block.replace(f"{ROOT}/", ""))
    print(f"tidy.py: {len(names)} files, {len(found)} findings in {failing} of them")
    return FORBIDDEN if failing else FINE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
