#!/usr/bin/python3
"""The dashboard for one night, two nights, failures and holes: a hole is said, never hidden."""

import contextlib
import io
import re
import tempfile
import unittest
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path

from scripts.tests import night
import page
import store
import trends


class Balanced(HTMLParser):
    """Fails on a tag that is closed wrongly; collects the text."""

    VOID = ("meta", "br", "hr", "img", "input", "link", "use")

    def __init__(self):
        super().__init__()
        self.open_tags, self.words, self.ids = [], [], []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            opened = self.open_tags.pop()
            assert opened == tag, f"<{opened}> closed by </{tag}>"

    def handle_data(self, data):
        self.words.append(data)


class PageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-page-")
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name) / "results"

    def page(self):
        """(html, its text in one line) of what is stored."""
        out = self.results / "dashboard" / "index.html"
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.assertEqual(page.main(["--results", str(self.results)]), 0)
        html = out.read_text(encoding="utf-8")
        parsed = Balanced()
        parsed.feed(html)
        self.assertEqual(parsed.open_tags, [])
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)), "an id names two things")
        return html, re.sub(r"\s+", " ", " ".join(parsed.words))

    def test_one_night(self):
        night.stored(self.results, 1)
        html, text = self.page()
        self.assertIn("All is well (box, 2026-01-01 02:00 UTC): 2 back ends ran 12,800 finalizers",
                      text)
        self.assertIn("registration, 256 finalizers", text)

    def test_it_needs_nothing_but_itself(self):
        night.stored(self.results, 1)
        html, _ = self.page()
        self.assertEqual(re.findall(r'(?:src|href)="(?!#)[^"]*"', html), [])
        self.assertNotIn("@import", html)
        for picture in re.findall(r"<svg.*?</svg>", html, re.S):
            xml.fromstring(picture)
            self.assertRegex(picture[:300], r'role="img" aria-label="[^"]{20,}')

    def test_two_nights(self):
        night.stored(self.results, 1)
        night.stored(self.results, 2, compiler="g++ 12.3.0")
        html, text = self.page()
        self.assertIn("over 2 nights", html)
        self.assertIn('<td class="text changed">g++ 12.3.0</td>', html)
        self.assertLess(text.index("2026-01-02T020000Z"), text.rindex("2026-01-01T020000Z"))

    def test_a_missing_cell_is_said(self):
        night.stored(self.results, 1)
        night.stored(self.results, 2, leave_out=("finalize/exit/registry/n:16", "churn/registry"))
        _, text = self.page()
        self.assertIn("registry: not for exit, 16 finalizers (no result, and no reason recorded)",
                      text)
        self.assertIn("registry: not for churn (no result, and no reason recorded)", text)
        self.assertIn("registry: not on 2026-01-02T020000Z-1a2b3c4", text)

    def test_a_hole_with_a_reason_gives_it(self):
        night.stored(self.results, 1)
        _, text = self.page()
        self.assertIn("boost_tss: not for any row (absent: package Boost not found)", text)
        self.assertIn("registry: not for burst (n/a: needs a capability)", text)
        # burst was declared, and pthread_key has no result for it
        self.assertIn("; 1 result missing, named below", text)

    def test_a_new_back_end_has_no_past(self):
        night.stored(self.results, 1, leave_out=("finalize/registration/registry/n:16",))
        night.stored(self.results, 2)
        runs = store.load(self.results)[0]["box"]
        lines = {key: line for key, line, _ in trends.series(runs)}
        self.assertEqual(lines["finalize", "registration", 16, None]["registry"], [None, 1.5])

    def test_a_failed_night_says_so_first(self):
        night.stored(self.results, 1)
        night.stored(self.results, 2, verdict="failed")
        html, text = self.page()
        self.assertIn("FAILED, forbidden outcome (box, 2026-01-02 02:00 UTC): "
                      "churn/registry: failed, lost 1 (and 1 more)", text)
        self.assertIn("<title>threadref: FAILED, 2026-01-02</title>", html)

    def test_a_night_without_any_measurement(self):
        night.stored(self.results, 1)
        night.stored(self.results, 2, bench_text="{", statuses=["bench=139"])
        _, text = self.page()
        self.assertIn("FAILED, crashed or not usable", text)
        self.assertIn("Nothing was measured on the last night", text)
        self.assertIn("no result; bench ended with 3", text)

    def test_the_first_night_without_any_measurement(self):
        night.stored(self.results, 1, bench_text="{", statuses=["bench=139"])
        _, text = self.page()
        self.assertIn("No night holds a ratio", text)
        self.assertIn("registry: not for any row (no result; bench ended with 3)", text)

    def test_two_machines(self):
        night.stored(self.results, 1)
        night.stored(self.results, 2, machine="other", verdict="failed")
        _, text = self.page()
        self.assertIn("FAILED on other; all is well on 1 more.", text)

    def test_a_torn_line_is_named_on_the_page(self):
        path, _ = night.stored(self.results, 1)
        path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
        _, text = self.page()
        self.assertRegex(text, r"results/box/2026/\S+\.jsonl:\d+: a torn line, skipped")
        self.assertNotIn(str(self.results.parent), text)

    def test_nothing_stored_is_not_a_page(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(page.main(["--results", str(self.results)]), 3)
        self.assertIn("holds no run to show", said.getvalue())

    def test_names_are_escaped(self):
        night.stored(self.results, 1, compiler="<script>alert(1)</script>")
        html, _ = self.page()
        self.assertNotIn("<script>", html)


if __name__ == "__main__":
    unittest.main()
