"""The report: each sentence comes from the data, what is missing is said, nothing is unescaped."""

import contextlib
import copy
import io
import re
import tempfile
import unittest
import xml.etree.ElementTree as xml
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import pytest

from tests.report import folder
from threadref_lab.report import data, inline_pictures, losses, page, words
from threadref_lab.store import rows

EVIL = "<script>alert('1')</script>"


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


class Reported(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="threadref-report-")
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        self.files = folder.files()

    def report(self, expected=0):
        """(html, its text in one line, what was said on standard error) of self.files."""
        folder.write(self.folder, self.files)
        with contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(page.main([str(self.folder)]), expected, said.getvalue())
        if expected:
            return "", "", said.getvalue()
        html = (self.folder / "report.html").read_text(encoding="utf-8")
        parsed = Balanced()
        parsed.feed(html)
        self.assertEqual(parsed.open_tags, [])
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)), "an id names two things")
        return html, re.sub(r"\s+", " ", " ".join(parsed.words)), said.getvalue()

    def rows_of(self, name):
        """The rows of that name in all processes, to be changed."""
        found = [entry for document in self.files.values() if isinstance(document, dict)
                 for entry in document.get("benchmarks", [])
                 if rows.ADDED.sub("", entry["name"]) == name]
        self.assertTrue(found, name)
        return found

    def run_of(self):
        return data.Run(folder.write(self.folder, self.files))


class DrawnReportTest(Reported):
    """What the pictures are part of."""

    drawn = None

    def whole(self):
        """The report of all files, drawn once: that is nine tenths of what it costs."""
        DrawnReportTest.drawn = DrawnReportTest.drawn or self.report()
        return DrawnReportTest.drawn

    def test_every_section_is_there_in_order(self):
        html, _, said = self.whole()
        self.assertEqual(said, "")
        at = [html.index(f'<h2 id="{anchor}">') for anchor, _, _ in page.SECTIONS]
        self.assertEqual(at, sorted(at))
        self.assertNotIn("is not there; it is made by", html)
        for anchor in re.findall(r'href="#([^"]+)"', html):
            self.assertEqual(html.count(f'id="{anchor}"'), 1, anchor)

    def test_it_needs_nothing_but_itself(self):
        html, _, _ = self.whole()
        self.assertEqual(re.findall(r'(?:src|href)="(?!#)[^"]*"', html), [])
        self.assertNotRegex(html, r"@import|url\((?!#)|<script|<link")
        pictures = re.findall(r"<svg.*?</svg>", html, re.S)
        self.assertGreater(len(pictures), 4)
        for picture in pictures:
            xml.fromstring(picture)
            self.assertRegex(picture[:400], r'role="img" aria-label="[^"]{20,}')
        self.assertEqual(html.count("<table"), html.count("<caption>"))

    def test_the_same_results_make_the_same_page(self):
        self.assertEqual(self.report()[0], self.whole()[0])

    def test_names_are_escaped(self):
        described = copy.deepcopy(folder.DESCRIBE)
        described["absent"][0]["why"] = EVIL
        described["backends"].append({"name": EVIL})
        self.files["describe.json"] = described
        self.files["bench.json"]["context"]["compiler"] = EVIL
        self.files["allocator-glibc.json"]["context"]["allocator"] = EVIL
        self.rows_of("finalize/ordering/registry/n:2")[0]["label"] = f"order={EVIL} > join"
        self.rows_of("finalize/exit/peer_vector/n:4")[0].update(
            error_occurred=True, error_message=EVIL)
        self.files["pairs.jsonl"] += [folder.pair("self", EVIL, EVIL, 1.0, EVIL)]
        self.files["instructions.jsonl"][0].update(quantity=EVIL)
        html, text, _ = self.report()
        self.assertNotIn("<script", html)
        self.assertGreaterEqual(text.count(EVIL), 8)

    def test_sweeps_say_largest_to_smallest(self):
        html, text, _ = self.whole()
        self.assertRegex(text, r"peer_vector 2 ns 130 ns 2\.05 µs 1025\.00×")
        self.assertIn("loaded objects by objects. From the smallest to the largest: registry 1.00",
                      html)
        self.assertIn("access inline ensure", text)


class ReportTest(Reported):
    draws = False

    def setUp(self):
        super().setUp()
        if not self.draws:
            for module, name in ((inline_pictures, "strips"), (inline_pictures, "sweep"),
                                 (page, "cost_picture")):
                patched = mock.patch.object(module, name, return_value=None)
                patched.start()
                self.addCleanup(patched.stop)

    # ------------------------------------------------------------------------ as a whole

    def test_each_file_may_be_absent(self):
        for pattern, command in data.MADE_BY.items():
            with self.subTest(pattern):
                kept = {name: content for name, content in folder.files().items()
                        if not Path(name).match(pattern)}
                for path in self.folder.iterdir():
                    path.unlink()
                self.files = kept
                _, text, _ = self.report()
                self.assertIn(f"{pattern} is not there; it is made by {command}", text)

    def test_one_file_alone_is_a_report(self):
        for name, content in folder.files().items():
            with self.subTest(name):
                for path in self.folder.iterdir():
                    path.unlink()
                self.files = {name: content}
                self.report(3 if name in ("describe.json", "samples.jsonl") else 0)

    def test_nothing_is_no_report(self):
        self.files = {}
        self.assertIn("holds no result", self.report(3)[2])
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(page.main([str(self.folder / "none")]), 1)
        self.assertIn("is not a folder", said.getvalue())

    def test_torn_files_are_named(self):
        folder.write(self.folder, self.files)
        for name in ("pairs.jsonl", "process-02.json", "samples.jsonl"):
            self.files.pop(name)
            path = self.folder / name
            path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
        _, text, said = self.report()
        self.assertIn("pairs.jsonl:5: a torn line, skipped", text)
        self.assertIn("process-02.json: not whole JSON", text)
        self.assertIn("process-02.json: not whole JSON", said)
        self.assertRegex(text, r"samples\.jsonl:\d+: a line without name, what and samples")

    def test_odd_json_is_no_crash(self):
        self.files["pairs.jsonl"] += [{"kind": "pair"}, {"kind": "other"}]
        self.files["pairs.jsonl"][0]["low"] = None
        self.files["describe.json"] = {"backends": [1, {"summary": "no name"}], "absent": {}}
        self.files["sweep.json"] = {"benchmarks": {}}
        _, text, _ = self.report()
        self.assertIn("pairs.jsonl:6: skipped: no line of kind pair with a valid a, b,", text)
        self.assertIn("sweep.json: its benchmarks are no list", text)

    # ------------------------------------------------------------------------ sentences

    def test_the_first_line_says_how_little_it_matters(self):
        sentence = words.first_line(self.run_of())
        self.assertIn("For 1 to 4 finalizers the mechanism hardly matters.", sentence.text)
        self.assertIn("whichever of the 2 back ends, by 1.0 to 1.5 % (1.0 to 1.5 in single "
                      "processes) with 1,", sentence.text)
        self.assertTrue(sentence.command.endswith("'^finalize/exit/.*/n:1$'"), sentence.command)

    def test_the_first_line_follows_the_data(self):
        for entry in self.rows_of("finalize/exit/pthread_key/n:4"):
            entry["life_ratio"] = 1.5
        text = words.first_line(self.run_of()).text
        self.assertIn("the mechanism matters: it adds up to 50.0 % to a thread's life", text)

    def test_the_first_line_may_have_nothing_to_say(self):
        self.files = {"sweep.json": self.files["sweep.json"]}
        self.assertTrue(words.first_line(self.run_of()).is_hole)

    def test_a_quick_run_is_said_to_be_one(self):
        self.assertNotIn("was to try things out", self.report()[1])
        for document in self.files.values():
            for entry in document.get("benchmarks", []) if isinstance(document, dict) else []:
                entry["samples"] = 32
        self.assertIn("No row has more than 32 threads: this run was to try things out",
                      self.report()[1])

    def use(self, anchor):
        return words.use_case(self.run_of(), next(
            use for use in words.USES if use.anchor == anchor))

    def test_an_answer_follows_the_data(self):
        self.assertRegex(self.use("tracer")[1].text, "^registry: as good as the best in 3 of 3")
        for entry in self.rows_of("finalize/registration/pthread_key/n:256"):
            entry["ns"] = .01
        self.assertIn("registering each of 256 is better with pthread_key (0.01 ns, not 4.04 ns)",
                      self.use("tracer")[1].text)

    def test_only_those_that_may_be_used_inside_malloc_are_candidates(self):
        for name in ("finalize/exit/pthread_key/n:1", "finalize/exit/pthread_key/n:4"):
            for entry in self.rows_of(name):
                entry["life_ratio"] = .1
        self.assertEqual(self.use("allocator")[1].text, "registry: no other may be used there.")
        self.assertIn("Inside malloc: registry claims it", self.use("allocator")[2][0].text)

    def test_a_sentence_has_figure_range_and_command(self):
        sentence = next(each for each in self.use("tracer")[2] if "256" in each.text)
        self.assertIn("registry 4.04 ns (4 ns to 4.08 ns over 3 processes)", sentence.text)
        self.assertIn("peer_vector with 2.02 ns", sentence.text)
        self.assertTrue(sentence.command.endswith(
            "bench_threadref --benchmark_filter='^finalize/registration/.*/n:256$'"))

    def test_what_was_not_measured_is_said(self):
        holes = [each.text for each in self.use("rcu")[2] if each.is_hole]
        self.assertEqual(holes, ["Not measured in this run: looking at all threads."])

    def test_one_process_is_said_to_be_one(self):
        self.files = {name: content for name, content in self.files.items()
                      if not name.startswith("process-")}
        self.assertIn("4 ns (one process)", self.use("tracer")[2][1].text)

    def test_what_lost_a_finalizer_has_no_figure(self):
        self.rows_of("finalize/registration/registry/n:256")[1]["lost"] = 2
        _, text, _ = self.report()
        self.assertIn("2 lost", text)
        self.assertNotIn("Registering each of 256: registry", text)

    # ------------------------------------------------------------------------ tables

    def test_absent_back_ends_have_their_reason(self):
        _, text, _ = self.report()
        self.assertIn("boost_tss: absent (package Boost not found)", text)

    def test_absent_peers_have_their_reason(self):
        for document in self.files.values():
            if isinstance(document, dict) and "benchmarks" in document:
                document["benchmarks"].extend(
                    {"name": f"finalize/{quantity}/peer_glib/n:{size}", "label": "absent: no GLib",
                     "iterations": 1} for quantity, size in (("ordering", 2), ("exit", 16)))
        html, text, _ = self.report()
        self.assertIn("peer_glib: absent (no GLib)", text)
        self.assertRegex(text, r"peer_glib absent: no GLib")
        self.assertRegex(html, r'>peer_glib</th><td class="hole">absent</td>')

    def test_what_is_not_measured_for_a_back_end_has_its_reason(self):
        for document in self.files.values():
            if isinstance(document, dict) and "benchmarks" in document:
                document["benchmarks"] = [entry for entry in document["benchmarks"]
                                          if "pthread_key" not in entry["name"]]
        _, text, _ = self.report()
        self.assertIn("pthread_key: no result (needs a capability)", text)

    def test_the_best_is_marked_and_floors_are_not(self):
        html, _, _ = self.report()
        best = re.findall(r'<th scope="row">(\w+)</th>(?:(?!</tr>).)*<td class="best">', html, re.S)
        self.assertIn("peer_vector", best)
        self.assertNotIn("floor_bump_store", best)

    def test_a_parameter_may_be_called_threads(self):
        _, text, _ = self.report()
        self.assertIn("threads 10,000", text)

    def test_allocators_stand_beside_each_other(self):
        self.files["allocator-jemalloc.json"]["context"]["allocator"] = "glibc"
        _, text, _ = self.report()
        self.assertIn("jemalloc (the program saw glibc)", text)
        self.assertRegex(text, r"peer_vector 2 ns [^µ]*? 8 ns [^µ]*? 4\.00×")

    def test_losses_are_those_beyond_the_clones(self):
        found, hidden, _ = losses.losses(self.run_of())
        self.assertEqual({loss.other for loss in found}, {"peer_vector"})
        self.assertRegex(self.report()[1], r"It loses 0 of \d\d comparisons with other back ends "
                         rf"and {len(found)} of \d\d comparisons with peers\.")
        self.assertEqual(found, sorted(found, key=lambda loss: -loss.ratio.value))
        for entry in self.rows_of("finalize/registration/pthread_key/n:256"):
            entry["ns"] = 0.975 * 4 * entry["ns"] / 6
        found, hidden, _ = losses.losses(self.run_of())
        self.assertIn("pthread_key", {loss.other for loss in hidden})
        self.files["pairs.jsonl"] = []
        found, hidden, _ = losses.losses(self.run_of())
        self.assertIn("pthread_key", {loss.other for loss in found})

    def test_workers_have_a_table_and_are_no_contest(self):
        _, text, _ = self.report()
        what = "worker teardown broadcast"
        self.assertRegex(text, rf"{what}.*{what}, serial ratio")
        self.assertFalse([loss for loss in sum(losses.losses(self.run_of())[:2], [])
                          if "teardown" in loss.where])

    def test_peers_are_named_with_what_they_were_not_measured_at(self):
        self.assertEqual(losses.cannot(self.run_of(), "peer_vector"),
                         "no row for cancel foreign, ref check, worker teardown broadcast and "
                         "memory thread")
        described = copy.deepcopy(folder.DESCRIBE)
        described["peers"] = [{"name": "peer_vector", "summary": "…", "lacks": "no handles"}]
        self.files["describe.json"] = described
        self.assertIn("peer_vector: no handles", self.report()[1])

    def test_controls_are_counted(self):
        _, text, _ = self.report()
        self.assertIn("Of 3 comparisons of identical code 1 said faster or slower (0 of 1 self "
                      "pairs, 1 of 2 clone pairs); a second run confirmed 1 of them.", text)
        self.assertIn("Of 1 slowdowns planted on purpose 1 were found.", text)
        self.files["pairs.jsonl"][3]["verdict"] = "undecided"
        self.assertIn("planted on purpose 0 were found", self.report()[1])

    def test_the_spread_of_copies_stands_beside_the_figures(self):
        _, text, _ = self.report()
        self.assertRegex(text, r"4\.04× copies 3 %")
        self.assertRegex(text, r"By how much copies of the same code differ .*? registry 3 % "
                         r"pthread_key 5 %")

    def test_no_smaller_difference_than_that_of_copies_is_called_one(self):
        for entry in self.rows_of("finalize/registration/pthread_key/n:256"):
            entry["ns"] = 2.0
        self.assertRegex(self.use("tracer")[1].text, "^registry: as good as the best in 2 of 3")
        self.files["pairs.jsonl"][1]["clone_spread"] = 1.1
        self.assertRegex(self.use("tracer")[1].text, "^registry: as good as the best in 3 of 3")

    def test_instructions_may_have_a_reason_instead(self):
        self.assertIn("peer_vector: no detach (gives no handle to cancel by)", self.report()[1])

    def test_in_one_process_ten_percent_are_nothing(self):
        for entry in self.rows_of("finalize/registration/pthread_key/n:256"):
            entry["ns"] = 3.7
        self.assertRegex(self.use("tracer")[1].text, "^registry: as good as the best in 2 of 3")
        self.files = {name: content for name, content in self.files.items()
                      if not name.startswith("process-")}
        for path in self.folder.glob("process-*"):
            path.unlink()
        self.assertRegex(self.use("tracer")[1].text, "^registry: as good as the best in 3 of 3")

    def test_processes_that_differ_are_said(self):
        self.files["process-02.json"]["context"]["compiler"] = "g++ 13"
        self.assertIn("in other processes: g++ 13", self.report()[1])


@pytest.mark.nightly
class EachReportDrawnTest(ReportTest):
    """The same, with the pictures of each."""

    draws = True
