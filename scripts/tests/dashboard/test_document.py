"""The document of the dashboard: columns, holes with reasons, samples, its way into the page."""

import contextlib
import io
import json
import re
import tempfile
import unittest
from pathlib import Path

from tests.store import history
from threadref_lab.dashboard import document as page_document
from threadref_lab.dashboard.series import NO_TIME

TEMPLATE = ('<!doctype html><title>x</title><script type="application/json" id="threadref-data">'
            'null</script><script>start()</script>')


class PageDataTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-data-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.results = self.folder / "results"

    def stored(self, lines_of, count, machine="box", **heads):
        return history.store(self.results, lines_of, count, machine, **heads)

    def document(self):
        return page_document.document(self.results, "2026-03-01T00:00:00Z")[0]

    def series(self, name=history.NAME, document=None):
        machine = (document or self.document())["machines"][0]
        return next(series for series in machine["series"] if series["name"] == name)

    def run_main(self, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(io.StringIO()) as wrong:
            status = page_document.main(["--results", str(self.results), *map(str, arguments)])
        return status, said.getvalue() + wrong.getvalue()

    def test_columns_of_one_length(self):
        self.stored(lambda night: [history.bench(ratio=1.5, ns=3.0)], 20)
        series = self.series()
        self.assertEqual({len(series[key]) for key in ("run", "value", "low", "high", "ns")}, {20})
        self.assertEqual((series["kind"], series["subject"], series["parameters"]),
                         ("ratio", "registry", {"n": 16}))
        self.assertEqual((series["value"][0], series["ns"][0]), (1.5, 3))

    def test_samples_of_the_newest_usable_and_quantiles_before(self):
        samples = [(100 + at) / 100 for at in range(21)]
        self.stored(lambda night: [history.bench(ratio=1.1, ratio_samples=samples)], 20,
                    night_19={"usable": False})
        series = self.series()
        self.assertEqual(set(series["samples"]), {str(at) for at in range(5, 19)})
        self.assertEqual(set(series["quantiles"]), {*map(str, range(5)), "19"})
        self.assertEqual(series["samples"]["5"], samples)
        self.assertEqual(series["quantiles"]["0"], [1.0, 1.01, 1.05, 1.1, 1.15, 1.19, 1.2])
        self.assertEqual((series["low"][0], series["high"][0]), (1.02, 1.18))

    def test_a_hole_has_its_reason(self):
        def lines(night):
            row = {0: [history.bench(ratio=1.5)], 1: [history.bench(error="it broke")], 2: [],
                   3: [history.bench(absent="no exit hook")],
                   4: [history.bench(ns=.1)], 5: [history.bench(order="oldest first")]}
            return row[night]
        self.stored(lines, 6, night_2={"statuses": {"bench": 3}})
        series = self.series()
        self.assertEqual(series["value"], [1.5] + [None] * 5)
        self.assertEqual(series["why"], {
            "1": "error: it broke", "2": "no result; bench ended with 3",
            "3": "absent: no exit hook",
            "4": "no ratio: its floor is below what the clock sees", "5": NO_TIME})
        self.assertEqual(series["order"], {"5": "oldest first"})

    def test_a_cell_that_never_was_measured_is_a_hole_too(self):
        self.stored(lambda night: [history.bench(ratio=1.5)], 2)
        self.assertEqual(self.series("finalize/exit/pthread_key")["why"],
                         {"0": "n/a: needs a capability"})
        self.assertEqual(self.series("finalize/exit/boost_tss")["why"],
                         {"0": "absent: package Boost not found"})

    def test_a_series_that_begins_late_has_no_holes_before(self):
        self.stored(lambda night: [history.bench(ratio=1.5)] * (night > 2), 5)
        self.assertEqual(self.series()["run"], [3, 4])

    def test_latencies_instructions_and_memory(self):
        memory = {**history.bench("memory/registration/registry"), "group": "memory",
                  "bytes_per_thread": 96, "allocations_first": 0}
        self.stored(lambda night: [
            history.bench(history.OTHER, ratio=2.0, p50=1.0, p99=9.0), memory,
            {"kind": "instructions", "quantity": "exit", "subject": "registry",
             "instructions": 41.0, "spread": 0, "runs": [40.0, 41.0, 42.0]}], 2)
        self.assertEqual(self.series(history.OTHER)["latency"]["1"], {"p50": 1, "p99": 9})
        self.assertEqual(self.series("memory/registration/registry/bytes_per_thread")["value"],
                         [96, 96])
        counted = self.series("instructions/exit/registry")
        self.assertEqual((counted["kind"], counted["low"][0], counted["high"][0]),
                         ("instructions", 40, 42))

    def test_change_points_are_at_their_place_in_the_columns(self):
        values = history.noisy(60, step_at=40)
        self.stored(lambda night: [history.bench(ratio=values[night])] * (night > 2), 60)
        document = self.document()
        series = self.series(document=document)
        point, = series["change_points"]
        self.assertEqual((series["run"][point["at"]], point["cause"]), (40, "code"))
        self.assertEqual(document["machines"][0]["changes"][0]["since_run"], 40)

    def test_stress_matrix_and_targets(self):
        def lines(night):
            return [history.stress(*(("failed", 2) if night else ())),
                    {"kind": "stress_totals", "seed": "0x1", "build_type": "Tsan",
                     "verdict": "passed", "threads_churned": 9, "finalizers_run": 9},
                    {"kind": "sanitizer", "leg": "tsan", "reports": night,
                     "first": ["a race"][:night]},
                    {"kind": "canary", "name": "canary_lossy", "seconds": .5, "cell": "x"},
                    {"kind": "matrix", "row": "fork/child", "backend": "registry", "grade": "kept"},
                    {"kind": "matrix", "row": "end/return", "backend": "boost", "grade": "broken"},
                    {"kind": "target", "target": "exit", "missed": True, "listed": True,
                     "median": 3.0, "low": 2.9, "high": 3.1, "sign": "<=", "limit": 2.0,
                     "verdict": "missed", "command": "x"}]
        self.stored(lines, 3)
        machine = self.document()["machines"][0]
        self.assertEqual(machine["stress"][0]["verdict"], ["passed", "failed", "failed"])
        nights = machine["stress_nights"]
        self.assertEqual([night["new"] for night in nights],
                         [[], ["churn/registry: lost (forbidden)", "tsan: a race"], []])
        self.assertEqual((nights[1]["sanitizer_reports"], nights[1]["canaries"]),
                         (1, {"canary_lossy": .5}))
        self.assertEqual(machine["matrix"][0]["grades"], [["kept", ""], ["", "broken"]])
        self.assertEqual(machine["targets"][0]["limit"], "<= 2")

    def test_pairs_of_older_nights_only_where_a_second_run_was_asked(self):
        self.stored(lambda night: [history.pair(night, 1.0, "same", None),
                                   history.pair(night, 1.05, series=history.OTHER)], 16)
        runs = self.document()["machines"][0]["runs"]
        self.assertEqual([len(run["pairs"]) for run in runs], [1, 1] + [2] * 14)

    def test_an_interval_that_excludes_nothing_has_a_number_too(self):
        self.stored(lambda night: [{**history.pair(night, 1.0), "high": None}], 1)
        self.assertEqual(self.document()["machines"][0]["runs"][0]["pairs"][0]["high"],
                         page_document.NO_LIMIT)

    def test_a_torn_line_is_named_and_skipped(self):
        path = self.stored(lambda night: [history.bench(ratio=1.5), history.bench(history.OTHER)],
                           1)[0]
        path.write_text(path.read_text(encoding="utf-8")[:-30], encoding="utf-8")
        status, said = self.run_main("--out", self.folder / "data.json")
        self.assertEqual(status, 0)
        self.assertIn(f"{path}:3: a torn line, skipped", said)
        found = json.loads((self.folder / "data.json").read_text(encoding="utf-8"))
        self.assertEqual(self.series(document=found)["value"], [1.5])

    def test_simulated_machines_make_a_simulated_document(self):
        self.stored(lambda night: [], 1, machine="box")
        self.assertFalse(self.document()["simulated"])
        self.stored(lambda night: [], 1, machine="sim-pinned-1")
        self.assertTrue(self.document()["simulated"])

    def test_nothing_that_a_night_says_ends_the_script(self):
        evil = "</script><script>alert(1)</script><!--\u2028"
        self.stored(lambda night: [history.bench(error=evil)], 1, night_0={"problems": [evil]})
        template, out = self.folder / "page.html", self.folder / "index.html"
        template.write_text(TEMPLATE, encoding="utf-8")
        self.assertEqual(self.run_main("--html", template, "--out", out)[0], 0)
        html = out.read_text(encoding="utf-8")
        self.assertEqual(html.count("</script>"), 2)
        self.assertNotIn("<!--", html)
        data = re.search(r'id="threadref-data">(.*?)</script>', html, re.S)[1]
        self.assertNotIn("\u2028", data)
        self.assertEqual(json.loads(data)["machines"][0]["runs"][0]["problems"], [evil])
        self.assertTrue(html.endswith("<script>start()</script>"))

    def test_a_template_without_a_place_is_refused_and_nothing_written(self):
        self.stored(lambda night: [], 1)
        template, out = self.folder / "page.html", self.folder / "index.html"
        for text in ("<p>", TEMPLATE + TEMPLATE, TEMPLATE.replace("null", "{}")):
            template.write_text(text, encoding="utf-8")
            status, said = self.run_main("--html", template, "--out", out)
            self.assertEqual(status, 3)
            self.assertIn("needs exactly one <script", said)
            self.assertFalse(out.exists())

    def test_what_was_there_stays_when_writing_fails(self):
        self.stored(lambda night: [], 1)
        out = self.folder / "index.html"
        out.mkdir()
        status, said = self.run_main("--out", out)
        self.assertEqual(status, 1)
        self.assertIn("cannot write", said)
        self.assertEqual([path.name for path in self.folder.iterdir() if "part" in path.name], [])

    def test_wrong_use_is_said(self):
        self.assertIn("there is no such folder", self.run_main("--out", "x")[1])
        self.stored(lambda night: [], 1)
        status, said = self.run_main("--out", "x", "--judged-at", "yesterday")
        self.assertEqual(status, 1)
        self.assertIn("write it as 2026-01-31T02:03:04Z", said)
