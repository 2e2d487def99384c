"""What clang-tidy reads, in a small repository: since when, which files, and that what is planted
in a touched header is found."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tests.nightly.fake_programs import git
from threadref_lab.cli.status import Unusable
from threadref_lab.quality import tidy, touched

HOUR = 3600
TIDY = "scripts/threadref_lab/quality/tidy.py"
START = 1_700_000_000
FILES = {
    "impl/low.hpp": "inline int low() { return 1; }\n",
    "impl/middle.hpp": '#include "low.hpp"\n',
    "impl/alone.hpp": "inline int alone() { return 2; }\n",
    "impl/small.cpp": '#include "middle.hpp"\nint small() { return low(); }\n',
    "impl/big.cpp": '  #  include <impl/middle.hpp>\n#include "impl/side.hpp"\n',
    "impl/side.hpp": "inline int side() { return 3; }\n",
    "impl/c.c": '#include "side.hpp"\n',
    "bench/of_its_own.cpp": "int of_its_own() { return 4; }\n",
    "README.md": "text\n",
    ".gitignore": "build/\n",
}
SOURCES = ("impl/small.cpp", "impl/big.cpp", "impl/c.c", "bench/of_its_own.cpp")


class Repository(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadref-touched-")
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name).resolve()
        git(self.root, "init", "--quiet", "--initial-branch=main")
        self.commit(0, **FILES)

    def write(self, name, text):
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def commit(self, hours, **files):
        """Its name; so many hours after the first."""
        for name, text in files.items():
            self.write(name, text)
        git(self.root, "add", "--all")
        with mock.patch.dict(os.environ, {"GIT_COMMITTER_DATE": f"@{START + hours * HOUR} +0000"}):
            git(self.root, "commit", "--quiet", "--message", "m")
        return git(self.root, "rev-parse", "--short", "HEAD")

    def is_main(self):
        git(self.root, "update-ref", "refs/remotes/origin/main", "HEAD")

    def select(self, *arguments, **words):
        """(the names that are read, the headers that are not, the sentence)"""
        options = {Path(name): (f"-I{self.root}", "-I/usr/include") for name in SOURCES}
        picked, unread, sentence = touched.select(self.root, options, *arguments, **words)
        return sorted(map(str, picked)), list(map(str, unread)), sentence


class SinceWhen(Repository):
    def test_a_branch_counts_from_where_it_left_main(self):
        base = git(self.root, "rev-parse", "--short", "HEAD")
        self.is_main()
        self.commit(100, **{"impl/small.cpp": "int small();\n"})
        self.commit(200, **{"README.md": "more\n"})
        picked, _, sentence = self.select()
        self.assertEqual(picked, ["impl/small.cpp"])
        self.assertEqual(sentence, f"1 of 4 files, since {base} (where it left origin/main)")

    def test_what_main_got_meanwhile_is_not_the_branchs(self):
        self.commit(1, **{"impl/c.c": "\n"})
        self.is_main()
        git(self.root, "checkout", "--quiet", "-b", "branch", "HEAD~1")
        self.commit(2, **{"impl/small.cpp": "int small();\n"})
        self.assertEqual(self.select()[0], ["impl/small.cpp"])

    def test_on_main_what_came_in_lately_counts(self):
        self.commit(1, **{"impl/small.cpp": "int small();\n"})
        base = self.commit(10, **{"bench/of_its_own.cpp": "int mine();\n"})
        self.commit(13, **{"impl/c.c": "\n"})
        self.commit(14, **{"README.md": "more\n"})
        for is_there in (False, True):  # a main of origin
            if is_there:
                self.is_main()
            picked, _, sentence = self.select()
            self.assertEqual(picked, ["impl/c.c"])
            self.assertIn(f"since {base} (4 hours before its newest commit)", sentence)

    def test_a_history_that_does_not_go_so_far_is_read_whole(self):
        self.commit(3, **{"README.md": "more\n"})
        picked, _, sentence = self.select()
        self.assertEqual(picked, sorted(SOURCES))
        self.assertIn("all 4 files: the history begins later", sentence)

    def test_a_commit_that_is_named(self):
        first = git(self.root, "rev-parse", "HEAD")
        self.commit(1, **{"impl/c.c": "\n"})
        self.assertEqual(self.select(first)[0], ["impl/c.c"])
        self.assertEqual(self.select("HEAD")[0], [])
        with self.assertRaisesRegex(Unusable, "'nowhere' is not a commit of this repository"):
            self.select("nowhere")

    def test_what_is_not_committed_counts(self):
        self.write("impl/c.c", "\n")
        git(self.root, "rm", "--quiet", "impl/small.cpp")
        self.assertEqual(self.select("HEAD")[0], ["impl/c.c"])
        self.write("impl/small.cpp", "int anew();\n")
        self.assertEqual(self.select("HEAD")[0], ["impl/c.c", "impl/small.cpp"])

    def test_all(self):
        self.assertEqual(self.select(everything=True), (sorted(SOURCES), [], "all 4 files"))

    def test_rules_that_changed_are_for_all(self):
        for name in (".clang-tidy", "scripts/check.sh", TIDY):
            with self.subTest(name):
                self.write(name, "x\n")
                picked, _, sentence = self.select("HEAD")
                self.assertEqual(picked, sorted(SOURCES))
                self.assertIn(f"all 4 files: {name} changed since ", sentence)
                (self.root / name).unlink()


class WhichFiles(Repository):
    def touch(self, *names):
        for name in names:
            self.write(name, FILES[name] + "\n")
        return self.select("HEAD")[:2]

    def test_a_header_is_read_with_what_includes_least(self):
        self.assertEqual(self.touch("impl/low.hpp"), (["impl/small.cpp"], []))

    def test_no_second_source_for_one_that_is_read_anyway(self):
        self.assertEqual(self.touch("impl/low.hpp", "impl/big.cpp"), (["impl/big.cpp"], []))

    def test_nor_is_one_left_out_because_something_else_is_read(self):
        self.assertEqual(self.touch("impl/low.hpp", "bench/of_its_own.cpp"),
                         (["bench/of_its_own.cpp", "impl/small.cpp"], []))

    def test_one_source_for_several_headers(self):
        self.assertEqual(self.touch("impl/low.hpp", "impl/middle.hpp"), (["impl/small.cpp"], []))

    def test_c_only_where_nothing_else_includes_it(self):
        self.assertEqual(self.touch("impl/side.hpp"), (["impl/big.cpp"], []))
        self.write("impl/big.cpp", "\n")
        self.commit(1)
        self.write("impl/side.hpp", "// again\n")
        self.assertEqual(self.select("HEAD")[0], ["impl/c.c"])

    def test_a_header_that_nothing_includes_is_named(self):
        self.assertEqual(self.touch("impl/alone.hpp"), ([], ["impl/alone.hpp"]))

    def test_two_headers_that_include_each_other(self):
        self.write("impl/low.hpp", '#include "middle.hpp"\n')
        self.assertEqual(self.select("HEAD")[0], ["impl/small.cpp"])


class Found(Repository):
    """clang-tidy itself, over what was chosen."""

    def tidy(self, *arguments):
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        (build / "compile_commands.json").write_text(json.dumps(
            [{"directory": str(build), "file": str(self.root / name),
              "command": f"c++ -I{self.root} -c {self.root / name}"} for name in SOURCES]),
            encoding="utf-8")
        rules = self.root / "rules"
        rules.write_text("Checks: '-*,readability-identifier-naming'\nWarningsAsErrors: '*'\n"
                         "HeaderFilterRegex: '.*'\nCheckOptions: [{ value: lower_case,\n"
                         "  key: readability-identifier-naming.ClassCase }]\n", encoding="utf-8")
        said = io.StringIO()
        with mock.patch.multiple(tidy, ROOT=self.root, RULES=rules), \
                contextlib.redirect_stdout(said):
            status = tidy.main([str(build), "1", *arguments])
        return status, said.getvalue()

    def test_what_is_planted_in_a_touched_header_is_found(self):
        self.write("impl/low.hpp", FILES["impl/low.hpp"] + "class BadName {};\n")
        status, said = self.tidy("--since", "HEAD")
        self.assertEqual(status, 2, said)
        self.assertIn("clang-tidy: 1 of 4 files, since", said)
        self.assertIn("\n  impl/small.cpp\n", said)
        self.assertIn("invalid case style for class 'BadName'", said)

    def test_what_needs_a_package_that_is_not_there_hides_nothing(self):
        self.write("impl/a_peer.cpp", '#include <no/such/header.hpp>\n#include "low.hpp"\n')
        self.write("impl/low.hpp", FILES["impl/low.hpp"] + "class BadName {};\n")
        status, said = self.tidy("--since", "HEAD")
        self.assertEqual(status, 2, said)
        self.assertIn("not read: impl/a_peer.cpp, which needs <no/such/header.hpp>", said)
        self.assertIn("invalid case style for class 'BadName'", said)
        self.assertNotIn("file not found", said)

    def test_what_the_build_compiles_has_to_be_found(self):
        self.write("impl/small.cpp", "#include <no/such/header.hpp>\n")
        status, said = self.tidy("--since", "HEAD")
        self.assertEqual(status, 2, said)
        self.assertIn("'no/such/header.hpp' file not found", said)

    def test_what_was_not_touched_is_not_read(self):
        self.commit(1, **{"impl/low.hpp": "inline int low() { return 1; }\nclass BadName {};\n"})
        self.write("bench/of_its_own.cpp", "int of_its_own();\n")
        self.assertEqual(self.tidy("--since", "HEAD")[0], 0)
        self.assertEqual(self.tidy("--all")[0], 2)
