"""Checks the documents: links lead somewhere, commands exist, sizes are within their limits.

usage: scripts/lab docs --only prose [--root DIR]

  --root DIR   the checkout whose documents are read [this one]
  --help       this text

A relative link must lead to a file, and to a heading if it names one. In a `sh` block of README.md
each command must be a program of this repository, and its --help must list each option. In a `sh`
block of any document, the help text of a scripts/lab command must list its step and options. The
documents in SIZES must not exceed their sizes there.

exit status: 0 fine · 1 wrong use · 2 a document fails a check
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
LAB = "scripts/lab"
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


def help_of(*command):
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == FINE else ""


def options_of(words):
    return [word.partition("=")[0] for word in words if word[:2] == "--"]


def shell_lines(text):
    """The words of each command in the `sh` blocks of a document."""
    for language, block in BLOCK.findall(text):
        for line in block.splitlines() if language == "sh" else ():
            if words := shlex.split(line, comments=True):
                yield words


def commands(tree):
    for words in shell_lines(tree.text("README.md")):
        # What is built has tests of its own where it is built.
        if words[0].startswith("build/") or words[0] in (*ELSEWHERE, LAB):
            continue
        program = tree.root / words[0]
        if not program.is_file():
            yield f"README.md: {words[0]} is not a program of this repository"
            continue
        text = help_of(program)
        for option in options_of(words[1:]):
            if option not in text:
                yield f"README.md: {words[0]} --help lists no {option}"


def lab_commands(tree):
    texts = {}
    for path in tree.matching(".md"):
        for words in shell_lines(tree.text(path)):
            if words[0] != LAB:
                continue
            name = " ".join(words[:2])
            if name not in texts:
                texts[name] = help_of(tree.root / LAB, *words[1:2])
            if not texts[name]:
                yield f"{path}: {name} has no help text"
                continue
            # A command with steps needs one: its usage line has the step behind the name.
            steps = re.findall(rf"^(?:usage:)? +{name} ([a-z]+)(?: |$)", texts[name], re.M)
            if steps and (len(words) < 3 or words[2] not in steps):
                yield f"{path}: {name} needs one of {', '.join(steps)}"
            for option in options_of(words[2:]):
                if option not in texts[name]:
                    yield f"{path}: {name} --help lists no {option}"


def work(options):
    tree = Tree(options.root)
    found = [*links(tree), *sizes(tree), *commands(tree), *lab_commands(tree)]
    for sentence in found:
        print(sentence, file=sys.stderr)
    print(f"documents: {len(tree.matching('.md'))} files, {len(found)} findings")
    return FORBIDDEN if found else FINE


def main(arguments):
    parser = Parser("lab docs --only prose", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, work, arguments)
