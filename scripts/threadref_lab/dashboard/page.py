"""Writes results/dashboard/index.html from all stored nights: one file, no server, no network.

usage: scripts/lab page write [--results DIR] [--out FILE]

Builds the page without data, results/dashboard/dist/index.html, if it is missing or older than its
sources, which needs npm (scripts/lab page build); then inserts the nights stored in DIR
(scripts/lab page data). FILE is written whole or not at all.

  --results DIR   the store; default: results/ of this repository
  --out FILE      the file to write; default: dashboard/index.html in DIR
  --help          this text

exit status: 0 fine, also when older lines could not be read (the page names them) · 1 wrong use, or
             the page cannot be written · 3 there is no run to show, or the page without data cannot
             be built; an earlier page stays as it is
"""

import subprocess
import sys
from pathlib import Path

from threadref_lab.cli import children
from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, Unusable
from threadref_lab.dashboard import document

# What the built page is made of, in its folder.
SOURCES = ("src/**/*", "package.json", "package-lock.json", "vite.config.ts")


def template(root):
    """The built page without data; builds it where it is missing or too old."""
    folder = root / "results" / "dashboard"
    built = folder / "dist" / "index.html"
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in folder.glob(pattern))
    if not built.exists() or built.stat().st_mtime < newest:
        done = children.run([root / "scripts" / "lab", "page", "build"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != FINE:
            *before, why = done.stdout.strip().splitlines() or ["no reason was given"]
            print(*before, sep="\n", end="\n" if before else "", file=sys.stderr)
            raise Unusable("no page is written, because none could be built to put the data into: "
                           + why.removeprefix("lab page: "))
    return built


def main(arguments, root=ROOT):
    def work(options):
        out = options.out or options.results / "dashboard" / "index.html"
        found, problems = document.document(options.results)
        if not found["machines"]:
            raise Unusable(f"{options.results} holds no run to show")
        document.write(found, problems, out, template(root))
        return FINE

    parser = Parser("lab page write", __doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--out", type=Path)
    return run(parser, work, arguments)
