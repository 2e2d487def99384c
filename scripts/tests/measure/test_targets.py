"""What is a target met, missed or undecided, and what the list of misses may say, with figures that
are made up here."""

import contextlib
import io
import json
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from threadref_lab.cli.status import Unusable
from threadref_lab.measure import sweeps, targets, targets_table
from threadref_lab.store import schema

SUBJECT = "best"
HEAD = "## Targets that are missed\n\nwords\n\n| target | measured | why | best variant tried |\n" \
       "|---|---|---|---|\n"
COUNTERS = {"ns": 1.0, "floor_ns": 1.0, "dead_ns": 1.0, "ratio": 1.0, "life_ratio": 1.0,
            "steady_first": 0.0, "steady_each": 0.0, "steady_exit": 0.0}


def entry(name, **figures):
    return {"name": f"{name}/iterations:1/manual_time", "run_type": "iteration",
            "label": "order=ok", **COUNTERS, **figures}


class Program:
    """Stands for bench_threadref. In process i of p, a row's figure is the i-th of `given[name]`,
    where there is one; else such that every target is met."""

    def __init__(self, **given):
        self.given = {name.replace("__", "/").replace("_at_", ":"): values
                      for name, values in given.items()}
        self.gone, self.labels, self.missing_allocator = set(), {}, ""
        self.starts = dict.fromkeys(sweeps.ALLOCATORS, 0)

    def names(self):
        """All rows that the targets need, on a machine with four cores."""
        names = [f"sweep/{what}_{quantity}/{SUBJECT}/{values}"
                 for quantity in ("registration", "exit") for what, all_values in (
                     ("loaded_objects", ("objects:0", "objects:64", "objects:1024")),
                     ("keys", ("keys:0", "keys:900")), ("live_threads", ("alive:1", "alive:99")),
                     ("n", ("n:1", "n:256", "n:65536")), ("at_once", ("cores:1", "cores:2",
                                                                      "cores:4")))
                 for values in all_values]
        for target in targets_table.TARGETS:
            for part in target.parts(SUBJECT, names):
                names += [name for name in part.rows if name not in names]
        return [name for name in [*names, *targets_table.CONTROLS] if name not in self.gone]

    def ask(self, _bench, argument):
        if argument == "--describe":
            return json.dumps({"default_backend": SUBJECT})
        return "\n".join(f"{name}/iterations:1/manual_time" for name in self.names())

    def start(self, _bench, arguments, environment):
        pattern = re.compile(arguments[0].partition("=")[2])
        library = environment.get("LD_PRELOAD", "none")
        allocator, = (name for name, (_, at, _) in sweeps.ALLOCATORS.items() if at == library)
        number = self.starts[allocator]
        self.starts[allocator] += 1
        called = "glibc" if allocator == self.missing_allocator else sweeps.ALLOCATORS[allocator][0]
        found = []
        for name in filter(pattern.search, self.names()):
            figures = self.given.get(name, {})
            if name.startswith("finalize/registration/peer_") or "weak_ptr" in name:
                figures = {"ns": [21.0] * 99, **figures}
            row = entry(name, **{key: values[number] for key, values in figures.items()})
            found.append({**row, "label": self.labels.get(name, "order=ok")})
        return {"context": {"allocator": called, "commit": "1a2b3c4"}, "benchmarks": found}


class TargetsTest(unittest.TestCase):
    EXIT = f"finalize__exit__{SUBJECT}__n_at_256"
    SLOW = {EXIT: {"ratio": [1.5] * 20}}

    def run_script(self, program, *arguments, listed=None):
        """(status, text, the document); `listed`: the page with the list of misses."""
        with contextlib.ExitStack() as stack:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            readme = root / targets.LIST
            text = listed or ""
            readme.parent.mkdir(parents=True)
            readme.write_text(text, encoding="utf-8")
            for name, stand_in in (("ROOT", root), ("ask", program.ask), ("start", program.start),
                                   ("count", lambda *_: [40] * 20)):
                stack.enter_context(mock.patch.object(targets, name, stand_in))
            said = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            out = root / "out.json"
            status = targets.main(["--bench", "bench", "--out", str(out), *arguments])
            document = json.loads(out.read_text(encoding="utf-8"))
            self.assertEqual(out.with_suffix(".txt").read_text(encoding="utf-8"), said.getvalue())
        return status, said.getvalue(), document

    def line(self, document, name):
        return next(line for line in document["targets"] if line["target"] == name)

    def test_all_met(self):
        status, said, document = self.run_script(Program())
        self.assertEqual({line["verdict"] for line in document["targets"]}, {"met"}, said)
        self.assertEqual(status, 0)
        self.assertIn("41 targets: 41 met", said.splitlines()[-1])
        self.assertEqual([error.message for error in
                          schema.validator("targets").iter_errors(document)], [])

    def test_a_miss_has_to_be_listed(self):
        status, said, _ = self.run_script(Program(**self.SLOW))
        self.assertEqual(status, 2)
        self.assertIn("NOT LISTED", said)
        self.assertIn("scripts/lab targets --only '^exit/n:256$'", said)
        listed = HEAD + "| `exit/n:256` | 1.5 | a check more | none |\n\n## Other\n| a |\n"
        status, said, document = self.run_script(Program(**self.SLOW), listed=listed)
        self.assertEqual((status, self.line(document, "exit/n:256")["listed"]), (0, True), said)
        self.assertIn("missed; listed", said)

    def test_what_is_listed_and_met_is_said(self):
        status, said, _ = self.run_script(Program(), listed=HEAD + "| exit/n:256 | 2 | w | v |\n")
        self.assertEqual(status, 0)
        self.assertIn("listed as missed, and met on this machine", said)

    def test_an_undecided_one_counts_as_its_median_does(self):
        for within, status in ((11, 0), (9, 2)):
            ratios = [1.05] * within + [1.2] * (20 - within)
            ended, said, document = self.run_script(Program(**{self.EXIT: {"ratio": ratios}}))
            line = self.line(document, "exit/n:256")
            self.assertEqual((line["verdict"], ended), ("undecided", status), said)
            self.assertEqual((line["low"], line["high"]), (1.05, 1.2))

    def test_an_undecided_one_within_may_stay_listed(self):
        ratios = [1.05] * 11 + [1.2] * 9
        status, said, _ = self.run_script(Program(**{self.EXIT: {"ratio": ratios}}),
                                          listed=HEAD + "| exit/n:256 | 1.2 | w | v |\n")
        self.assertEqual(status, 0, said)

    def test_a_limit_that_has_to_be_beaten_is_not_reached_by_it(self):
        same = {"ns": [21.0] * 20}
        row = {f"finalize__registration__{SUBJECT}__n_at_16": same}
        _, _, document = self.run_script(Program(**row))
        self.assertEqual(self.line(document, "registration_few_to_vector/n:16")["verdict"],
                         "missed")

    def test_two_rows_make_their_ratio_in_each_process(self):
        ns = [float(number) for number in range(1, 21)]
        row = {f"finalize__registration__{SUBJECT}__n_at_256": {"ns": ns},
               "finalize__registration__peer_recycled_vector__n_at_256": {"ns": ns}}
        _, _, document = self.run_script(Program(**row))
        line = self.line(document, "registration_to_vector/n:256")
        self.assertEqual((line["values"], line["verdict"]), ([1.0] * 20, "met"))

    def test_growth_is_to_the_last_value_from_the_first(self):
        row = {f"sweep__loaded_objects_exit__{SUBJECT}__objects_at_1024": {"ns": [2.0] * 20},
               f"sweep__at_once_exit__{SUBJECT}__cores_at_4": {"ratio": [3.0] * 20},
               f"sweep__n_exit__{SUBJECT}__n_at_1": {"ns": [99.0] * 20}}
        _, _, document = self.run_script(Program(**row))
        medians = {line["target"]: line["median"] for line in document["targets"]}
        self.assertEqual((medians["loaded_objects_exit"], medians["at_once_exit/cores:4"],
                          medians["at_once_exit/cores:2"], medians["n_exit"]), (2, 3, 1, 1))

    def test_an_absent_row_is_not_usable(self):
        name = f"finalize/exit/{SUBJECT}/n:256"
        gone, said_why, error = Program(**self.SLOW), Program(), Program()
        gone.gone = {name}
        vector = "finalize/registration/peer_reserved_vector/n:16"
        said_why.labels = {vector: "absent: no room"}
        error.missing_allocator = "mimalloc"
        for program, target, why in (
                (gone, "exit/n:256", f"there is no row {name}"),
                (said_why, "registration_few_to_vector/n:16", f"{vector}: no room"),
                (error, "allocator_exit/n:16", "not of mimalloc; Debian has it in libmimalloc2.0")):
            status, said, document = self.run_script(program)
            self.assertEqual(status, 3, said)
            self.assertIn(why, self.line(document, target)["why"])
            self.assertIn(f"scripts/lab targets --only '^{target}$'", said)
            self.assertEqual([problem.message for problem in
                              schema.validator("targets").iter_errors(document)], [])

    def test_one_core_says_why(self):
        program = Program()
        program.gone = {f"sweep/at_once_exit/{SUBJECT}/cores:{cores}" for cores in (2, 4)}
        status, _, document = self.run_script(program)
        self.assertEqual(status, 3)
        self.assertIn("two CPUs", self.line(document, "at_once_exit")["why"])

    def test_a_floor_that_differs_from_itself_makes_the_run_unusable(self):
        row = {"finalize__exit__floor_call_loop__n_at_256": {"ratio": [1.02] * 20}}
        status, said, _ = self.run_script(Program(**row, **self.SLOW))
        self.assertEqual(status, 3)
        self.assertIn("this run says nothing", said)

    def test_few_starts_decide_nothing(self):
        for arguments in (("--quick",), ("--processes", "19"), ("--quick", "--processes", "20")):
            status, said, _ = self.run_script(Program(**self.SLOW), *arguments)
            self.assertEqual(status, 0, said)
            self.assertIn("decide nothing", said)

    def test_only_what_is_asked_for_is_measured(self):
        program = Program()
        _, _, document = self.run_script(program, "--only", "^exit/")
        self.assertEqual([line["target"] for line in document["targets"]],
                         ["exit/n:256", "exit/n:4096"])
        self.assertEqual(program.starts, {**dict.fromkeys(sweeps.ALLOCATORS, 0), "glibc": 20})
        with self.assertRaisesRegex(Unusable, "no target matches"):
            self.run_script(Program(), "--only", "^nothing$")

    def test_a_list_that_is_none_is_refused(self):
        for text, why in ((HEAD.replace("measured", "seen"), "no table with the columns"),
                          (HEAD + "| exit/n:256 | 1.5 | | none |\n", "something in each"),
                          (HEAD + "| exit/n:256 | 1.5 | why |\n", "something in each"),
                          (HEAD + "| exits | 1.5 | why | none |\n", "no target is called exits"),
                          (HEAD + 2 * "| exit/n:256 | 2 | w | v |\n", "twice")):
            with self.assertRaisesRegex(Unusable, why) as refused:
                targets.listed_misses(text, "README.md")
            self.assertEqual(refused.exception.status, 2)
        self.assertEqual(targets.listed_misses("# registry\n", "README.md"), {})

    def test_the_list_can_be_read(self):
        self.assertTrue(targets.misses())

    def test_wrong_use(self):
        for arguments in (["--only", "("], ["--processes", "0"], ["--out", "/nowhere/x"],
                          ["--out", "x.txt"], ["--wrong"]):
            with contextlib.redirect_stderr(io.StringIO()) as said:
                with self.assertRaises(SystemExit) as ended:
                    targets.main(["--bench", "bench", *arguments])
            self.assertEqual((ended.exception.code, said.getvalue().count("\n")), (1, 1))
