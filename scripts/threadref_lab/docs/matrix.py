"""Writes the guarantee matrix into stress/docs/guarantee_matrix.md, from the results of a run.

usage: scripts/lab docs --only matrix [--check] [--matrix FOLDER] [--root DIR]

  --check           writes nothing, and says whether the page shows the rows, columns, words
                    and commands of the run. What the run left out, and what is absent here, is not
                    compared. A word that differs is checked again in five trials, since it may
                    be a matter of luck
  --matrix FOLDER   the FOLDER of stress_threadref --matrix --out=FOLDER [build/release/matrix]
  --root DIR        the checkout whose page is written [this one]
  --help            this text

exit status: 0 fine · 1 wrong use · 2 a table is stale, or a cell failed · 3 the run is not usable
"""

import json
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from threadref_lab.cli.arguments import Parser, run
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FORBIDDEN, Unusable
from threadref_lab.docs.block import Block

BLOCK = Block("matrix", "docs --only matrix")
PAGE = "stress/docs/guarantee_matrix.md"
NOT_COMPARED = ("absent", "unknown")
ROW = re.compile(r"^\| `(?P<event>[\w/]+)`.*?\|(?P<words>.*)\|$", re.M)
COLUMNS = re.compile(r"^\| what happens \|(?P<names>.*)\|$", re.M)
REFRESH = ("build/release/bin/stress_threadref --matrix --out=build/release/matrix && "
           f"{BLOCK.command}")
COMMAND = "stress_threadref --filter='^{cell}$'"


def read(folder):
    """(the document, the Markdown) of a run."""
    try:
        document = json.loads((folder / "matrix.json").read_text(encoding="utf-8"))
        text = (folder / "matrix.md").read_text(encoding="utf-8")
    except json.JSONDecodeError as error:
        raise Unusable(f"{folder}/matrix.json is not valid JSON ({error})") from error
    if document.get("interrupted") or not document.get("cells"):
        raise Unusable(f"{folder}: that run was interrupted, or played nothing")
    return document, text


def shown(text):
    """(columns, {event: {mechanism: word}}) of a table in Markdown."""
    head = COLUMNS.search(text)
    names = re.findall(r"`(\w+)`", head["names"]) if head else []
    rows = {}
    for line in ROW.finditer(text):
        words = [re.sub(r"\*\*|\[\d+\]", "", cell).strip() for cell in line["words"].split("|")]
        rows[line["event"]] = dict(zip(names, words))
    return names, rows


def by_luck(text):
    """The cells of a table whose word not all trials came to."""
    notes = dict(re.findall(r"^(\d+)\. (.*)$", text, re.M))
    names, _ = shown(text)
    for line in ROW.finditer(text):
        for name, words in zip(names, line["words"].split("|")):
            number = re.search(r"\[(\d+)\]", words)
            if number and re.search(r"\d+ of \d+ trials", notes.get(number[1], "")):
                yield f"{line['event']}/{name}"


def played_again(cell):
    """The cell, played as often as in a whole run; as it was, if that can't be."""
    command = [each for each in shlex.split(cell["again"]) if each != "--smoke"]
    with tempfile.TemporaryDirectory(prefix="threadref-matrix-") as place:
        path = Path(place, "cell.json")
        try:
            subprocess.run([*command, f"--json={path}"], capture_output=True, check=False)
            return json.loads(path.read_text(encoding="utf-8"))["events"][0]
        except (OSError, json.JSONDecodeError, KeyError, IndexError):
            return cell


def differs(cell, old):
    if not old or not {old, cell["word"]}.isdisjoint(NOT_COMPARED) or old == cell["word"]:
        return False
    again = played_again(cell)
    words = {condition["word"] for condition in again.get("conditions", [])
             if condition["trials_so"] != condition["trials"]}
    return again["word"] != old and not words


def complaints(document, text, lucky):
    """What the table says that the run did not see."""
    columns, rows = shown(text)
    wanted = [each["mechanism"] for each in document["columns"]]
    if columns != wanted:
        yield f"{PAGE}: its columns are {', '.join(columns) or 'none'}, not {', '.join(wanted)}"
        return
    events = [each["event"] for each in document["rows"]]
    if list(rows) != events:
        differ = sorted(set(rows) ^ set(events))
        yield f"{PAGE}: its rows are not those of the program: {', '.join(differ) or 'their order'}"
    for cell in document["cells"]:
        old = rows.get(cell["event"], {}).get(cell["mechanism"], "")
        if cell["cell"] not in lucky and differs(cell, old):
            yield (f"{PAGE}: {cell['cell']} is '{cell['word']}' and not '{old}'"
                   f" ({cell['why'] or 'no reason'}); again: {cell['again']}")
        if COMMAND.format(cell=cell["cell"]).partition(" ")[2] not in cell["again"]:
            yield f"{PAGE}: the command that it shows is not that of {cell['cell']}"
    if COMMAND.format(cell="<event>/<mechanism>") not in text:
        yield f"{PAGE}: it does not say how to play a cell again"


def work(options):
    document, text = read(options.matrix)
    failed = [cell["cell"] for cell in document["cells"] if cell["verdict"] != "passed"]
    if failed:
        raise Unusable(f"no table of a run in which these failed: {', '.join(failed)}", FORBIDDEN)
    page = options.root / PAGE
    if not options.check:
        return BLOCK.write(page, text)
    there = BLOCK.within(page)
    return BLOCK.report(page, list(complaints(document, there, set(by_luck(there)))), REFRESH)


def main(arguments):
    parser = Parser("lab docs --only matrix", __doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--matrix", type=Path, default=ROOT / "build/release/matrix")
    parser.add_argument("--root", type=Path, default=ROOT)
    return run(parser, work, arguments)
