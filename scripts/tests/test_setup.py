"""What setup.sh asks of apt, on machines that are played: by what is on the PATH, and by what
dpkg-query says."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from threadref_lab.cli.checkout import ROOT

SETUP = ROOT / "scripts" / "setup.sh"
NEEDED = ("awk", "basename", "bash", "cat", "comm", "dirname", "grep", "nproc", "paste",
          "sort", "wc")
# All that is asked for is there but what is in $ABSENT; nodejs is $MAINTAINER's.
DPKG = """#!/bin/sh
case "$*" in *Maintainer*) echo "$MAINTAINER"; exit ;; esac
for name in "$@"; do
  case " $ABSENT -W " in *" $name "*) ;; *) echo "$name installed" ;; esac
done
"""


class Node(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadref-setup-")
        self.addCleanup(holder.cleanup)
        self.path = Path(holder.name)
        for name in NEEDED:
            (self.path / name).symlink_to(shutil.which(name))
        self.put("dpkg-query", DPKG)

    def put(self, name, text="#!/bin/sh\n"):
        (self.path / name).write_text(text, encoding="utf-8")
        (self.path / name).chmod(0o755)

    def check(self, *arguments, absent="", maintainer=""):
        done = subprocess.run([self.path / "bash", SETUP, "--check", *arguments], check=False,
                              capture_output=True, text=True,
                              env={**os.environ, "PATH": str(self.path), "ABSENT": absent,
                                   "MAINTAINER": maintainer})
        return done.returncode, done.stdout + done.stderr

    def test_without_node_apt_is_asked_for_both(self):
        status, said = self.check("--all", absent="nodejs npm")
        self.assertEqual(status, 1, said)
        self.assertIn("--no-install-recommends nodejs npm\n", said)

    def test_any_npm_will_do(self):
        self.put("node")
        self.put("npm")
        for maintainer in ("", "NodeSource Support <support@nodesource.com>"):
            status, said = self.check("--all", absent="nodejs npm", maintainer=maintainer)
            self.assertEqual((status, said.count("\n")), (0, 1), said)

    def test_debians_node_gets_debians_npm(self):
        self.put("node")
        status, said = self.check("--all", absent="npm",
                                  maintainer="Debian Javascript Maintainers <a@b.org>")
        self.assertEqual(status, 1)
        self.assertIn("--no-install-recommends npm\n", said)

    def test_node_from_elsewhere_without_npm_is_told(self):
        self.put("node")
        status, said = self.check("--all", absent="nodejs npm")
        self.assertEqual(status, 0, said)
        self.assertIn("node is not Debian's and lacks npm", said)
        self.assertNotIn("lacks npm", self.check()[1])

    def test_what_else_is_missing_is_asked_for(self):
        self.put("npm")
        status, said = self.check("--all", absent="nodejs npm chromium")
        self.assertEqual(status, 1)
        self.assertIn("--no-install-recommends chromium\n", said)
