"""How the page is written: built where that is needed, filled with what is stored, or left alone
with one sentence that says why."""

import contextlib
import io
import json
import os
import re
import tempfile
import unittest
from pathlib import Path

from tests.store import history
from threadref_lab.dashboard import page

TEMPLATE = ('<!doctype html><script type="application/json" id="threadref-data">null</script>'
            '<p>built {}</p>\n')
BUILDS = """#!/bin/sh
root=$(dirname "$0")/..
echo "$*" >>"$root/calls.txt"
mkdir -p "$root/results/dashboard/dist"
cat >"$root/results/dashboard/dist/index.html" <<'END'
{}END
"""
FAILS = "#!/bin/sh\necho 'lab page: npm is missing: install Node' >&2\nexit 1\n"


class PageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-page-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.results = self.root / "results"
        self.out = self.results / "dashboard" / "index.html"
        self.source = self.results / "dashboard" / "src" / "logic" / "age.ts"
        self.source.parent.mkdir(parents=True)
        self.source.touch()
        (self.root / "scripts").mkdir()
        self.dashboard(BUILDS.format(TEMPLATE.format("once")))

    def dashboard(self, text):
        path = self.root / "scripts" / "lab"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def stored(self, nights=1):
        return history.store(self.results, lambda night: [history.bench(ratio=1.5)], nights)

    def page(self, *arguments):
        """(status, what it says)"""
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(io.StringIO()) as wrong:
            status = page.main(["--results", str(self.results), *arguments], self.root)
        return status, said.getvalue() + wrong.getvalue()

    def data(self):
        html = self.out.read_text(encoding="utf-8")
        return json.loads(re.search(r'id="threadref-data">(.*?)</script>', html, re.S)[1])

    def builds(self):
        path = self.root / "calls.txt"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def test_a_page_of_what_is_stored(self):
        self.stored(2)
        self.assertEqual(self.page(), (0, f"{self.out}\n"))
        self.assertEqual(len(self.data()["machines"][0]["runs"]), 2)
        self.assertEqual(self.builds(), ["page", "build"])

    def test_it_is_built_again_only_for_newer_sources(self):
        self.stored()
        self.page()
        self.dashboard(BUILDS.format(TEMPLATE.format("twice")))
        self.assertEqual(self.page()[0], 0)
        self.assertIn("built once", self.out.read_text(encoding="utf-8"))
        os.utime(self.source, (4e9, 4e9))
        self.assertEqual(self.page()[0], 0)
        self.assertIn("built twice", self.out.read_text(encoding="utf-8"))
        self.assertEqual(self.builds(), ["page", "build"] * 2)

    def test_where_it_cannot_be_built_the_old_one_stays(self):
        self.stored()
        self.page()
        before = self.out.read_bytes()
        self.stored(2)
        os.utime(self.source, (4e9, 4e9))
        self.dashboard(FAILS)
        self.assertEqual(self.page(), (
            3, "lab page write: no page is written, because none could be built to put the data "
               "into: "
               "npm is missing: install Node\n"))
        self.assertEqual(self.out.read_bytes(), before)

    def test_nothing_stored_is_not_a_page(self):
        self.assertEqual(self.page(), (3, f"lab page write: {self.results} holds no run to show\n"))
        self.assertFalse(self.out.exists())

    def test_somewhere_else(self):
        self.stored()
        self.out = self.root / "elsewhere" / "page.html"
        self.assertEqual(self.page("--out", str(self.out)), (0, f"{self.out}\n"))
        self.assertEqual(self.data()["machines"][0]["name"], "box")

    def test_a_torn_line_is_named_on_the_page(self):
        path, = self.stored()
        path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
        status, said = self.page()
        self.assertEqual(status, 0)
        self.assertIn(f"{path}:2: a torn line, skipped", said)
        problem, = self.data()["problems"]
        self.assertRegex(problem, r"^results/box/2026/\S+\.jsonl:2: a torn line, skipped")

    def test_no_path_of_this_machine_is_on_it(self):
        self.stored()
        self.page()
        self.assertNotIn(str(self.root), self.out.read_text(encoding="utf-8"))
