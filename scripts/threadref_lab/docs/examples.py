#!/usr/bin/python3
"""Writes what the examples print into the README that shows them, by running them.

usage: example_outputs.py [--check] [--programs FOLDER] [--readme FILE]

  --check             writes nothing, and says which block is not what its program prints
  --programs FOLDER   where the programs are [build/release/bin]
  --readme FILE       what shows them [stress/worker/README.md]; each stands between the lines
                      '<!-- begin: output of NAME; ... -->' and '<!-- end: output of NAME -->'
  --help              this text

exit status: 0 fine · 1 wrong use · 2 a block is stale · 3 the run is not usable
"""

import re
import subprocess
import sys
from pathlib import Path

import readme_table
from readme_table import FINE, FORBIDDEN, Unusable

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build/release/bin"
README = ROOT / "stress/worker/README.md"
BEGIN = re.compile(r"^<!-- begin: output of (\w+);", re.M)
SECONDS = 120  # more means that it hangs


def place(name):
    return readme_table.Place(f"output of {name}", "example_outputs.py")


def printed(program):
    try:
        ran = subprocess.run([program], capture_output=True, text=True, check=False,
                             timeout=SECONDS)
    except OSError as error:
        raise Unusable(f"{program}: {error.strerror}; build it first") from error
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"{program} has not ended in {SECONDS} seconds") from error
    if ran.returncode != 0 or ran.stderr:
        raise Unusable(f"{program} ended with {ran.returncode}: {ran.stderr or 'no word'}")
    return ran.stdout


def run(options):
    old = new = options.readme.read_text(encoding="utf-8")
    names = BEGIN.findall(old)
    if not names:
        raise Unusable(f"{options.readme} shows no output of an example")
    stale = []
    for name in names:
        text = f"```\n{printed(options.programs / name)}```"
        if place(name).within(old, options.readme).strip() != text:
            stale.append(name)
            new = place(name).spliced(new, options.readme, text)
    if stale and options.check:
        print(f"{options.readme}: it does not show what these print: {', '.join(stale)}; refresh "
              "it with\n  scripts/example_outputs.py", file=sys.stderr)
        return FORBIDDEN
    if stale:
        options.readme.write_text(new, encoding="utf-8")
    print(f"{options.readme.name}: {len(names)} outputs, {len(stale)} written")
    return FINE


def main(arguments):
    parser = readme_table.DocumentedParser("example_outputs.py", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--programs", type=Path, default=PROGRAMS)
    parser.add_argument("--readme", type=Path, default=README)
    return readme_table.run(parser, run, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
