"""Writes what the examples print into the document that shows them, by running them.

usage: scripts/lab docs --only examples [--check] [--programs FOLDER] [--page FILE]

  --check             writes nothing, and says which block differs from its program's output
  --programs FOLDER   where the programs are [build/release/bin]
  --page FILE         the document that shows them [impl/workers/README.md], each between the lines
                      '<!-- begin: output of NAME; ... -->' and '<!-- end: output of NAME -->'
  --help              this text

exit status: 0 fine · 1 wrong use · 2 a block is stale · 3 the run is not usable
"""

import re
import subprocess
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import Unusable
from threadref_lab.docs.block import Block

PROGRAMS = ROOT / "build/release/bin"
PAGE = ROOT / "impl/workers/README.md"
BEGIN = re.compile(r"^<!-- begin: output of (\w+);", re.M)
SECONDS = 120  # more means that it hangs


def block(name):
    return Block(f"output of {name}", "docs --only examples")


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
    names = BEGIN.findall(options.page.read_text(encoding="utf-8"))
    if not names:
        raise Unusable(f"{options.page} shows no output of an example")
    # All have run before the first is written.
    texts = {name: f"```\n{printed(options.programs / name)}```" for name in names}
    return max(block(name).update(options.page, text, options.check)
               for name, text in texts.items())


def main(arguments):
    parser = Parser("lab docs --only examples", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--programs", type=Path, default=PROGRAMS)
    parser.add_argument("--page", type=Path, default=PAGE)
    return run(parser, work, arguments)
