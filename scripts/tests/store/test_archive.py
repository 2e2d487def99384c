"""What the results store promises when files are torn, doubled, missing or cannot be written."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path

from tests.store import small_night
from threadref_lab.cli.status import Refused
from threadref_lab.store import archive, command, rows


class StoreTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-store-")
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name) / "results"

    def sentences(self):
        return archive.load(self.results)[1]

    def test_a_stored_run_reads_back_whole(self):
        path, status = small_night.stored(self.results, 1)
        machines, problems = archive.load(self.results)
        self.assertEqual((status, problems), (0, []))
        run = machines["box"][0]
        self.assertEqual(run.path, path)
        self.assertEqual(run.bench["finalize/registration/registry/n:256"]["ratio"], 1.5)
        self.assertEqual(run.bench["finalize/exit_under_churn/registry/n:16/churn:4000"]["churn"],
                         4000)
        self.assertEqual(run.stress["churn/registry"]["verdict"], "passed")
        self.assertEqual(run.totals["threads_churned"], 200)
        self.assertEqual(run.head["environment"]["compiler"], "g++ 12.2.0")

    def test_no_host_name_and_no_path_is_stored(self):
        path, _ = small_night.stored(self.results, 1)
        text = path.read_text(encoding="utf-8")
        self.assertNotIn("somebodys", text)
        self.assertNotIn("/opt/x", text)

    def test_no_part_of_a_file_is_left(self):
        small_night.stored(self.results, 1)
        self.assertEqual([path for path in self.results.rglob("*.part")], [])

    def test_a_torn_line_is_named_and_skipped(self):
        path, _ = small_night.stored(self.results, 1)
        text = path.read_text(encoding="utf-8")
        count = len(text.splitlines())
        path.write_text(text[:-40], encoding="utf-8")
        self.assertEqual(self.sentences(),
                         [f"{path}:{count}: a torn line, skipped: not whole JSON"])
        run = archive.load(self.results)[0]["box"][0]
        self.assertEqual(len(run.bench), small_night.BENCH_ROWS)
        self.assertIsNone(run.totals)

    def test_a_line_without_its_keys_is_named_and_skipped(self):
        path, _ = small_night.stored(self.results, 1)
        with open(path, "a", encoding="utf-8") as file:
            file.write('{"kind": "bench", "run": "x"}\n{"kind": "unheard_of"}\n[]\n')
        problems = self.sentences()
        self.assertEqual(len(problems), 3)
        self.assertIn("a bench line without group", problems[0])

    def test_a_run_is_stored_once(self):
        path, _ = small_night.stored(self.results, 1)
        before = path.read_bytes()
        with self.assertRaisesRegex(Refused, "is there already; a run is stored once"):
            small_night.stored(self.results, 1)
        self.assertEqual(path.read_bytes(), before)

    def test_a_copied_run_counts_once(self):
        path, _ = small_night.stored(self.results, 1)
        copy = self.results / "box" / "2027" / path.name
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes())
        machines, problems = archive.load(self.results)
        self.assertEqual(len(machines["box"]), 1)
        self.assertEqual(problems, [f"{copy}:1: skipped: the same run is in {path}"])

    def test_a_row_twice_in_a_run_counts_once(self):
        path, _ = small_night.stored(self.results, 1)
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(lines + [lines[1]]) + "\n", encoding="utf-8")
        self.assertEqual(self.sentences(), [
            f"{path}:{len(lines) + 1}: skipped: not of this run, or there already"])

    def test_a_folder_that_cannot_be_made_is_said_with_the_reason(self):
        self.results.parent.mkdir(exist_ok=True)
        self.results.write_text("a file where the folder should be", encoding="utf-8")
        with self.assertRaisesRegex(Refused, "cannot write to .*: Not a directory") as caught:
            archive.ready(self.results, "box")
        self.assertEqual(caught.exception.status, 1)

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_read_only_folder_is_said_with_the_reason(self):
        self.results.mkdir()
        self.results.chmod(0o555)
        with self.assertRaisesRegex(Refused, "cannot write to .*: Permission denied"):
            archive.ready(self.results, "box")

    def test_ready_removes_what_a_killed_run_left(self):
        archive.ready(self.results, "box")
        folder = next((self.results / "box").iterdir())
        (folder / ".run.jsonl.1.part").write_text("{", encoding="utf-8")
        archive.ready(self.results, "box")
        self.assertEqual(list(folder.iterdir()), [])

    def test_machine_names(self):
        for name in ("local", "dashboard", "", "../up", "Box", "-x", "a" * 41):
            with self.subTest(name), self.assertRaises(Refused):
                archive.ready(self.results, name)

    def test_the_schema_refuses_a_wrong_type(self):
        options = small_night.options(self.results, 1)
        head, found = rows.collect(options)
        found[0]["n"] = "many"
        with self.assertRaisesRegex(Refused, "line 2 .bench. n: 'many'"):
            archive.add(self.results, [head, *found])
        self.assertEqual(list(self.results.rglob("*.jsonl")), [])

    def test_check_finds_nothing_then_a_torn_line(self):
        path, _ = small_night.stored(self.results, 1)
        arguments = ["check", "--results", str(self.results)]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(command.main(arguments), 0)
            path.write_text(path.read_text(encoding="utf-8")[:-5], encoding="utf-8")
            self.assertEqual(command.main(arguments), 3)
        self.assertIn("a torn line", said.getvalue())


class StatusTest(unittest.TestCase):
    """The worst of what happened is the run's status, and each bad thing is said."""

    def collect(self, **changes):
        with tempfile.TemporaryDirectory(prefix="threadref-store-") as folder:
            return rows.collect(small_night.options(Path(folder) / "results", 1, **changes))

    def test_fine(self):
        self.assertEqual(self.collect()[0]["status"], 0)

    def test_lost_in_bench(self):
        head, _ = self.collect(bench={"finalize/exit/registry/n:16": {"lost": 2}})
        self.assertEqual(head["status"], 2)
        self.assertEqual(head["problems"], ["finalize/exit/registry/n:16: 2 lost"])

    def test_a_peer_has_no_contract(self):
        head, _ = self.collect(bench={"finalize/exit/peer_vector/n:16": {"misordered": 2}})
        self.assertEqual(head["status"], 0)

    def test_what_is_absent_has_no_figures_and_fails_nothing(self):
        name = "finalize/exit/peer_vector/n:16"
        head, found = self.collect(bench={name: {"label": "absent: no exit hook"}})
        row = next(row for row in found if row.get("name") == name)
        self.assertEqual((head["status"], row["absent"]), (0, "no exit hook"))
        self.assertFalse({"order", "ns", "lost"} & row.keys())

    def test_forbidden_in_stress(self):
        head, _ = self.collect(verdict="failed")
        self.assertEqual(head["status"], 2)

    def test_undecided_in_stress(self):
        self.assertEqual(self.collect(verdict="unknown")[0]["status"], 3)

    def test_a_program_that_crashed(self):
        head, found = self.collect(statuses=["bench=139"], bench_text='{"benchmarks": [{"na')
        self.assertEqual((head["status"], head["statuses"]), (3, {"bench": 3}))
        self.assertEqual(head["problems"][0], "bench ended by signal 11")
        self.assertIn("bench.json: not whole JSON", head["problems"][1])
        self.assertEqual([row for row in found if row["kind"] == "bench"], [])

    def test_a_sanitizer_that_reported(self):
        head, _ = self.collect(statuses=["stress=66"])
        self.assertEqual(head["status"], 3)
        self.assertEqual(head["problems"], ["stress ended with status 66: a sanitizer reported"])

    def test_a_canary_that_was_not_caught(self):
        self.assertEqual(self.collect(statuses=["canaries=4", "stress=2"])[0]["status"], 4)

    def test_what_google_benchmark_adds_to_a_name_is_taken_off(self):
        entry = {"name": "finalize/exit/registry/n:16/iterations:200/manual_time", "ns": 3}
        self.assertEqual(rows.bench_row(entry)["name"], "finalize/exit/registry/n:16")

    def test_parameters_of_a_name_are_whole_numbers(self):
        row = rows.bench_row({"name": "finalize/churn/registry/alive:1000/iterations:9/manual_time",
                              "ns": 3.5, "n": 16.0, "alive": 1e3})
        self.assertEqual((row["name"], row["n"], row["alive"]),
                         ("finalize/churn/registry/alive:1000", 16, 1000))
        self.assertIsInstance(row["n"], int)

    def test_aggregates_and_unmeasurable_numbers_are_left_out(self):
        name = "finalize/exit/registry/n:16"
        self.assertIsNone(rows.bench_row({"name": name, "run_type": "aggregate"}))
        self.assertNotIn("ns", rows.bench_row({"name": name, "ns": float("nan")}))

    def test_rows_are_json(self):
        for row in self.collect()[1]:
            json.dumps(row, allow_nan=False)
