"""Splits C++, Python, shell and CMake text as far as the rules of `lab style` need it."""

import ast
import re

LITERALS = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<raw>[^()\s]*)\(.*?\)(?P=raw)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![\w'])'(?:\\.|[^'\\\n])+'", re.S)


def blank_comments_and_literals(text):
    """Includes keep their file names: they are not strings."""
    def blank(found):
        line = text[text.rfind("\n", 0, found.start()) + 1:found.start()]
        if re.match(r"\s*#\s*include\s*$", line):
            return found.group()
        return re.sub(r"[^\n]", " ", found.group())
    return LITERALS.sub(blank, text)


def cxx_functions(text):
    """(first, last) line of each function body at namespace or class level.

    No parser: what stands before a brace says whether it opens a scope to look into, a function,
    or an initialiser. Lambdas inside a function are part of it.
    """
    code = blank_comments_and_literals(text)
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*",
                  lambda found: re.sub(r"[^\n]", " ", found.group()), code, flags=re.M)
    head, head_at, open_braces = "", 0, []
    for at, char in enumerate(code):
        inside = open_braces[-1][0] if open_braces else "scope"
        if char == "{":
            kind = brace_kind(head) if inside == "scope" else "nested"
            open_braces.append((kind, head_at, head))
            if kind == "scope":
                head = ""
        elif char == "}" and open_braces:
            kind, began, before = open_braces.pop()
            if kind == "function":
                yield line_of(code, began), line_of(code, at)
            if kind in ("function", "scope"):
                head = ""
            elif kind == "data":
                head = before + "{}"  # a member initialiser: the function's head goes on
        elif inside == "scope":
            if char in ";" or (char == ":" and head.strip() in ("public", "private", "protected")):
                head = ""
            else:
                if not head.strip() and not char.isspace():
                    head, head_at = "", at
                head += char


def brace_kind(head):
    head = head.strip()
    head = re.sub(r"\[\[.*?\]\]|\balignas\s*\([^)]*\)", "", head, flags=re.S).strip()
    while head.startswith("template"):
        head = after_angle_brackets(head[len("template"):].lstrip())
    if re.match(r"(inline\s+)?namespace\b", head) or re.fullmatch(r"extern\s*", head):
        return "scope"
    if re.match(r"(typedef\s+)?(class|struct|union)\b", head) and "(" not in head:
        return "scope"
    if "(" not in head or re.match(r"enum\b", head):
        return "data"
    in_member_initialisers = re.search(r"\)[^()]*[^:]:[^:]", head) and re.search(r"[\w>]$", head)
    if in_member_initialisers or re.search(r"=\s*[\w:<>]*$", head):
        return "data"
    return "function"


def after_angle_brackets(head):
    depth = 0
    for at, char in enumerate(head):
        depth += (char == "<") - (char == ">")
        if depth == 0:
            return head[at + 1:].lstrip()
    return head


def line_of(text, at):
    return text.count("\n", 0, at) + 1


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
