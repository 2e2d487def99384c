"""A night that is cut off goes on, one that is only asked about changes nothing, and --bisect finds
the commit; with programs that are played."""

import os

import pytest

from tests.nightly import fake_programs as fake
from tests.nightly.played import Played, RUN_COMMAND
from threadref_lab.nightly import night as driver


class ResumeTest(Played):
    def test_a_night_that_was_cut_off_goes_on(self):
        fake.says(self.root, cut_off_at="scripts/lab targets")
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
        self.assertIn("lab targets", again)
        for step in ("lab pair", "lab instructions", "--benchmark_out", "--matrix", "--json"):
            self.assertNotIn(step, again)
        self.assertEqual(len(self.runs()), 1)

    def test_not_for_another_commit(self):
        fake.says(self.root, cut_off_at="scripts/lab pair")
        self.night("--quick")
        self.assertIn("would go on", self.night("--quick", "--dry-run")[1])
        fake.commit(self.root, "speed", "101")
        self.assertIn("would begin", self.night("--quick", "--dry-run")[1])

    def test_not_after_twelve_hours(self):
        fake.says(self.root, cut_off_at="scripts/lab pair")
        self.night("--quick")
        for path in (self.results / "local" / "nightly").rglob("*"):
            os.utime(path, (1e9, 1e9))
        self.assertIn("would begin", self.night("--quick", "--dry-run")[1])

    def test_nor_when_it_came_to_its_end(self):
        self.night("--quick")
        self.assertIn("would begin", self.night("--quick", "--dry-run")[1])

    def test_behind_storing_it_stores_nothing_again(self):
        fake.says(self.root, cut_off_at="scripts/test.sh")
        self.assertEqual(self.night()[0], 130)
        self.assertEqual(len(self.runs()), 1)
        fake.says(self.root)
        status, sentence = self.last_line()
        self.assertEqual(status, 0)
        self.assertIn("All is well", sentence)
        self.assert_everybody_says(sentence)
        self.assertEqual(len(self.runs()), 1)

    def test_a_build_that_fails_stores_nothing(self):
        fake.says(self.root, statuses={"path/cmake": 1})
        status, said = self.night("--quick")
        self.assertEqual((status, self.runs()), (3, []))
        self.assertIn("'build, optimised' failed, nothing was stored", said)

    def test_two_at_once(self):
        with driver.only_one(self.root):
            self.assertEqual(self.night("--quick")[0], 3)


@pytest.mark.nightly
class ResumeWithProcessesTest(ResumeTest):
    """The same, with each program a process."""

    run_command = staticmethod(RUN_COMMAND)


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
        fake.says(self.root, cut_off_at="scripts/lab targets")
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
        self.assertIn(f"again: scripts/lab compare {found[2]} {found[3]}", said)

    @pytest.mark.nightly
    def test_one_that_got_faster(self):
        found = self.commits("100", "80", "81")
        said = self.night("--bisect", fake.SERIES, "--since", self.first)[1]
        self.assertIn(f"\n{found[1]} speed: 80\n", said)

    @pytest.mark.nightly
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
