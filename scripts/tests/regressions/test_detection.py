"""What is a change, what is none, what is known already, and how the newest night is summed up."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path

from tests.store import history
from threadref_lab.regressions import detection


class DetectTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-detect-")
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name) / "results"

    def stored(self, lines_of, count, machine="box", **heads):
        return history.store(self.results, lines_of, count, machine, **heads)

    def ratios(self, values, **heads):
        return self.stored(lambda night: [history.bench(ratio=values[night], ns=3.0)], len(values),
                           **heads)

    def machine(self):
        return detection.load(self.results)[0][0]

    def changes(self):
        return self.machine().changes

    def verdict(self):
        return detection.verdict(detection.load(self.results)[0])

    def test_a_step_by_trend(self):
        self.ratios(history.noisy(60, step_at=40))
        change, = self.changes()
        self.assertEqual((change.kind, change.since_run, change.tonight), ("regression", 40, False))
        self.assertEqual((change.from_commit, change.to_commit),
                         (history.commit(39), history.commit(40)))
        self.assertAlmostEqual(change.ratio, 1.05, delta=.005)
        self.assertLess(change.low, change.ratio)
        self.assertGreater(change.high, change.ratio)
        self.assertIn("change point, p = ", change.certainty)
        self.assertEqual(change.command, f"scripts/nightly.sh --bisect {history.NAME}")

    def test_a_step_down_is_an_improvement_and_fails_nothing(self):
        self.ratios(history.noisy(43, step_at=40, step=.95))
        self.assertEqual([change.kind for change in self.changes()], ["improvement"])
        said = self.verdict()
        self.assertEqual(said["status"], 0)
        self.assertIn("1 improvement on box", said["sentence"])

    def test_a_trend_is_news_on_its_third_night(self):
        self.ratios(history.noisy(43, step_at=40))
        said = self.verdict()
        self.assertEqual(said["status"], 2)
        self.assertRegex(said["sentence"], rf"^1 regression by trend on box: {history.NAME} "
                                           rf"1\.0\d\d since {history.commit(40)}\.$")

    def test_another_environment_starts_a_segment(self):
        moved = {f"night_{night}": {"environment_hash": "ba9876543210"} for night in range(40, 60)}
        self.ratios(history.noisy(60, step_at=40), **moved)
        self.assertEqual(self.changes(), [])

    def test_schema_1_has_a_hash_of_its_environment(self):
        def other(night):
            return {"environment_hash": "", "environment": {
                "cpu": "some cpu" if night < 40 else "another", "load": str(night)}}
        self.ratios(history.noisy(60, step_at=40),
                    **{f"night_{night}": other(night) for night in range(60)})
        self.assertEqual(len({night.environment_hash for night in self.machine().nights}), 2)
        self.assertEqual(self.changes(), [])

    def test_unusable_nights_are_left_out(self):
        values = history.noisy(60)
        values[40:50] = [2.0] * 10
        self.ratios(values)
        self.assertNotEqual(self.changes(), [])
        self.ratios(values, **{f"night_{night}": {"usable": False} for night in range(40, 50)})
        self.assertEqual(self.changes(), [])

    def test_what_clones_differ_by_is_no_change(self):
        control = history.clone(.93)
        values = history.noisy(60, step_at=40)
        self.stored(lambda night: [history.bench(ratio=values[night])] + [control] * (night == 0),
                    60)
        self.assertEqual(self.changes(), [])

    def clones(self, *ratios):
        """Two nights: the gate says +5 %, the clones' controls were these."""
        self.stored(lambda night: [history.bench(ratio=1.5), history.clone(ratios[night])] +
                    [history.pair(night, 1.05)] * night, 2)
        change, = self.changes()
        return change, self.verdict()["status"]

    def test_what_the_clones_do_not_share_is_an_accident_of_layout(self):
        change, status = self.clones(1.0, 1 / 1.05)
        self.assertEqual((change.tonight, status), (False, 0))
        self.assertIn("but 1.00 in the clones' layout: an accident of layout", change.certainty)

    def test_what_the_clones_share_counts(self):
        change, status = self.clones(.99, .98)
        self.assertEqual((change.tonight, status), (True, 2))
        self.assertEqual(change.certainty, "paired, confirmed by a second run")

    def test_floors_and_peers_are_nobodys_regression(self):
        values = history.noisy(60, step_at=40)
        for subject in ("floor_bump_store", "peer_vector"):
            name = history.NAME.replace("registry", subject)
            self.stored(lambda night, name=name: [history.bench(name, ratio=values[night])], 60)
            self.assertEqual(self.changes(), [], subject)

    def test_pairs_that_saw_nothing_say_that_the_machine_moved(self):
        values = history.noisy(60, step_at=40)
        self.stored(lambda night: [history.bench(ratio=values[night]),
                                   history.pair(night, 1.001, "same", None)], 60)
        machine = self.machine()
        self.assertEqual(machine.changes, [])
        self.assertEqual([(at, of_code) for at, _, of_code in machine.points[history.NAME]],
                         [(40, False)])

    def test_the_gate_and_the_trend_are_one_change(self):
        values = history.noisy(60, step_at=40)
        self.stored(lambda night: [history.bench(ratio=values[night]), history.pair(
            night, *((1.05, "slower", True) if night == 40 else (1.0, "same", None)))], 60)
        change, = self.changes()
        self.assertRegex(change.certainty, "^paired, confirmed by a second run; change point, p = ")
        self.assertEqual(change.since_run, 40)
        self.assertTrue(change.command.startswith("scripts/lab compare"))

    def gate(self, *pair, notes="", **heads):
        """A second night with that pair."""
        self.stored(lambda night: [history.bench(ratio=1.5)] +
                    [history.pair(night, *pair)] * (night == 1), 2, **heads)
        if notes:
            (self.results / "notes.jsonl").write_text(notes, encoding="utf-8")
        return self.verdict()

    def test_a_confirmed_pair_is_named_with_all_that_is_known(self):
        said = self.gate(1.05)
        self.assertEqual(said, {"status": 2, "sentence":
                                f"1 confirmed regression on box: {history.NAME} 1.050 "
                                f"[1.040, 1.060] since {history.commit(1)}."})

    def test_a_pair_that_no_second_run_confirmed_is_none(self):
        self.assertEqual(self.gate(1.05, "slower", False),
                         {"status": 0, "sentence": "Nothing changed in the last night of box."})

    def test_a_floor_is_the_ruler_and_no_change(self):
        self.assertEqual(self.gate(1.05, "slower", True, "finalize/exit/floor_call_loop/n:16"),
                         {"status": 0, "sentence": "Nothing changed in the last night of box."})

    def test_an_acknowledged_change_fails_nothing(self):
        note = {"series": history.NAME, "commit": history.commit(1), "reason": "as planned"}
        said = self.gate(1.05, notes=json.dumps(note) + "\n")
        self.assertEqual(said, {"status": 0, "sentence":
                                "Nothing else changed in the last night of box. "
                                "1 acknowledged change."})
        self.assertEqual(self.changes()[0].acknowledged, "as planned")

    def test_a_note_of_another_commit_or_series_acknowledges_nothing(self):
        for changed in ({"commit": "bbbbbbb"}, {"series": history.OTHER}):
            note = {"series": history.NAME, "commit": history.commit(1), "reason": "x", **changed}
            with self.subTest(changed):
                self.assertEqual(self.gate(1.05, notes=json.dumps(note))["status"], 2)

    def test_a_note_may_name_many_series(self):
        note = {"series": "finalize/*/registry/*", "commit": history.commit(1), "reason": "x"}
        self.assertEqual(self.gate(1.05, notes=json.dumps(note))["status"], 0)

    def test_a_torn_note_is_named_and_skipped(self):
        self.gate(1.05, notes='{"series": "a", "commit"\n{"series": "a"}\n')
        _, problems = detection.load(self.results)
        problems = [problem for problem in problems if "notes.jsonl" in problem]
        self.assertIn("notes.jsonl:1: a torn line, skipped", problems[0])
        self.assertIn("notes.jsonl:2: skipped: 'commit' is a required property", problems[1])

    def test_an_unusable_last_night(self):
        said = self.gate(1.05, night_1={"usable": False, "status": 3, "problems": ["it is busy"]})
        self.assertEqual(said, {"status": 3,
                                "sentence": "The last night of box is not usable: it is busy."})

    def test_two_machines_in_which_nothing_changed(self):
        for machine in ("one", "two"):
            self.stored(lambda night: [history.bench(ratio=1.5)], 2, machine)
        self.assertEqual(self.verdict()["sentence"],
                         "Nothing changed in the last night of 2 machines.")

    def test_nothing_stored(self):
        self.assertEqual(self.verdict(), {"status": 3, "sentence": "No night is stored."})

    def turning(self, bad_from, bad_to, count=6):
        self.stored(lambda night: [history.stress("failed", 2) if bad_from <= night < bad_to
                                   else history.stress()], count)
        return self.changes(), self.verdict()

    def test_a_forbidden_outcome_counts_until_it_is_gone(self):
        (change,), said = self.turning(3, 6)
        self.assertEqual((change.kind, change.since_run, change.tonight), ("forbidden", 3, True))
        self.assertEqual(said["status"], 2)
        self.assertIn("1 forbidden outcome on box: churn/registry: lost 2 since", said["sentence"])
        self.assertEqual(change.from_commit, history.commit(2))

    def test_a_forbidden_outcome_that_is_gone_is_history(self):
        (change,), said = self.turning(2, 4)
        self.assertFalse(change.tonight)
        self.assertEqual(said["status"], 0)

    def test_states_of_other_kinds(self):
        lines = {
            "target": {"target": "exit", "missed": True, "listed": False, "median": 3.0, "low": 2.9,
                       "sign": "<=", "limit": 2.0, "command": "scripts/lab targets"},
            "sanitizer": {"leg": "tsan", "reports": 1, "first": ["data race in f"]},
            "guarantee": {"row": "fork/child", "backend": "registry", "grade": "broken",
                          "command": "x"}}
        good = {"target": {"missed": False}, "sanitizer": {"reports": 0, "first": []},
                "guarantee": {"grade": "kept"}}
        for kind, line in lines.items():
            line["kind"] = "matrix" if kind == "guarantee" else kind
            self.stored(lambda night, kind=kind, line=line:
                        [{**line, **(good[kind] if night == 0 else {})}], 2)
            with self.subTest(kind):
                self.assertEqual([change.kind for change in self.changes()], [kind])
                self.assertEqual(self.verdict()["status"], 2)

    def test_what_peers_do_is_no_news(self):
        line = {"kind": "matrix", "row": "fork/child", "backend": "peer_boost", "grade": "broken"}
        self.stored(lambda night: [line], 2)
        self.assertEqual((self.changes(), self.verdict()["status"]), ([], 0))

    def test_nothing_forbidden_can_be_acknowledged(self):
        self.stored(lambda night: [history.stress("failed", 2)], 2)
        note = {"series": "churn/*", "commit": history.commit(0), "reason": "x"}
        (self.results / "notes.jsonl").write_text(json.dumps(note) + "\n", encoding="utf-8")
        self.assertEqual(self.verdict()["status"], 2)

    def test_a_status_that_no_change_explains_is_said(self):
        said = self.gate(.9, "faster", True,
                         night_1={"status": 2, "problems": ["mutants: one survived"]})
        self.assertEqual(said["status"], 2)
        self.assertIn("The last night of box ended with status 2: mutants: one survived.",
                      said["sentence"])

    def test_a_listed_miss_is_no_news(self):
        line = {"kind": "target", "target": "exit", "missed": True, "listed": True, "median": 3.0,
                "sign": "<=", "limit": 2.0, "command": "scripts/lab targets"}
        self.stored(lambda night: [line], 2)
        self.assertEqual(self.changes(), [])

    def test_instructions(self):
        def lines(night):
            return [{"kind": "instructions", "quantity": "exit", "subject": "registry",
                     "instructions": 41.0 if night < 3 else 41.1 if night < 4 else 43.0,
                     "spread": .0003, "runs": [41.0]}]
        self.stored(lines, 5)
        change, = self.changes()
        self.assertEqual((change.series, change.since_run, change.kind),
                         ("instructions/exit/registry", 4, "regression"))

    def test_it_is_said_on_the_command_line(self):
        self.gate(1.05)
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(io.StringIO()) as wrong:
            self.assertEqual(detection.main(["--results", str(self.results)]), 2)
            self.assertEqual(detection.main(["--results", str(self.results), "--machine", "x"]), 1)
        self.assertIn("scripts/lab compare", said.getvalue())
        self.assertIn("has no night of a machine x; it has box", wrong.getvalue())
