"""The style rules that no compiler checks: what is banned, where, and what to use instead.

usage: scripts/lab style [--root DIR] [FILE...]   check these files, or every file of the repository
       scripts/lab style --self-test              plant each fault once and require that it is found

exit status: 0 nothing found · 1 wrong use · 2 findings · 4 a planted fault was not found
"""

import ast
import os
import re
import subprocess
from pathlib import Path

from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN, Refused

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

    def matching(self, *endings, under=("",)):
        return [path for path in self.paths if path.endswith(endings) and path.startswith(under)]


# ----------------------------------------------------------------------------- the rules
# Each takes the tree and yields (path, line, what is wrong, what to do instead). In C++,
# clang-format finds long lines, and clang-tidy long functions.


def columns(tree):
    for path in tree.matching(*CMAKE, *SCRIPT):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if len(line) > COLUMNS:
                yield path, number, f"{len(line)} columns", f"break the line at {COLUMNS}"


def file_length(tree):
    for path in tree.matching(*CXX, *CMAKE, *SCRIPT):
        lines = len(tree.text(path).splitlines())
        if lines > FILE_LINES:
            yield path, lines, f"{lines} lines in one file", f"split it: at most {FILE_LINES}"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def shell_functions(text):
    first = None
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"[\w-]+\s*\(\)\s*[{(]", line):
            first = number
        if first and re.match(r"[})]", line):
            yield first, number
            first = None


def function_length(tree):
    for ending, functions in ((".py", python_functions), (".sh", shell_functions)):
        for path in tree.matching(ending):
            for first, last in functions(tree.text(path)):
                if last - first + 1 > FUNCTION_LINES:
                    yield (path, first, f"a function of {last - first + 1} lines",
                           f"give a part of it a name of its own: at most {FUNCTION_LINES}")


def no_sleep(tree):
    sleep = r"(?<!\w)(sleep_for|sleep_until|u?sleep|(clock_)?nanosleep)\s*\("
    for path in tree.matching(*CXX, under="impl/conformance/"):
        code = re.sub(r"//.*", "", tree.text(path))
        for number, found in tree_find(code, sleep):
            yield (path, number, f"{found.group(1)} in a test",
                   "wait on a gate or a latch for the event itself")


def no_backend_name(tree):
    for name in tree.backends:
        for path in tree.matching(*CXX, under=RUNNERS):
            # Comments and strings too: this is `grep -rw`, and a name in a comment ages as badly.
            for number, _ in tree_find(tree.text(path), rf"\b{name}\b"):
                yield (path, number, f"the back end {name} by name in a runner",
                       "iterate over the back-end table (backends.hpp)")


def cmake_patterns(text):
    """The sources a CMake file names, each as a pattern; ${...} in a name stands for anything."""
    patterns = []
    text = re.sub(r"(?m)#.*$", "", text)
    for token in re.findall(r"[\w./${}*+-]+\.(?:cpp|cc|c|hpp|h)(?:\.in)?(?![\w.])", text):
        token = re.sub(r"^\$\{(?:CMAKE_CURRENT_SOURCE_DIR|CMAKE_CURRENT_LIST_DIR)\}/", "", token)
        token = re.sub(r"^\$\{(?:PROJECT|CMAKE)_SOURCE_DIR\}/", "/", token)
        pattern = re.sub(r"\\\$\\\{\w+\\\}", "(.+)", re.escape(token)).replace(r"\*", "[^/]*")
        patterns.append(re.compile(pattern + "$"))
    return patterns


def is_named(path, cmake, patterns, words):
    folder = cmake.rpartition("/")[0]
    # A function in a .cmake file is called from other folders: its names are endings of paths.
    anywhere = cmake.endswith(".cmake")
    if folder and not anywhere and not path.startswith(folder + "/"):
        return False
    inside = path if anywhere or not folder else path[len(folder) + 1:]
    for pattern in patterns:
        found = (pattern.search if anywhere else pattern.match)(inside) or pattern.match("/" + path)
        # What a variable stood for has to occur somewhere: an entry of a table or a list.
        if found and all(re.split(r"[/.]", part)[-1] in words for part in found.groups()):
            return True
    return False


def dead_files(tree):
    named = {path: cmake_patterns(tree.text(path))
             for path in tree.matching(*CMAKE)}
    words = set(re.findall(r"[\w-]+", "\n".join(tree.text(path) for path in named)))
    included = {name for path in tree.matching(*CXX)
                for name in re.findall(r'#\s*include\s*["<]([^">]+)[">]', tree.text(path))}
    for path in tree.matching(*CXX, under=PROGRAMS):
        if any(f"/{path}".endswith(f"/{name}") for name in included):
            continue
        if not any(is_named(path, cmake, patterns, words)
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


RULES = (columns, file_length, function_length, no_sleep, no_backend_name, includes_go_down,
         dead_files)


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
