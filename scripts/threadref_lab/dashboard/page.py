#!/usr/bin/python3
"""Writes results/dashboard/index.html from all that is stored: one file, no server, no network.

usage: page.py --results DIR [--out FILE]

Builds the page without data, results/dashboard/dist/index.html, with scripts/dashboard.sh if it is
missing or older than its sources, which needs npm; then puts in what scripts/page_data.py makes of
DIR. FILE is written whole or not at all.

  --out FILE   where to; default: dashboard/index.html in DIR
  --help       this text

exit status: 0 fine, also when older lines could not be read (the page names them) · 1 wrong use, or
             the page cannot be written · 3 there is no run to show, or the page without data cannot
             be built; what was written before stays as it is
"""

import subprocess
import sys
from pathlib import Path

import page_data
import readme_table
from starts import UNUSABLE, Unusable

FINE = 0
ROOT = Path(__file__).resolve().parent.parent
# What the built page is made of, in its folder.
SOURCES = ("src/**/*", "package.json", "package-lock.json", "vite.config.ts")


def template(root):
    """The built page without data; builds it where it is missing or too old."""
    folder = root / "results" / "dashboard"
    built = folder / "dist" / "index.html"
    newest = max(path.stat().st_mtime for pattern in SOURCES for path in folder.glob(pattern))
    if not built.exists() or built.stat().st_mtime < newest:
        done = subprocess.run([root / "scripts" / "dashboard.sh", "build"], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != FINE:
            *before, why = done.stdout.strip().splitlines() or ["no reason was given"]
            print(*before, sep="\n", end="\n" if before else "", file=sys.stderr)
            raise Unusable("no page is written, because none could be built to put the data into: "
                           + why.removeprefix("dashboard.sh: "), UNUSABLE)
    return built


def main(arguments, root=ROOT):
    def work(options):
        out = options.out or options.results / "dashboard" / "index.html"
        found, problems = page_data.document(options.results)
        if not found["machines"]:
            raise Unusable(f"{options.results} holds no run to show", UNUSABLE)
        page_data.write(found, problems, out, template(root))
        return FINE

    parser = readme_table.DocumentedParser("page.py", __doc__)
    parser.add_argument("--results", type=Path, required="--help" not in arguments)
    parser.add_argument("--out", type=Path)
    return readme_table.run(parser, work, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
