"""results/notes.jsonl: changes that were expected. A line is {"series", "commit", "reason"}; the
change of that series that came with that commit is reported as expected, and fails no night."""

import fnmatch
import json

from threadref_lab.store import schema

FILE = "notes.jsonl"


class Note:
    def __init__(self, line):
        self.series, self.commit, self.reason = line["series"], line["commit"], line["reason"]


def read(results):
    """(notes, problems): what can be read is, the rest is named with file and line."""
    path = results / FILE
    notes, problems, seen = [], [], {}
    if not path.exists():
        return notes, problems
    check = schema.validator("note")
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(),
                                  1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            problems.append(f"{path}:{number}: a torn line, skipped: not whole JSON")
            continue
        wrong = next(check.iter_errors(line), None)
        if wrong:
            problems.append(f"{path}:{number}: skipped: {wrong.message[:200]}")
            continue
        first = seen.setdefault((line["series"], line["commit"]), number)
        if first != number:
            problems.append(f"{path}:{number}: skipped: line {first} says that already")
            continue
        notes.append(Note(line))
    return notes, problems


def is_about(note, series):
    """Is it about that series? A note may name many, by a pattern as in a shell."""
    return fnmatch.fnmatchcase(series, note.series)


def reason(notes, series, names):
    """Why a change of this series within the commits `names` was expected; None: it was not."""
    for note in notes:
        if is_about(note, series) and any(commit.startswith(note.commit)
                                         or note.commit.startswith(commit) for commit in names):
            return note.reason
    return None
