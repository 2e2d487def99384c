"""What a file that includes threadref/threadref.hpp, and calls finalize() once, costs to compile,
beside one that includes <thread> alone.

usage: scripts/lab header-cost [--check] [--also HEADER] [--compiler PROGRAM] [--build FOLDER]

  --check              compares the memory that the compiler asks for, instead of CPU seconds
  --also HEADER        the file includes this one too: 'iostream', say
  --compiler PROGRAM   a g++ [g++]
  --build FOLDER       the build whose back ends count [build/release]
  --help               this text

CPU seconds are medians of files compiled in turns, and still depend on what else the machine does.
Memory does not: with garbage collection off it is the same number each time. It grows with what is
parsed and with what is instantiated, as the seconds do; lines or bytes of preprocessed text miss
the second, and a list of headers that must not be reached knows one compiler's library only.

exit status: 0 fine · 1 wrong use · 2 the cost is above the limit · 3 the compiler is not usable
"""

import os
import re
import statistics
import subprocess
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Unusable

LIMIT = 1.2  # of what <thread> costs
TURNS = 9
THREAD = "#include <thread>\nint main() {}\n"
USER = '#include "threadref/threadref.hpp"\nint main() { threadref::finalize([] {}); }\n'


def compiled(options, program, *more):
    """(CPU seconds, what the compiler said)"""
    command = [options.compiler, "-std=c++20", "-O2", "-I", str(ROOT / "impl"),
               "-I", str(options.build / "generated"), *more,
               "-x", "c++", "-c", "-", "-o", os.devnull]
    before = os.times()
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=False)
    after = os.times()
    if done.returncode != 0:
        raise Unusable(f"{options.compiler} fails: {done.stderr.strip()}")
    return (after.children_user + after.children_system
            - before.children_user - before.children_system), done.stderr


def memory(options, program):
    """In MB."""
    said = compiled(options, program, "-ftime-report", "--param=ggc-min-heapsize=4000000")[1]
    total = re.search(r"^ TOTAL .* (\d+)M$", said, re.M)
    if not total:
        raise Unusable(f"{options.compiler} -ftime-report says no 'TOTAL ... <n>M', as g++ does")
    return int(total[1])


def work(options):
    if not (options.build / "generated/threadref/backends.hpp").exists():
        raise Unusable(f"{options.build} is not a build folder; `cmake --preset release` makes "
                       "build/release")
    user = f"#include <{options.also}>\n{USER}" if options.also else USER
    if options.check:
        thread, ours = (memory(options, program) for program in (THREAD, user))
        unit = "MB"
    else:
        turns = [[compiled(options, program)[0] for program in (THREAD, user)]
                 for _ in range(TURNS)]
        thread, ours = (statistics.median(seconds) for seconds in zip(*turns))
        unit = "CPU seconds"
    ratio = ours / thread
    verdict = "within" if ratio <= LIMIT else "above"
    print(f"threadref.hpp takes {ours:.3g} {unit}, <thread> {thread:.3g}:"
          f" {ratio:.2f} times as much, {verdict} the limit of {LIMIT}")
    return FINE if ratio <= LIMIT else FORBIDDEN


def main(arguments):
    parser = Parser("lab header-cost", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--also")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release")
    return run(parser, work, arguments)
