"""Writes what the examples print into the README that shows them, by running them.

usage: scripts/lab docs --only examples [--check] [--programs FOLDER] [--readme FILE]

  --check             writes nothing, and says which block differs from its program's output
  --programs FOLDER   where the programs are [build/release/bin]
  --readme FILE       the document that shows them [impl/workers/README.md], each between the lines
                      '<!-- begin: output of NAME; ... -->' and '<!-- end: output of NAME -->'
  --help              this text

exit status: 0 fine · 1 wrong use · 2 a block is stale · 3 the run is not usable
"""

import re
import subprocess
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Unusable
from threadref_lab.docs.place import Place

PROGRAMS = ROOT / "build/release/bin"
README = ROOT / "impl/workers/README.md"
BEGIN = re.compile(r"^<!-- begin: output of (\w+);", re.M)
SECONDS = 120  # more means that it hangs


def place(name):
    return Place(f"output of {name}", "docs --only examples")


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


def work(options):
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
              "it with\n  scripts/lab docs --only examples", file=sys.stderr)
        return FORBIDDEN
    if stale:
        options.readme.write_text(new, encoding="utf-8")
    print(f"{options.readme.name}: {len(names)} outputs, {len(stale)} written")
    return FINE


def main(arguments):
    parser = Parser("lab docs --only examples", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--programs", type=Path, default=PROGRAMS)
    parser.add_argument("--readme", type=Path, default=README)
    return run(parser, work, arguments)
