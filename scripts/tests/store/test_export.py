"""The exports: what they hold, and that promtool has nothing against it."""

import contextlib
import io
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from tests.store import history
from threadref_lab.store import export


class ExportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="threadref-export-")
        self.addCleanup(folder.cleanup)
        self.results, self.out = Path(folder.name) / "results", Path(folder.name) / "out"

    def exported(self, machine="box"):
        with contextlib.redirect_stdout(io.StringIO()), \
                contextlib.redirect_stderr(io.StringIO()) as wrong:
            status = export.main(["--results", str(self.results), "--machine", machine, "--out",
                                  str(self.out)])
        return status, wrong.getvalue()

    def one_night(self, **heads):
        return history.store(self.results, lambda night: [
            history.bench(ratio=1.5 + night, ns=30.0, ratio_samples=[1.4, 1.6]),
            history.bench(history.OTHER, ns=4.0, p99=9.0),
            history.bench("finalize/exit/peer_x/n:16", absent="no hook"),
            history.bench("finalize/exit/c11_tss/n:16", error="it broke", ns=1.0)], 2, **heads)

    def text(self, name):
        return (self.out / name).read_text(encoding="utf-8")

    def test_metrics_are_of_the_newest_usable_night(self):
        self.one_night(night_1={"usable": False})
        self.assertEqual(self.exported()[0], 0)
        labels = f'{{bench="{history.NAME}",machine="box",commit="{history.commit(0)}"}}'
        self.assertIn(f"threadref_ratio{labels} 1.5\n", self.text("threadref.prom"))
        self.assertIn(f"threadref_operation_seconds{labels} 3", self.text("threadref.prom"))
        self.assertIn('threadref_control_ratio{control="self"', self.text("threadref.prom"))
        self.assertNotIn("c11_tss", self.text("threadref.prom"))
        self.assertEqual(self.text("threadref.om"), self.text("threadref.prom") + "# EOF\n")

    @unittest.skipUnless(shutil.which("promtool"),
                         "promtool is missing: scripts/setup.sh --all installs it")
    def test_promtool_accepts_them(self):
        self.one_night(night_1={"commit": 'a "quoted" \\ one\nof two lines'})
        self.exported()

        def status(text):
            return subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                  capture_output=True, check=False).returncode
        for name in export.FORMATS:
            self.assertEqual(status(self.text(name)), 0, name)
        self.assertNotEqual(status(self.text("threadref.prom").replace("# HELP", "# HELPED")
                                   .replace("# TYPE threadref_ratio", "# TYPE threadref ratio")), 0)

    def test_for_github_action_benchmark(self):
        self.one_night()
        self.exported()
        self.assertEqual(json.loads(self.text("benchmark.json")), [
            {"name": history.NAME, "unit": "ratio to floor", "value": 2.5, "range": "1.4 to 1.6",
             "extra": f"machine box, commit {history.commit(1)}"},
            {"name": history.OTHER, "unit": "ns", "value": 4.0,
             "extra": f"machine box, commit {history.commit(1)}"}])

    def test_google_benchmarks_own_is_copied_untouched_where_it_is_kept(self):
        path = self.one_night()[-1]
        self.assertIn("no bench.json", self.exported()[1])
        self.assertFalse((self.out / "bench.json").exists())
        raw = self.results / "local" / "nightly" / path.stem / "bench.json"
        raw.parent.mkdir(parents=True)
        raw.write_text('{"context":   {}}\n\n', encoding="utf-8")
        self.assertEqual(self.exported(), (0, ""))
        self.assertEqual((self.out / "bench.json").read_bytes(), raw.read_bytes())

    def test_no_machine_and_no_usable_night(self):
        self.one_night(night_0={"usable": False}, night_1={"usable": False})
        self.assertEqual(self.exported("other"), (1, f"lab export: {self.results} has no night "
                                                  "of a machine other; it has box\n"))
        self.assertEqual(self.exported(), (3, "lab export: no night of box is usable\n"))
        self.assertFalse(self.out.exists())
