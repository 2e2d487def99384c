"""The style rules that no compiler checks: what is banned, where, and what to use instead.

usage: scripts/lab style [--root DIR] [FILE...]   check these files, or every file of the repository
       scripts/lab style --self-test              plant each fault once and require that it is found

exit status: 0 nothing found · 1 wrong use · 2 findings · 4 a planted fault was not found
"""

import os
import re
import subprocess
from pathlib import Path

from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Refused
from threadref_lab.quality import source_text

COLUMNS, FUNCTION_LINES, FILE_LINES = 100, 70, 700

CXX = (".hpp", ".cpp", ".h", ".c", ".hpp.in", ".h.in")
CMAKE = ("CMakeLists.txt", ".cmake", ".cmake.in")
SCRIPT = (".sh", ".py", ".j2", ".ci/run", "scripts/lab")
PROGRAMS = ("impl/", "bench/", "stress/")
RUNNERS = ("bench/", "stress/", "impl/testing/", "impl/workers/")
TABLE = "impl/threadref/backends/CMakeLists.txt"


class Tree:
    """The files of a checkout and the two things rules ask about more than one of them."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = sorted(path for path in self._list() if (self.root / path).is_file())
        self._texts = {}
        self.backends = re.findall(r"^\s*threadref_backend\(\s*(\w+)", self.text(TABLE), re.M)

    def _list(self):
        # Files not yet added count too: the newest file is the likeliest to break a rule.
        git = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard"],
                             capture_output=True, text=True, check=False)
        if git.returncode == 0:
            return git.stdout.splitlines()
        # An unpacked archive has no git.
        return [str(path.relative_to(self.root)) for path in self.root.rglob("*")
                if not path.relative_to(self.root).parts[0] == "build"]

    def text(self, path):
        if path not in self._texts:
            try:
                self._texts[path] = (self.root / path).read_text(encoding="utf-8")
            except (FileNotFoundError, UnicodeDecodeError):
                self._texts[path] = ""  # pictures and the like: no rule is about them
        return self._texts[path]

    def code(self, path):
        """A C++ file without its comments and literals; line numbers stay."""
        return source_text.blank_comments_and_literals(self.text(path))

    def matching(self, *endings, under=("",)):
        return [path for path in self.paths if path.endswith(endings) and path.startswith(under)]


# ----------------------------------------------------------------------------- the rules
# Each takes the tree and yields (path, line, what is wrong, what to do instead).


def columns(tree):
    for path in tree.matching(*CXX, *CMAKE, *SCRIPT):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if len(line) > COLUMNS:
                yield path, number, f"{len(line)} columns", f"break the line at {COLUMNS}"


def file_length(tree):
    for path in tree.matching(*CXX, *CMAKE, *SCRIPT):
        lines = len(tree.text(path).splitlines())
        if lines > FILE_LINES:
            yield path, lines, f"{lines} lines in one file", f"split it: at most {FILE_LINES}"


def function_length(tree):
    finders = ((CXX, source_text.cxx_functions), ((".py",), source_text.python_functions),
               ((".sh",), source_text.shell_functions))
    for endings, functions in finders:
        for path in tree.matching(*endings):
            for first, last in functions(tree.text(path)):
                if last - first + 1 > FUNCTION_LINES:
                    yield (path, first, f"a function of {last - first + 1} lines",
                           f"give a part of it a name of its own: at most {FUNCTION_LINES}")


def conditional_compilation(tree):
    allowed = ("impl/threadref/backends/", "impl/threadref/config.hpp",
               "impl/threadref/threadref.h")
    for path in tree.matching(*CXX):
        if not path.startswith(allowed):
            for number, found in tree_find(tree.code(path), r"^\s*#\s*(if|ifdef|ifndef|elif)\b"):
                yield (path, number, f"#{found.group(1)}",
                       "decide in impl/threadref/config.hpp or in a back end's folder and use "
                       "the name defined there")


def no_assert(tree):
    for path in tree.matching(*CXX):
        for number, _ in tree_find(tree.code(path), r"(?<![\w.])assert\s*\("):
            yield (path, number, "assert, which Release compiles away",
                   "use THREADREF_CHECK, or static_assert")


def no_sleep(tree):
    sleep = r"(?<!\w)(sleep_for|sleep_until|u?sleep|(clock_)?nanosleep)\s*\("
    for path in tree.matching(*CXX, under="impl/conformance/"):
        for number, found in tree_find(tree.code(path), sleep):
            yield (path, number, f"{found.group(1)} in a test",
                   "wait on a gate or a latch for the event itself")


def no_backend_name(tree):
    for name in tree.backends:
        for path in tree.matching(*CXX, under=RUNNERS):
            # Comments and strings too: this is `grep -rw`, and a name in a comment ages as badly.
            for number, _ in tree_find(tree.text(path), rf"\b{name}\b"):
                yield (path, number, f"the back end {name} by name in a runner",
                       "iterate over the back-end table (backends.hpp)")


def licence(tree):
    line = "// SPDX-License-Identifier: MIT"
    for path in tree.matching(*CXX):
        if not tree.text(path).startswith(line):
            yield path, 1, "no licence on the first line", f"begin with '{line}'"


def machine_paths(tree):
    pattern = r"(?:^|[\s\"'`=(:,>\[])(/(?:work|root|home)(?:/[\w./-]*)?)(?![\w/-])"
    for path in tree.paths:
        for number, found in tree_find(tree.text(path), pattern):
            yield (path, number, f"'{found.group(1)}', a path of one machine",
                   "use a path relative to the repository")


def dead_files(tree):
    named = {path: source_text.cmake_patterns(tree.text(path))
             for path in tree.matching(*CMAKE)}
    words = set(re.findall(r"[\w-]+", "\n".join(tree.text(path) for path in named)))
    included = {name for path in tree.matching(*CXX)
                for name in re.findall(r'#\s*include\s*["<]([^">]+)[">]', tree.text(path))}
    for path in tree.matching(*CXX, under=PROGRAMS):
        if any(f"/{path}".endswith(f"/{name}") for name in included):
            continue
        if not any(source_text.is_named(path, cmake, patterns, words)
                   for cmake, patterns in named.items()):
            yield (path, 1, "a source file that no target uses",
                   "name it in its folder's CMakeLists.txt, or delete it")


# Includes go down this list, and from one of the last three to none of the others.
LAYERS = ("impl/threadref", "impl/testing", "impl/scenarios", "impl/workers")
ON_TOP = ("impl/conformance", "bench", "stress")


def layer(path):
    return next((each for each in (*LAYERS, *ON_TOP) if path.startswith(f"{each}/")), None)


def includes_go_down(tree):
    known = set(tree.paths)
    for path in tree.matching(*CXX, under=PROGRAMS):
        mine = layer(path)
        for number, found in tree_find(tree.text(path), r'^\s*#\s*include "([^"]+)"'):
            name = found.group(1)
            target = next((each for each in (name, f"impl/{name}", f"impl/{name}.in")
                           if each in known), None)
            other = layer(target) if target else None
            if other is None or other == mine or (other in LAYERS and (
                    mine in ON_TOP or LAYERS.index(other) < LAYERS.index(mine))):
                continue
            yield (path, number, f"{name}, which is above {mine} or beside it",
                   f"include only what is below: {', '.join(LAYERS)}")


RULES = (columns, file_length, function_length, conditional_compilation, no_assert,
         no_sleep, no_backend_name, includes_go_down, licence, machine_paths, dead_files)


def tree_find(text, pattern):
    for found in re.finditer(pattern, text, re.M):
        yield text.count("\n", 0, found.start(found.lastindex or 0)) + 1, found


def findings(tree):
    return [(rule.__name__, *finding) for rule in RULES for finding in rule(tree)]


def check(root, only):
    tree = Tree(root)
    if not tree.paths:
        raise Refused(f"{root} holds no files to check; name the repository")
    strangers = [path for path in only if path not in tree.paths]
    if strangers:
        raise Refused(f"{strangers[0]} is not a file of {root}")
    found = [entry for entry in findings(tree) if not only or entry[1] in only]
    for rule, path, line, wrong, remedy in found:
        print(f"{path}:{line}: {wrong} is banned; {remedy}. [{rule}]")
    print(f"lab style: {len(tree.paths)} files, {len(RULES)} rules, {len(found)} findings")
    return FORBIDDEN if found else FINE


def main(arguments):
    parser = Parser("lab style", __doc__)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(arguments)
    if options.self_test:
        from threadref_lab.quality import style_faults  # only this needs the planted files
        return style_faults.self_test(RULES, Tree, findings)
    root = options.root.resolve()
    return check(root, [os.path.relpath(path, root) for path in options.files])
