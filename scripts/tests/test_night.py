#!/usr/bin/python3
"""What a night decides, with programs that are played: the second says that nothing changed, a
regression counts once it was found twice, and what was cut off goes on."""

import atexit
import contextlib
import functools
import io
import json
import os
import shutil
import signal
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from scripts.tests import fake_programs as fake
import night as driver
import starts
import store

SLOWER = {"name": fake.SERIES, "ratio": 1.05, "verdict": "slower", "confirmed": True}


@functools.cache
def after_one_night():
    """A checkout with one night in its store; a copy of it is cheaper than another one."""
    folder = tempfile.TemporaryDirectory(prefix="threadref-night-")
    atexit.register(folder.cleanup)
    root = Path(folder.name)
    fake.checkout(root)
    play(root, iter(["2026-01-01T020000Z"]), ["--quick"])
    return root


def play(root, clock, arguments):
    """(status, what the night says)"""
    said = io.StringIO()
    # A second has one name; nights of a test begin within one.
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), \
            mock.patch("night.moment", lambda: next(clock)), \
            mock.patch.dict(os.environ, {"PATH": f"{root / 'path'}:{os.environ['PATH']}",
                                         "PYTHONDONTWRITEBYTECODE": "1"}):
        try:
            status = driver.main(["--machine", "box", *arguments], root)
        except starts.Unusable as problem:
            print(problem)
            status = problem.status
    return status, said.getvalue()


class Played(unittest.TestCase):
    nights = 0  # that are in the store already

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-night-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        if self.nights:
            shutil.copytree(after_one_night(), self.root, dirs_exist_ok=True)
            self.first = fake.git(self.root, "rev-parse", "--short=12", "HEAD")
        else:
            self.first = fake.checkout(self.root)
        self.results = self.root / "results"
        self.clock = iter(f"2026-01-{day:02}T020000Z" for day in range(1 + self.nights, 29))

    def night(self, *arguments):
        return play(self.root, self.clock, arguments)

    def runs(self):
        return store.load(self.results)[0].get("box", [])

    def last_line(self, *arguments):
        status, said = self.night(*arguments)
        return status, said.strip().splitlines()[-1]


class FirstNightTest(Played):
    def test_the_first_night_says_that_there_was_none_before(self):
        status, sentence = self.last_line("--quick")
        self.assertEqual((status, sentence), (0, "all is well; there was no usable night before to "
                                                 "compare with"))
        run, = self.runs()
        self.assertTrue(run.is_usable)
        controls = run.head["controls"]
        self.assertEqual((controls["self"], controls["clone"]), (1.001, 1.004))
        self.assertAlmostEqual(controls["band"], .01)
        self.assertNotIn("compare.sh", " ".join(fake.calls(self.root)))

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
        for text in ("forbidden: churn/registry failed: lost 1", "sanitizer: tsan: 0 reports",
                     "guarantee: end/return/registry is broken: lost",
                     "target: target exit/n:256 is missed: 3, and not <= 2"):
            self.assertIn(text, said)

    def test_a_step_that_crashed_leaves_a_hole_with_a_reason(self):
        fake.says(self.root, statuses={"scripts/instructions.sh": 139})
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
        self.assertEqual(sentence, f"nothing changed since {self.first}: 1 pair of series, none "
                                   "slower or faster")


    def test_every_part_is_stored_and_valid(self):
        self.night("--quick")
        run = self.runs()[-1]
        for kind in store.KINDS.keys() - {"run"}:
            with self.subTest(kind):
                self.assertTrue(run.of(kind))
        row = run.bench["finalize/exit/registry/n:16"]
        self.assertEqual((row["ns_samples"], row["processes"]), ([3.0] * 3, 3))
        self.assertEqual((row["drain_samples"][0], row["drain_samples"][-1]), (0, 999))
        self.assertEqual(run.of("pair")[0]["a_commit"], self.first)
        self.assertEqual(run.of("canary")[0]["seconds"], .25)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(store.main(["check", "--results", str(self.results)]), 0)


    def test_a_regression_that_was_found_twice(self):
        newer = fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER])
        status, said = self.night("--quick")
        self.assertEqual(status, 2)
        for text in (f"worse: {fake.SERIES} takes 5.0% longer: 2.00 -> 2.10 ns",
                     "1.0500, 99.9% interval +4.6% to +5.4%", "confirmed by a second run",
                     f"{self.first}..{newer}", f"scripts/compare.sh {self.first} {newer} --filter",
                     f"--bisect {fake.SERIES}"):
            self.assertIn(text, said)
        change, = self.runs()[-1].head["changes"]
        self.assertEqual((change["kind"], change["to_commit"]), ("regression", newer))


    def test_one_that_was_not_found_again_does_not_count(self):
        fake.says(self.root, pairs=[{**SLOWER, "verdict": "undecided", "confirmed": False}])
        status, sentence = self.last_line("--quick")
        self.assertEqual(status, 0)
        self.assertIn("nothing changed", sentence)
        self.assertIn("1 of them undecided", sentence)


    def test_nor_one_that_nobody_looked_for_again(self):
        fake.says(self.root, pairs=[{**SLOWER, "confirmed": None}])
        self.assertEqual(self.night("--quick")[0], 0)


    def test_an_improvement_is_told(self):
        fake.says(self.root, pairs=[{**SLOWER, "ratio": .9, "verdict": "faster"}])
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn("improvement: finalize/registration/registry/n:256 takes 10.0% less", said)
        self.assertIn("nothing is worse; 1 improvement", said)


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
        self.assertIn(f"nothing changed since {self.first}", self.last_line("--quick")[1])


    def test_an_expected_change(self):
        newer = fake.commit(self.root, "speed", "105")
        fake.says(self.root, pairs=[SLOWER])
        notes = self.results / "notes.jsonl"
        note = json.dumps({"series": fake.SERIES, "commit": newer[:8], "reason": "checks more"})
        notes.write_text(f"{note}\n{note}\n{note[:-9]}\n", encoding="utf-8")
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn("nothing is worse; 1 expected change", said)
        self.assertIn("(checks more)", said)
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
        self.assertIn("instructions/registration/registry: 1.0% more instructions", sentence)


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
        self.assertIn(f"nothing changed since {self.first}", self.last_line("--quick")[1])
        self.assertFalse(self.runs()[-1].commit.endswith("-dirty"))


    def test_since(self):
        fake.commit(self.root, "speed", "101")
        self.night("--quick")
        name = self.runs()[0].name
        self.assertIn(f"since {self.first}", self.last_line("--quick", "--since", name)[1])
        self.assertEqual(self.night("--since", "nothing"), (
            1, "--since nothing: neither a stored run of this machine nor a commit\n"))


class ResumeTest(Played):
    def test_a_night_that_was_cut_off_goes_on(self):
        fake.says(self.root, cut_off_at="scripts/targets.sh")
        status, said = self.night("--quick")
        self.assertEqual(status, 130)
        self.assertIn("interrupted; the same command goes on where it was", said)
        self.assertEqual(self.runs(), [])
        self.assertEqual(list(self.results.rglob("*.part")), [])
        before = len(fake.calls(self.root))
        fake.says(self.root)
        status, said = self.night("--quick")
        self.assertEqual(status, 0)
        self.assertIn("goes on with 2026-01-01T020000Z-", said)
        self.assertIn("cut off after build_release, build_tsan, controls, bench, instructions",
                      said)
        again = " ".join(fake.calls(self.root)[before:])
        self.assertIn("targets.sh", again)
        for step in ("pair.sh", "instructions.sh", "--benchmark_out", "--matrix", "--json"):
            self.assertNotIn(step, again)
        self.assertEqual(len(self.runs()), 1)

    def test_not_for_another_commit(self):
        fake.says(self.root, cut_off_at="scripts/targets.sh")
        self.night("--quick")
        fake.commit(self.root, "speed", "101")
        fake.says(self.root)
        self.assertNotIn("goes on", self.night("--quick")[1])

    def test_not_after_twelve_hours(self):
        fake.says(self.root, cut_off_at="scripts/targets.sh")
        self.night("--quick")
        fake.says(self.root)
        for path in (self.results / "local" / "nightly").rglob("*"):
            os.utime(path, (1e9, 1e9))
        self.assertNotIn("goes on", self.night("--quick")[1])

    def test_nor_when_it_came_to_its_end(self):
        self.night("--quick")
        self.assertNotIn("goes on", self.night("--quick")[1])

    def test_behind_storing_it_stores_nothing_again(self):
        fake.says(self.root, cut_off_at="scripts/test.sh")
        self.assertEqual(self.night()[0], 130)
        self.assertEqual(len(self.runs()), 1)
        fake.says(self.root)
        status, sentence = self.last_line()
        self.assertEqual(status, 0)
        self.assertIn("all is well", sentence)
        self.assertEqual(len(self.runs()), 1)

    def test_a_build_that_fails_stores_nothing(self):
        fake.says(self.root, statuses={"path/cmake": 1})
        status, said = self.night("--quick")
        self.assertEqual((status, self.runs()), (3, []))
        self.assertIn("'build, optimised' failed, nothing was stored", said)

    def test_two_at_once(self):
        with driver.only_one(self.root):
            self.assertEqual(self.night("--quick")[0], 3)


class DryRunTest(Played):
    def files(self):
        return {path: path.stat().st_mtime_ns for path in self.root.rglob("*")
                if ".git" not in path.parts and path.name != "calls.txt"}

    def test_it_changes_nothing(self):
        self.night("--quick")
        before, called = self.files(), fake.calls(self.root)
        status, said = self.night("--quick", "--dry-run")
        self.assertEqual((status, self.files(), fake.calls(self.root)), (0, before, called))
        self.assertIn(f"compared with {self.first} of 2026-01-01T020000Z-", said)
        self.assertIn("nothing was done", said)

    def test_it_says_what_was_done_already(self):
        fake.says(self.root, cut_off_at="scripts/targets.sh")
        self.night("--quick")
        said = self.night("--quick", "--dry-run")[1]
        self.assertRegex(said, r"would go on with 2026-01-01T020000Z-")
        self.assertRegex(said, r"matrix +done")
        self.assertRegex(said, r"targets +60 s")


class BisectTest(Played):
    def commits(self, *speeds):
        return [fake.commit(self.root, "speed", text) for text in speeds]

    def test_it_finds_the_commit(self):
        found = self.commits("101", "102", "101", "106", "105", "106")
        status, said = self.night("--bisect", fake.SERIES, "--since", self.first)
        self.assertEqual(status, 0)
        self.assertIn(f"\n{found[3]} speed: 106\n", said)
        self.assertIn("ratio 1.0495", said)
        self.assertIn(f"again: scripts/compare.sh {found[2]} {found[3]}", said)

    def test_one_that_got_faster(self):
        found = self.commits("100", "80", "81")
        said = self.night("--bisect", fake.SERIES, "--since", self.first)[1]
        self.assertIn(f"\n{found[1]} speed: 80\n", said)

    def test_one_that_does_not_build_is_passed_over(self):
        found = self.commits("101", "broken", "106", "107")
        status, said = self.night("--bisect", fake.SERIES, "--since", self.first)
        self.assertEqual(status, 0)
        self.assertIn(f"it came after {found[0]}, with {found[2]} or with one of these, which "
                      f"could not be measured: {found[1]}", said)

    def test_no_change_names_no_commit(self):
        self.commits("100", "101")
        status, said = self.night("--bisect", fake.SERIES, "--since", self.first)
        self.assertEqual(status, 3)
        self.assertIn("no change to narrow", said)

    def test_wrong_use(self):
        for arguments, sentence in (
                (["--bisect", "exit"], "a series is called as a benchmark, such as"),
                (["--bisect", fake.SERIES], "there was no usable night before"),
                (["--bisect", fake.SERIES, "--since", self.first], "there is no commit after")):
            status, said = self.night(*arguments)
            self.assertEqual((status, said.count("\n")), (1, 1))
            self.assertIn(sentence, said)


if __name__ == "__main__":
    unittest.main()
