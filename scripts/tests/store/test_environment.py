"""What a night ran on, and what speaks against beginning one."""

import unittest
from unittest import mock

from threadref_lab.store import environment


class EnvironmentTest(unittest.TestCase):
    def test_the_hash_is_of_what_must_not_change(self):
        block = environment.observe("/bin/true", environment.before(), {"compiler": "g++ 12"})
        self.assertTrue(all(isinstance(value, str) for value in block.values()))
        self.assertRegex(block["build_id"], "^[0-9a-f]+$|^unknown$")
        one = environment.hash_of(block)
        for name in ("load_before", "load_after", "steal_percent", "build_id"):
            self.assertEqual(environment.hash_of({**block, name: "x"}), one, name)
        for name in environment.HASHED:
            self.assertNotEqual(environment.hash_of({**block, name: "x"}), one, name)

    def test_steal(self):
        self.assertEqual(environment.steal_percent((10, 100), (15, 200)), 5)
        self.assertEqual(environment.steal_percent((10, 100), (10, 100)), 0)

    def test_the_choice_of_the_kernel(self):
        self.assertEqual(environment.chosen("always [madvise] never"), "madvise")

    def test_the_bench_is_believed_first(self):
        self.assertEqual(environment.observe("", environment.before(),
                                             {"cpu": "mine"})["cpu"], "mine")

    def test_a_busy_machine_and_a_full_disk_are_said(self):
        with mock.patch("os.getloadavg", return_value=(99.0, 0, 0)):
            said = list(environment.complaints(.5, 10 ** 12, "/"))
        self.assertIn("the load is 99.00", said[0])
        self.assertIn("MiB are free where results go", said[1])
