"""The two lists of exit statuses, for Python and for the shell, are one."""

import re
from pathlib import Path

from threadref_lab.cli import status
from threadref_lab.cli.checkout import ROOT


def test_the_shell_has_the_same_list():
    text = (ROOT / "scripts/common.sh").read_text(encoding="utf-8")
    line, = re.findall(r"^readonly (fine=.*)$", text, re.M)
    in_shell = {name.upper(): int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
    in_python = {name: value for name, value in vars(status).items() if isinstance(value, int)}
    assert in_shell == in_python


def test_nobody_defines_them_anew():
    names = "|".join(name for name, value in vars(status).items() if isinstance(value, int))
    anew = re.compile(rf"^(?:\w+, )*(?:{names})(?:, \w+)* = [\d, ]+$", re.M)
    assert anew.search("FINE, FORBIDDEN = 0, 2\n")
    package = ROOT / "scripts/threadref_lab"
    assert [path.relative_to(package) for path in package.rglob("*.py")
            if anew.search(path.read_text(encoding="utf-8"))] == [Path("cli/status.py")]
