"""The digest of the matrix in README.md: its marks are those of the matrix, or it is stale."""

import pytest

from threadref_lab.cli import status
from threadref_lab.docs import digest, matrix


def document(block, text):
    return f"before\n{block.begin}\n\n{text}\n\n{block.end}\nafter\n"


HEAD = "| what happens |" + "".join(f" `{name}` |" for name in digest.COLUMNS)
FULL = (f"{HEAD}\n| --- |\n| `end/return` run? | guaranteed | **lost** [1] | conditional "
        "| **hangs** | refused |")
SHORT = ("| when | a | b | c | d | e |\n|---|\n"
         "| it returns<br>[`end/return`](x.md) | ? | ? | ? | ? | ? |")


@pytest.fixture
def root(tmp_path):
    (tmp_path / matrix.PAGE).parent.mkdir(parents=True)
    (tmp_path / matrix.PAGE).write_text(document(matrix.BLOCK, FULL))
    (tmp_path / digest.README).write_text(document(digest.BLOCK, SHORT))
    return tmp_path


def run(root, *options):
    return digest.main([*options, "--root", str(root)])


def test_what_it_writes_is_fresh(root):
    assert run(root, "--check") == status.FORBIDDEN
    assert run(root) == status.FINE
    assert "(x.md) | ✓ | ✗ | ~ | ‼ | ∅ |" in (root / digest.README).read_text()
    assert run(root, "--check") == status.FINE


def test_a_word_that_changed_makes_it_stale(root, capsys):
    run(root)
    changed = (root / matrix.PAGE).read_text().replace("conditional", "guaranteed")
    (root / matrix.PAGE).write_text(changed)
    assert run(root, "--check") == status.FORBIDDEN
    assert "end/return" in capsys.readouterr().err


@pytest.mark.parametrize("planted, sentence", [
    (("end/return`]", "end/none`]"), "the matrix has no event 'end/none'"),
    (("[`end/return`](x.md)", "no event"), "its table names no event"),
])
def test_a_row_that_leads_nowhere_is_named(root, capsys, planted, sentence):
    readme = (root / digest.README)
    readme.write_text(readme.read_text().replace(*planted))
    assert run(root, "--check") == status.UNUSABLE
    assert sentence in capsys.readouterr().err


def test_a_mechanism_that_was_not_played_is_named(root, capsys):
    (root / matrix.PAGE).write_text(document(matrix.BLOCK, FULL.replace("conditional", "absent")))
    assert run(root, "--check") == status.UNUSABLE
    assert "end/return/peer_boost_tss_each" in capsys.readouterr().err
