"""What a night decides, with programs that are played: the second says that nothing changed, and a
regression counts once it was found twice."""

import contextlib
import io
import json

import pytest

from tests.nightly import fake_programs as fake
from tests.nightly.played import Played, RUN_COMMAND
from threadref_lab.store import command, schema

SLOWER = {"name": fake.SERIES, "ratio": 1.05, "verdict": "slower", "confirmed": True}


class FirstNightTest(Played):
    def test_the_first_night_says_that_there_was_none_before(self):
        status, sentence = self.last_line("--quick")
        self.assertEqual((status, sentence), (
            0, "All is well in the last night of box, and nothing was compared: there was no "
               "usable night before to compare with."))
        run, = self.runs()
        self.assertTrue(run.is_usable)
        controls = run.head["controls"]
        self.assertEqual((controls["self"], controls["clone"]), (1.001, 1.004))
        self.assertAlmostEqual(controls["band"], .01)
        self.assertNotIn("lab compare", " ".join(fake.calls(self.root)))

    def test_controls_that_miss_what_they_plant(self):
        fake.says(self.root, planted="undecided")
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 3)
        self.assertIn("not usable: 4 % more work in registration/n:256 of registry was not found",
                      sentence)

    def test_forbidden_in_stress_and_a_broken_guarantee_and_a_missed_target(self):
        fake.says(self.root, verdict="failed", word="lost", missed=True,
                  statuses={})
        status, said = self.night("--quick")
        self.assertEqual(status, 2)
        for text in ("forbidden: churn/registry: lost 1",
                     "sanitizer: tsan: 0 reports; the first: churn/registry failed",
                     "guarantee: end/return/registry is broken: lost",
                     "target: target exit/n:256 is missed: 3, must be <= 2"):
            self.assertIn(text, said)

    def test_a_step_that_crashed_leaves_a_hole_with_a_reason(self):
        fake.says(self.root, statuses={"scripts/lab instructions": 139})
        status, said = self.night("--quick")
        self.assertEqual(status, 3)
        self.assertIn("problem: instructions ended by signal 11", said)
        self.assertIn("problem: instructions.jsonl: No such file", said)
        self.assertEqual(self.runs()[-1].of("instructions"), [])

    def test_a_tree_with_changes_is_no_partner(self):
        (self.root / "speed").write_text("7", encoding="utf-8")
        self.night("--quick")
        self.assertEqual(self.runs()[0].commit, f"{self.first}-dirty")
        self.assertIn("can't be built again: its tree had changes", self.last_line("--quick")[1])


class VerdictTest(Played):
    nights = 1

    def test_the_second_says_that_nothing_changed(self):
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 0)
        self.assertEqual(sentence, f"Nothing changed since {self.first}: 1 pair of series, none "
                                   "slower or faster.")
        self.assert_everybody_says(sentence)

    def test_every_part_is_stored_and_valid(self):
        self.night("--quick")
        run = self.runs()[-1]
        for kind in schema.KINDS.keys() - {"run"}:
            with self.subTest(kind):
                self.assertTrue(run.of(kind))
        row = run.bench["finalize/exit/registry/n:16"]
        self.assertEqual((row["ns_samples"], row["processes"]), ([3.0] * 3, 3))
        self.assertEqual((row["drain_samples"][0], row["drain_samples"][-1]), (0, 999))
        self.assertEqual(run.of("pair")[0]["a_commit"], self.first)
        self.assertEqual(run.of("canary")[0]["seconds"], .25)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(command.main(["check", "--results", str(self.results)]), 0)

    def test_a_regression_that_was_found_twice(self):
        newer = fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER])
        status, said = self.night("--quick")
        self.assertEqual(status, 2)
        for text in (f"regression: {fake.SERIES} became 5.0% slower: 2.00 -> 2.10 ns",
                     f"1 confirmed regression on box: {fake.SERIES} 1.050 [1.046, 1.054] since",
                     "1.0500, 99.9% interval +4.6% to +5.4%", "confirmed by a second run",
                     f"{self.first}..{newer}", f"scripts/lab compare {self.first} {newer} --filter",
                     f"--bisect {fake.SERIES}"):
            self.assertIn(text, said)
        change, = self.runs()[-1].head["changes"]
        self.assertEqual((change["kind"], change["to_commit"]), ("regression", newer))
        self.assert_everybody_says(said.strip().splitlines()[-1])

    def test_an_accident_of_layout_is_listed_and_fails_nothing(self):
        fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER], clone=.956)
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn("but 1.00 in the clones' layout: an accident of layout", said)
        self.assertIn("none slower or faster for certain: 1 an accident of layout.", said)

    def test_one_that_was_not_found_again_does_not_count(self):
        fake.says(self.root, pairs=[{**SLOWER, "verdict": "undecided", "confirmed": False}])
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 0)
        self.assertIn("Nothing changed", sentence)
        self.assertIn("none slower or faster for certain: 1 undecided", sentence)

    def test_nor_one_that_nobody_looked_for_again(self):
        fake.says(self.root, pairs=[{**SLOWER, "confirmed": None}])
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 0)
        self.assertIn("none slower or faster for certain: 1 not found again", sentence)

    def test_an_improvement_is_told(self):
        fake.says(self.root, pairs=[{**SLOWER, "ratio": .9, "verdict": "faster"}])
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn(f"improvement: {fake.SERIES} became 10.0% faster", said)
        self.assertIn(f"\n1 improvement on box: {fake.SERIES} 0.900", said)

    def test_a_control_that_leaves_one_percent(self):
        fake.says(self.root, self=1.02, pairs=[SLOWER])
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 3)
        self.assertIn("not usable: registry differed from itself by +2.0%", sentence)
        run = self.runs()[-1]
        self.assertEqual((run.is_usable, run.head["changes"]), (False, []))

    def test_the_next_night_is_compared_with_a_usable_one(self):
        fake.commit(self.root, "speed", "101")
        fake.says(self.root, self=1.02)
        self.night("--quick")
        fake.says(self.root)
        fake.commit(self.root, "speed", "100")
        self.assertIn(f"Nothing changed since {self.first}", self.last_line("--quick")[1])

    def test_an_expected_change(self):
        newer = fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER])
        notes = self.results / "notes.jsonl"
        note = json.dumps({"series": fake.SERIES, "commit": newer[:8], "reason": "checks more"})
        notes.write_text(f"{note}\n{note}\n{note[:-9]}\n", encoding="utf-8")
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn(f"Nothing else changed since {self.first}: 1 pair of series, none else "
                      "slower or faster. 1 acknowledged change.", said)
        self.assertIn("(expected: checks more)", said)
        self.assertIn(f"{notes}:2: skipped: line 1 says that already", said)
        self.assertIn(f"{notes}:3: a torn line", said)

    def test_one_that_is_expected_of_another_series_is_not(self):
        newer = fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER])
        (self.results / "notes.jsonl").write_text(json.dumps(
            {"series": "finalize/exit/registry/n:16", "commit": newer, "reason": "x"}) + "\n",
            encoding="utf-8")
        self.assertEqual(self.night("--quick")[0], 2)

    def test_more_instructions_are_a_regression(self):
        fake.says(self.root, instructions=30.3)
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 2)
        self.assertIn("1 confirmed regression on box: instructions/registration/registry 1.010 "
                      "since", sentence)

    def test_a_commit_that_is_gone_is_passed_over(self):
        path = self.runs()[0].path
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(f'"commit": "{self.first}"', '"commit": "123456789abc"'),
                        encoding="utf-8")
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 0)
        self.assertIn("123456789abc, can't be built again: git does not have it", sentence)

    def test_results_that_were_added_are_no_change(self):
        fake.commit(self.root, "results/page", "1")
        (self.root / "results" / "page").write_text("2", encoding="utf-8")
        self.assertIn(f"Nothing changed since {self.first}", self.last_line("--quick")[1])
        self.assertFalse(self.runs()[-1].commit.endswith("-dirty"))

    def test_since(self):
        fake.commit(self.root, "speed", "101")
        self.night("--quick")
        name = self.runs()[0].name
        self.assertIn(f"since {self.first}", self.last_line("--quick", "--since", name)[1])
        self.assertEqual(self.night("--since", "nothing"), (
            1, "--since nothing: neither a stored run of this machine nor a commit\n"))


@pytest.mark.nightly
class FirstNightWithProcessesTest(FirstNightTest):
    """The same, with each program a process."""

    run_command = staticmethod(RUN_COMMAND)


@pytest.mark.nightly
class VerdictWithProcessesTest(VerdictTest):
    """The same, with each program a process."""

    run_command = staticmethod(RUN_COMMAND)
