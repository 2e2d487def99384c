"""Checks what documents promise: links lead somewhere, commands exist, sizes hold.

usage: scripts/lab docs --only prose [--root DIR]

  --root DIR   the checkout whose documents are read [this one]
  --help       this text

A relative link must lead to a file, and to a heading if it names one. In a `sh` block of README.md
each command must be a program of this repository, and each option one that its --help lists. The
documents in SIZES hold no more than they say there.

exit status: 0 fine · 1 wrong use · 2 a document breaks a promise
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN
from threadref_lab.quality.style import Tree

# (words without generated tables, bytes, lines) at most; None: no limit
SIZES = {"README.md": (None, 10 * 1024, 160), "impl/README.md": (2000, None, None),
         "bench/README.md": (1500, None, None), "stress/README.md": (1200, None, None),
         "results/README.md": (1500, None, None)}
ELSEWHERE = ("cmake", "ctest", "git")  # commands of other people that README.md may use
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)|<(?:img|source)[^>]*\bsrc(?:set)?=\"([^\"]+)\"", re.S)
HEADING = re.compile(r"^#+ (.*)$", re.M)
GENERATED = re.compile(r"<!-- begin: .*?<!-- end: .*?-->", re.S)


def anchor(heading):
    """The name of a heading's anchor: that of GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(text):
    return {anchor(heading) for heading in HEADING.findall(BLOCK.sub("", text))}


def links(tree):
    for path in tree.matching(".md"):
        for found in LINK.findall(re.sub(r"`[^`\n]*`", "", BLOCK.sub("", tree.text(path)))):
            target = found[0] or found[1]
            if re.match(r"[a-z]+:", target):
                continue
            file, _, name = target.partition("#")
            place = (tree.root / path).parent / file if file else tree.root / path
            if not place.exists():
                yield f"{path}: the link {target} leads nowhere"
            elif name and name not in anchors(place.read_text(encoding="utf-8")):
                yield f"{path}: {target}: there is no such heading"


def sizes(tree):
    for path, limits in SIZES.items():
        text = tree.text(path)
        found = (len(GENERATED.sub("", text).split()), len(text.encode()), len(text.splitlines()))
        for what, is_now, limit in zip(("words", "bytes", "lines"), found, limits):
            if limit is not None and is_now > limit:
                yield f"{path}: {is_now} {what}; at most {limit}"


def help_of(program):
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == FINE else ""


def commands(tree):
    for language, block in BLOCK.findall(tree.text("README.md")):
        for line in block.splitlines() if language == "sh" else ():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            # What is built has tests of its own where it is built.
            if words[0].startswith("build/") or words[0] in ELSEWHERE:
                continue
            program = tree.root / words[0]
            if not program.is_file():
                yield f"README.md: {words[0]} is no program of this repository"
                continue
            text = help_of(program)
            for option in (word.partition("=")[0] for word in words[1:] if word[:2] == "--"):
                if option not in text:
                    yield f"README.md: {words[0]} --help lists no {option}"


def work(options):
    tree = Tree(options.root)
    found = [*links(tree), *sizes(tree), *commands(tree)]
    for sentence in found:
        print(sentence, file=sys.stderr)
    print(f"documents: {len(tree.matching('.md'))} files, {len(found)} findings")
    return FORBIDDEN if found else FINE


def main(arguments):
    parser = Parser("lab docs --only prose", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, work, arguments)
