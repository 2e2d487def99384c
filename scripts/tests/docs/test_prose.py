"""What documents promise, in a small checkout: each fault is planted alone and found."""

import pytest

from threadref_lab.cli import status
from threadref_lab.docs import prose

README = """# A project

![a picture](picture.svg) and [another page](docs/page.md#a-heading), not `[this](one)`.

```sh
scripts/run.sh --quick   # and what follows is no option: --none
scripts/lab page write --out x
```

```cpp
[](const auto&) {}
```
"""

LAB = """[ "$1" = page ] || exit 1
echo 'usage: scripts/lab page write [--out FILE]'
echo '       scripts/lab page build'"""


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "picture.svg").write_text("<svg/>")
    (tmp_path / "docs/page.md").write_text("# A `heading`\n\n[back](../README.md) "
                                           "[out](https://example.org/none)\n")
    for name, said in (("run.sh", "echo 'options: --quick'"), ("lab", LAB)):
        program = tmp_path / "scripts" / name
        program.write_text(f"#!/bin/sh\n{said}\n")
        program.chmod(0o755)
    return tmp_path


def check(root, capsys):
    ended = prose.main(["--root", str(root)])
    return ended, capsys.readouterr().err


def test_finds_nothing_where_all_is_well(root, capsys):
    assert check(root, capsys) == (status.FINE, "")


@pytest.mark.parametrize("was, planted, finding", [
    ("picture.svg", "gone.svg", "README.md: the link gone.svg leads nowhere"),
    ("docs/page.md#a-heading", "docs/none.md", "README.md: the link docs/none.md leads nowhere"),
    ("#a-heading", "#another", "README.md: docs/page.md#another: there is no such heading"),
    ("scripts/run.sh --quick", "scripts/walk.sh", "README.md: scripts/walk.sh is not a program"),
    ("--quick", "--slow", "README.md: scripts/run.sh --help lists no --slow"),
    ("lab page write", "lab pages write", "README.md: scripts/lab pages has no help text"),
    ("page write", "page", "README.md: scripts/lab page needs one of write, build"),
    ("--out x", "--into x", "README.md: scripts/lab page --help lists no --into"),
    ("# A project", "# A project\n" * 200, " lines; at most 160"),
    ("# A project", "# A project" + "x" * 11000, "bytes; at most 10240"),
], ids=("picture", "file", "heading", "program", "option", "command of lab", "step of lab",
        "option of lab", "lines", "bytes"))
def test_finds_what_is_planted(root, capsys, was, planted, finding):
    (root / "README.md").write_text(README.replace(was, planted, 1))
    ended, said = check(root, capsys)
    assert ended == status.FORBIDDEN
    assert finding in said


def test_counts_no_words_of_a_generated_table(root, capsys):
    (root / "stress").mkdir()
    page = root / "stress/README.md"
    page.write_text("<!-- begin: t; generated -->\n" + "word " * 1500 + "\n<!-- end: t -->\n")
    assert check(root, capsys) == (status.FINE, "")
    page.write_text("word " * 1500)
    assert "stress/README.md: 1500 words; at most 1200" in check(root, capsys)[1]
