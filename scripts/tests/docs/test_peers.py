"""The table of peers in bench/docs/peers.md says what the peers' sources say."""

import re
import unittest

from threadref_lab.cli.checkout import ROOT

BENCH = ROOT / "bench"
BASELINES = BENCH / "baselines/peers"


def said(source, name):
    """The text of a constant, whose literal may be in several pieces."""
    pieces = re.search(rf'string_view {name} =((?:\s*"[^"]*")+);', source)
    return "".join(re.findall(r'"([^"]*)"', pieces[1]))


class Peers(unittest.TestCase):
    def test_the_table_is_that_of_the_sources(self):
        table = (BASELINES / "CMakeLists.txt").read_text(encoding="utf-8")
        names = re.findall(r"^threadref_peer\((\w+)", table, re.M)
        self.assertTrue(names)
        rows = []
        for name in names:
            source = "".join(path.read_text(encoding="utf-8")
                             for path in BASELINES.glob(f"{name}.?pp"))
            self.assertEqual(said(source, "name"), name)
            rows.append(f"| `{name}` | {said(source, 'summary')} | {said(source, 'lacks')} |")
        readme = (BENCH / "docs/peers.md").read_text(encoding="utf-8").splitlines()
        self.assertEqual([line for line in readme if line.startswith("| `peer_")], rows)
