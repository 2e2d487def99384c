"""Which sources clang-tidy reads: those that were touched, and for each touched header one source
that includes it."""

import os
import re
import subprocess
from pathlib import Path

from threadref_lab.cli.status import MISUSE, Unusable

# What decides how every file is read.
READ_ALL = {".clang-tidy", "scripts/check.sh", "scripts/threadref_lab/quality/tidy.py",
            "scripts/threadref_lab/quality/touched.py"}
HEADERS = (".h", ".hpp")
HOURS = 4
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]', re.MULTILINE)


def git(root, *arguments):
    """What git says; None if it refuses."""
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def base_of(root):
    """The commit since which changes count, and why; None if the history does not reach so far."""
    head = git(root, "rev-parse", "HEAD")
    for main in ("origin/main", "@{upstream}"):
        base = git(root, "merge-base", "HEAD", main)
        if base and base != head:
            return base, f"where it left {main}"
        if base:
            break
    # CI has a fresh clone of main, in which nothing is ahead of it: what came in with the last push
    # is not known there, so what came in lately counts.
    newest = int(git(root, "show", "--no-patch", "--format=%ct", "HEAD"))
    base = git(root, "rev-list", "-1", "--first-parent", f"--before={newest - HOURS * 3600}",
               "HEAD")
    return base or None, f"{HOURS} hours before its newest commit"


def changed(root, base):
    """Paths that differ from a commit, committed or not, and still exist."""
    names = git(root, "diff", "--name-only", "--no-renames", "-z", base)
    if names is None:
        raise Unusable(f"'{base}' is not a commit of this repository", MISUSE)
    names += "\0" + (git(root, "ls-files", "--others", "--exclude-standard", "-z") or "")
    return {Path(name) for name in names.split("\0") if name and (Path(root) / name).is_file()}


class Includes:
    """What a source includes of this repository, by its text: a branch that the preprocessor leaves
    out counts too. Paths are strings here: there are a hundred thousand of them."""

    def __init__(self, root):
        self.root = str(root)
        self._named = {}
        self._found = {}

    def _names(self, path):
        if path not in self._named:
            text = Path(self.root, path).read_text(encoding="utf-8", errors="replace")
            self._named[path] = INCLUDE.findall(text)
        return self._named[path]

    def _path(self, folder, name):
        """Of what is called `name` in a folder; None if nothing is."""
        if (folder, name) not in self._found:
            path = os.path.normpath(os.path.join(folder, name))
            exists = os.path.isfile(os.path.join(self.root, path))
            self._found[folder, name] = path if exists else None
        return self._found[folder, name]

    def of(self, source, folders):
        """Through others too; `folders` are searched in their order."""
        found, todo = set(), [str(source)]
        while todo:
            at = todo.pop()
            places = (os.path.dirname(at), *folders)
            for name in self._names(at):
                path = next(filter(None, (self._path(each, name) for each in places)), None)
                if path and path not in found:
                    found.add(path)
                    todo.append(path)
        return {Path(path) for path in found}


def folders_of(root, options):
    """Those of -I that are inside the repository."""
    paths = (Path(word[2:]) for word in options if word.startswith("-I"))
    return [str(path.relative_to(root)) for path in paths if path.is_relative_to(root)]


def chosen(root, options, touched):
    """(the sources to read, the headers that no source includes)

    `options` are those of each source. A header that a chosen source includes is read with it. For
    the others the source is taken that includes the least beside it.
    """
    picked = {path for path in options if path in touched}
    headers = [path for path in touched if path.suffix in HEADERS]
    if not headers:
        return picked, []
    includes = Includes(root)
    closures = {path: includes.of(path, folders_of(root, how)) for path, how in options.items()}
    by = {header: [path for path in closures if header in closures[path]] for header in headers}
    unread = []
    for header in sorted(headers, key=lambda header: (len(by[header]), header)):
        if not by[header]:
            unread.append(header)
        elif not picked.intersection(by[header]):
            # C sees less of a header than C++ does.
            picked.add(min(by[header],
                           key=lambda path: (path.suffix == ".c", len(closures[path]), path)))
    return picked, unread


def select(root, options, since=None, *, everything=False):
    """(the sources to read, the headers that no source includes, a sentence)"""
    root = Path(root)
    every = f"all {len(options)} files"
    if everything:
        return set(options), [], every
    base, why = (since, "as asked") if since else base_of(root)
    if base is None:
        return set(options), [], f"{every}: the history begins later than {why}"
    touched = changed(root, base)
    name = git(root, "rev-parse", "--short", f"{base}^{{commit}}")
    if rules := sorted(READ_ALL & {str(path) for path in touched}):
        return set(options), [], f"{every}: {rules[0]} changed since {name}"
    picked, unread = chosen(root, options, touched)
    return picked, unread, f"{len(picked)} of {len(options)} files, since {name} ({why})"
