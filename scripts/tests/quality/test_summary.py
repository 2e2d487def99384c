"""What counts as a failed test: above all, what ctest itself does not call one."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from threadref_lab.quality import summary

CASES = """<testsuite time="3">
<testcase name="passes" status="run"/>
<testcase name="fails" status="fail"><failure message=""/></testcase>
<testcase name="skips" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>
<testcase name="is_off" status="disabled"/>
<testcase name="is_gone" status="notrun"><skipped message="Unable to find executable"/></testcase>
</testsuite>"""


class SummaryTest(unittest.TestCase):
    def summary(self, **reports):
        """(status, lines printed) for these presets' reports."""
        with tempfile.TemporaryDirectory(prefix="threadref-summary-") as folder:
            arguments = []
            for preset, text in reports.items():
                path = Path(folder) / f"{preset}.xml"
                if text is not None:
                    path.write_text(text, encoding="utf-8")
                arguments.append(f"{preset}={path}")
            with contextlib.redirect_stdout(io.StringIO()) as said:
                status = summary.main(arguments)
        return status, said.getvalue().splitlines()

    def test_all_passed(self):
        one = '<testsuite time="1"><testcase name="a" status="run"/></testsuite>'
        status, said = self.summary(release=one, tsan=one)
        self.assertEqual((status, said[-1]), (0, "2 passed, 0 failed"))

    def test_each_kind(self):
        status, said = self.summary(release=CASES)
        self.assertEqual((status, said[-1]), (2, "1 passed, 2 failed"))
        self.assertIn("  release: is_gone", said)

    def test_a_preset_that_was_not_built_is_a_failure(self):
        status, said = self.summary(release=None)
        self.assertEqual((status, said[-1]), (3, "0 passed, 1 failed"))

    def test_no_test_at_all_is_a_failure(self):
        only_disabled = '<testsuite><testcase name="a" status="disabled"/></testsuite>'
        for empty in ("<testsuite/>", only_disabled):
            status, said = self.summary(release=empty)
            self.assertEqual((status, said[-1]), (3, "0 passed, 1 failed"))
