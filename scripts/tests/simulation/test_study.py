"""The simulated year: the same by seed, another by another, marked, judged as it was planted."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import numpy

from threadref_lab.dashboard import document
from threadref_lab.regressions import alarm_rules
from threadref_lab.simulation import noise, study

SMALL = ("--nights", "60", "--machines", "1", "--series", "4")


class SimulateTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-year-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_main(self, *arguments):
        with contextlib.redirect_stdout(io.StringIO()) as said, \
                contextlib.redirect_stderr(io.StringIO()):
            return study.main([*SMALL, *arguments]), said.getvalue()

    def files(self, seed, name):
        out = self.folder / name
        self.assertEqual(self.run_main("--seed", str(seed), "--out", str(out))[0], 0)
        return {path.relative_to(out): path.read_bytes() for path in out.rglob("*.jsonl")}

    def test_one_seed_one_year(self):
        first = self.files(1, "a")
        self.assertEqual(len(first), 60)
        self.assertEqual(first, self.files(1, "b"))
        self.assertNotEqual(list(first.values()), list(self.files(2, "c").values()))

    def test_it_is_marked_as_simulated(self):
        self.files(1, "a")
        page, _ = document.document(self.folder / "a")
        self.assertTrue(page["simulated"])
        self.assertEqual([machine["name"] for machine in page["machines"]], ["sim-pinned-1"])

    def test_machines_of_a_year_differ(self):
        one, other = noise.year(1, 0, 4, 80), noise.year(1, 3, 4, 80)
        self.assertEqual(one.condition, other.condition)
        self.assertFalse(numpy.array_equal(one.ratio, other.ratio))

    def test_the_clone_spreads_are_those_of_the_controls_table(self):
        spreads = noise.clone_spreads()
        self.assertEqual(len(spreads), 54)
        self.assertAlmostEqual(numpy.median(spreads), .007, delta=.0005)
        self.assertAlmostEqual(spreads.max(), .449)

    def test_the_spread_of_the_gate_is_the_measured_one(self):
        year = noise.year(1, 0, 40, 200)
        quiet = year.usable & ~year.moved
        medians = numpy.median(year.pair, axis=-1)[:, quiet]
        medians = medians[abs(medians - 1) < .01]  # without steps and layouts
        expected = noise.TWO_PROGRAMS[noise.PINNED] * (noise.TWO_PROGRAMS_STARTS / 20) ** .5
        self.assertAlmostEqual(medians.std() / expected, 1, delta=.25)

    def quiet_year(self, steps):
        """A pinned machine whose layout never moves."""
        year = noise.year(3, 0, 6, 120)
        year.moved[:] = False
        year.clone[:] = 1.005
        year.step_at[:] = 60 if steps else 999
        level = (numpy.arange(120) >= 60) * numpy.log(noise.STEP) * steps
        year.ratio[:] = numpy.exp(level[None, :, None] + numpy.random.default_rng(1).normal(
            0, .004, year.ratio.shape))
        year.usable[:], year.environment[:] = True, 0
        year.pair[:] = numpy.exp(numpy.diff(level, prepend=0)[None, :, None]) * numpy.random.\
            default_rng(2).normal(1, .004, year.pair.shape)
        year.again[:] = year.pair
        return year

    def judged(self, steps):
        year = self.quiet_year(steps)
        return {name: study.Tally().add(year, blamed)
                for name, blamed in alarm_rules.ours(year).items()}

    def test_planted_steps_are_found_and_nothing_else(self):
        for name, tally in self.judged(steps=True).items():
            self.assertEqual((tally.false, tally.layout, tally.found, tally.steps), (0, 0, 6, 6),
                             name)

    def test_without_steps_nothing_is_found(self):
        for name, tally in self.judged(steps=False).items():
            self.assertEqual((tally.false, tally.found, tally.steps), (0, 0, 0), name)

    def test_either_run_can_veto(self):
        for silent in ("pair", "again"):
            year = self.quiet_year(steps=True)
            getattr(year, silent)[:] = 1.0
            self.assertFalse(alarm_rules.paired_gate(year).any(), silent)

    def test_what_clones_differ_by_and_do_not_share(self):
        year = self.quiet_year(steps=True)
        self.assertTrue(alarm_rules.shared_by_clones(year)[:, 60].all())
        year.clone[:, 60:] /= noise.STEP
        self.assertFalse(alarm_rules.shared_by_clones(year)[:, 60].any())
        self.assertEqual((alarm_rules.ours(year)["ours, the paired gate alone"]).max(),
                         alarm_rules.NONE)
        year.clone[:] = 1.1
        self.assertFalse(alarm_rules.paired_gate(year).any())

    def test_what_the_gate_has_told_is_no_news_of_the_trend(self):
        gate, trend = numpy.full((2, 1, 9), alarm_rules.NONE)
        gate[0, 2], trend[0, 5], trend[0, 8] = 2, 3, 7
        self.assertEqual(list(numpy.flatnonzero(alarm_rules.not_seen_by(gate, trend)[0] >= 0)), [8])

    def test_an_alarm_is_counted_by_what_it_blames(self):
        year = self.quiet_year(steps=True)
        year.moved[20] = True
        blamed = numpy.full((6, 120), alarm_rules.NONE)
        # In turn: false, layout, found, late, false, late.
        blamed[0, [10, 22, 62, 80, 100, 110]] = [10, 21, 62, 80, 100, 61]
        tally = study.Tally().add(year, blamed)
        self.assertEqual((tally.false, tally.layout, tally.found), (2, 1, 1))

    def test_plain_rules_on_two_levels(self):
        samples = numpy.random.default_rng(1).normal(1, .001, (1, 80, 20))
        samples[:, 50:] *= 1.6
        for name, rule in alarm_rules.OTHERS.items():
            with self.subTest(name):
                # asv waits for a second night, and blames that one.
                self.assertIn(51 if "asv" in name else 50, rule(samples))
                if "Mann" not in name and "LNT" not in name:
                    self.assertTrue((rule(samples[:, :50]) == alarm_rules.NONE).all())

    def test_the_table_goes_between_its_markers_and_is_checked(self):
        page = self.folder / study.PAGE
        page.parent.mkdir(parents=True)
        page.write_text(f"a\n{study.BLOCK.begin}\n{study.BLOCK.end}\nb\n", encoding="utf-8")
        root = ("--root", str(self.folder))
        self.assertEqual(self.run_main("--check", *root)[0], 2)
        self.assertEqual(self.run_main("--table", *root)[0], 0)
        text = page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("a\n") and text.endswith("b\n"))
        self.assertIn("ours: paired gate and change points", text)
        self.assertEqual(self.run_main("--check", *root)[0], 0)
        self.assertEqual(self.run_main("--check", "--seed", "2", *root)[0], 2)
