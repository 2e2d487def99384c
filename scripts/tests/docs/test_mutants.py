"""The table of mutants has a row for each mutant, and no other."""

import pytest

from tests.calls import lab
from threadref_lab.docs import mutants
from threadref_lab.quality.mutants import table

ROW = {"id": "one", "breaks": "it", "outcome": "killed", "killer": "run program", "how": "failed",
       "seconds": .5}
TOML = """[[mutant]]
id = "one"
breaks = "it"
file = "library.c"
before = "return 0"
after = "return 1"
killers = ["run program"]
"""


@pytest.fixture
def root(tmp_path):
    for name, text in (("library.c", "return 0;"), (f"{table.FOLDER}/all.toml", TOML)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    page = tmp_path / mutants.PAGE
    page.parent.mkdir(parents=True)
    page.write_text(f"{mutants.BLOCK.begin}\n{mutants.BLOCK.end}\n")
    return tmp_path


def check(root, *rows):
    mutants.BLOCK.write(root / mutants.PAGE, mutants.markdown(rows))
    return lab("docs", "--only", "mutants", "--check", "--root", root)


def test_a_row_for_each(root):
    assert check(root, ROW) == (0, "mutants.md: 'mutants' is up to date\n")


@pytest.mark.parametrize("rows, named", [
    ([], "`one`"), ([ROW, {**ROW, "id": "two"}], "`two`"), ([{**ROW, "breaks": "all"}], "`one`"),
    ([ROW, ROW], "a row too many")])
def test_a_table_that_is_stale(root, rows, named):
    status, said = check(root, *rows)
    assert status == 2
    assert named in said and "scripts/lab mutate --page" in said


def test_only_a_run_writes_it(root):
    status, said = lab("docs", "--only", "mutants", "--root", root)
    assert (status, said.count("\n")) == (1, 1)
