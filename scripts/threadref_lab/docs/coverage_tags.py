"""The tags of tests: which rows of the coverage table they show.

A tag stands in the comment directly above a test, an event, a scenario or its body, or above a
function of a test program without GoogleTest:

  // Shows: R-01, R-05.
  // Differs: R-14: a sentence that says how this library differs, and why, up to the end of the
  // comment, or to an empty line of it.
"""

import collections
import re

# A tag of the test `item`, and where the tag stands.
Tag = collections.namedtuple("Tag", "id differs item place")  # differs: "" or the sentence


class Fault(Exception):
    """A tag without an id or a reason, or above nothing that may have tags."""


COMMENT = re.compile(r"^\s*// ?(.*)$")
BEGIN = re.compile(r"(Shows|Differs):\s*(.*)$")
ID = re.compile(r"[A-Z]{1,2}-\d{2}")
GTEST = re.compile(r"^(TYPED_)?TEST(_P|_F)?\(\s*(?P<suite>\w+),\s*(?P<name>\w+)\)")
ROW = re.compile(r"^\{?\{\.name = (?:\"([^\"]+)\"|(\w+)),")
KEY = re.compile(r"\.key = id::(\w+),\s*\.name = \"([^\"]+)\"|"
                 r"(?:sweep|teardown)\(id::(\w+), \"([^\"]+)\"")
BODY = re.compile(r"^(?:template <[^>]*>\s*)?(?:struct body|const scenario_code& scenario_of)"
                  r"<(?:scenarios::)?id::(\w+)")
FUNCTION = re.compile(r"^(?:template <[^>]*>\s*)?(?:(?:static|inline|const|unsigned) )*"
                      r"[\w:]+[\w:<>*& ]*[*& ](\w+)\(")
MAIN = re.compile(r"^int main\(", re.M)


def scenario_names(text):
    """{id: name} of the table of scenarios."""
    return {found[1] or found[3]: found[2] or found[4] for found in KEY.finditer(text)}


def item(lines, at, path, scenarios):
    """The name of the test, event or scenario that begins in that line; None if nothing that may
    have tags begins there."""
    code = " ".join(line.strip() for line in lines[at:at + 3])
    if found := GTEST.match(code):
        suite, name = found["suite"], found["name"]
        if found[2] == "_P":
            return f"*{suite}.{name}/*"
        return f"{suite}/*.{name}" if found[1] else f"{suite}.{name}"
    if found := ROW.match(code):
        if found[1]:
            return found[1]
        named = re.search(rf"std::string_view {found[2]} = \"([^\"]+)\"", "\n".join(lines))
        return named[1] if named else None
    if found := KEY.match(code.lstrip("{")):
        return found[2] or found[4]
    if found := BODY.match(code):
        return scenarios.get(found[1])
    # Helpers have no tags: a function counts in a program of its own.
    if not lines[at:at + 1] or lines[at].startswith(" ") or not MAIN.search("\n".join(lines)):
        return None
    if (found := FUNCTION.match(code)) and not any(GTEST.match(line) for line in lines):
        stem = path.rpartition("/")[2].partition(".")[0]
        return stem if found[1] == "main" else f"{stem}: {found[1]}"
    return None


def sentences(comment, place):
    """(kind, text, line) of each tag in the lines of a comment, [(number, text)]."""
    tags = []
    open_tag = False
    for number, text in comment:
        if found := BEGIN.match(text):
            tags.append([found[1], found[2], number])
            open_tag = True
        elif not text.strip():
            open_tag = False
        elif open_tag:
            tags[-1][1] += " " + text.strip()
        if open_tag and tags[-1][0] == "Shows" and tags[-1][1].endswith("."):
            open_tag = False
    for kind, text, number in tags:
        if not text.endswith("."):
            raise Fault(f"{place}:{number}: a tag ends with a full stop")
    return tags


def read_tag(kind, text, place):
    """[(id, sentence)]"""
    if kind == "Shows":
        ids = text[:-1].split(", ")
        if not all(ID.fullmatch(each) for each in ids):
            raise Fault(f"{place}: 'Shows:' wants ids with commas between them")
        return [(each, "") for each in ids]
    one, colon, sentence = text.partition(": ")
    if not colon or not ID.fullmatch(one) or len(sentence) < 2:
        raise Fault(f"{place}: 'Differs:' wants one id, a colon, and a sentence")
    return [(one, sentence[:-1])]


def in_file(path, text, scenarios):
    """(tags, faults) of a source file."""
    lines = text.splitlines()
    tags, faults = [], []
    comment = []
    for at, line in enumerate([*lines, ""]):
        found = COMMENT.match(line)
        if found:
            comment.append((at + 1, found[1]))
            continue
        try:
            for kind, what, number in sentences(comment, path):
                place = f"{path}:{number}"
                below = item(lines, at, path, scenarios)
                if below is None:
                    raise Fault(f"{place}: no test, event, scenario or body is directly below")
                tags += [Tag(one, differs, below, place)
                         for one, differs in read_tag(kind, what, place)]
        except Fault as fault:
            faults.append(str(fault))
        comment = []
    return tags, faults
