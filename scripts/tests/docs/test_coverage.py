"""What tags say and what they are refused for, and when the coverage table is stale."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from threadref_lab.docs import coverage, coverage_tags

ROWS = coverage.read_rows(coverage.ROWS.read_text(encoding="utf-8"))
IDS = [one for rows in ROWS.values() for one in rows]
SCENARIOS = '''    {.key = id::churn,
     .name = "thread/churn",
     .asks = "?"},
    sweep(id::sweep_n, "sweep/n", "n", {1}, "?"),
'''


def tagged(text, path="stress/a.cpp"):
    """([(id, difference, item)], faults)"""
    tags, faults = coverage_tags.in_file(path, text, coverage_tags.scenario_names(SCENARIOS))
    return [(tag.id, tag.differs, tag.item) for tag in tags], faults


class Tags(unittest.TestCase):
    def of(self, text, *expected):
        self.assertEqual(tagged(text), (list(expected), []))

    def refused(self, text, *words):
        tags, faults = tagged(text)
        self.assertEqual((tags, len(faults)), ([], 1), faults)
        for word in words:
            self.assertIn(word, faults[0])

    def test_each_kind_of_item(self):
        for code, name in (("TEST(a, b) {", "a.b"), ("TEST_F(a, b) {", "a.b"),
                           ("TEST_P(a, b) {", "*a.b/*"), ("TYPED_TEST(a, b) {", "a/*.b"),
                           ("TYPED_TEST(a,\n           b) {", "a/*.b"),
                           ('    {.name = "late/x",', "late/x"),
                           ('  {{.name = "late/x",', "late/x"),
                           ('    {.key = id::x,\n     .name = "thread/x",', "thread/x"),
                           ('    sweep(id::x, "sweep/x", "n",', "sweep/x"),
                           ("struct body<scenarios::id::churn, B> {", "thread/churn"),
                           ("template <backend B>\nstruct body<id::sweep_n> : x {", "sweep/n"),
                           ("template <>\nconst scenario_code& scenario_of<id::sweep_n>() {",
                            "sweep/n")):
            self.of(f"// Shows: R-01.\n{code}\n", ("R-01", "", name))

    def test_an_event_whose_name_is_a_constant(self):
        self.of('constexpr std::string_view zero = "limits/zero";\n'
                "    // Shows: W-16.\n    {.name = zero,\n", ("W-16", "", "limits/zero"))

    def test_functions_of_a_program_of_its_own(self):
        program = "// Shows: W-01.\nstatic void* nests(void* unused) {\n}\n" \
                  "// Shows: W-02.\nint main(void) {\n}\n"
        self.assertEqual(tagged(program, "impl/c/weave.c"),
                         ([("W-01", "", "weave: nests"), ("W-02", "", "weave")], []))
        self.refused("// Shows: W-01.\nstatic void help(int x) {\n", "a.cpp:1")
        self.refused("// Shows: W-01.\nvoid help(int x) {\n}\nTEST(a, b) {\n", "a.cpp:1")

    def test_several_ids_tags_and_other_words(self):
        self.of("// What it asks.\n// Shows: R-01, R-02,\n// R-03.\n// Shows: F-01.\n"
                "// Differs: F-02: one reason, which\n// goes on.\n// Differs: F-03: another.\n//\n"
                "// And more words.\nTEST(a, b) {\n",
                ("R-01", "", "a.b"), ("R-02", "", "a.b"), ("R-03", "", "a.b"), ("F-01", "", "a.b"),
                ("F-02", "one reason, which goes on", "a.b"), ("F-03", "another", "a.b"))

    def test_prose_is_no_tag(self):
        self.of("// It shows: R-01.\n// R-02 of the seed systems.\nTEST(a, b) {\n")

    def test_nothing_below(self):
        for code in ("", "\nTEST(a, b) {", "int x = 0;", "}  // namespace"):
            self.refused(f"int y;\n// Shows: R-01.\n{code}\n", "stress/a.cpp:2: no test")

    def test_what_can_not_be_read(self):
        for tag in ("Shows: R-01", "Shows: R-01 R-02.", "Shows: R01.", "Shows: .", "Shows:",
                    "Differs: R-14: no stop", "Differs: R-14.", "Differs: R-14, R-15: two.",
                    "Differs: R-14: ."):
            self.refused(f"// {tag}\nTEST(a, b) {{\n", "stress/a.cpp:1: ")

    def test_a_wrong_tag_hides_no_other(self):
        tags, faults = tagged("// Shows: R-01.\nint x;\n// Shows: R-02.\nTEST(a, b) {\n")
        self.assertEqual((tags, len(faults)), ([("R-02", "", "a.b")], 1))


class Rows(unittest.TestCase):
    def test_all_of_the_systems(self):
        self.assertEqual([len(rows) for rows in ROWS.values()], [38, 32, 24, 50, 23])
        for rows in ROWS.values():
            groups = {one.partition("-")[0] for one in rows}
            self.assertEqual(len(groups), 1)
            self.assertEqual([int(one.partition("-")[2]) for one in rows],
                             list(range(1, len(rows) + 1)))

    def test_what_is_no_list(self):
        for text in ("R-01 x", "[a]\nR-1 x", "[a]\nR-01", "[a]\nR-01 x\nR-01 y"):
            with self.assertRaises(coverage.Unusable, msg=text):
                coverage.read_rows(text)


class Table(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="threadref-coverage-")
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        for folder in ("stress/docs", "impl/scenarios"):
            (self.root / folder).mkdir(parents=True)
        self.page = self.root / coverage.PAGE
        self.page.write_text(f"before\n{coverage.BLOCK.begin}\n{coverage.BLOCK.end}\n"
                               "after\n", encoding="utf-8")
        (self.root / coverage.SCENARIOS).write_text(SCENARIOS, encoding="utf-8")
        self.tag(f"// Shows: {', '.join(IDS)}.\nTEST(all, rows) {{\n")

    def tag(self, text):
        (self.root / "stress/a.cpp").write_text(text, encoding="utf-8")

    def play(self, status, *arguments, says=""):
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            found = coverage.main(["--root", str(self.root), *arguments])
        self.assertEqual(found, status, said.getvalue())
        self.assertIn(says, said.getvalue())

    def test_fresh_after_writing_and_stale_after_a_change(self):
        self.play(2, "--check", says="scripts/lab docs --only coverage")
        self.play(0)
        text = self.page.read_text(encoding="utf-8")
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"))
        self.assertEqual(text.count("`all.rows`"), len(IDS))
        self.play(0, "--check")
        self.tag(f"// Shows: {', '.join(IDS)}.\nTEST(all, others) {{\n")
        self.play(2, "--check", says="stale")
        self.assertEqual(self.page.read_text(encoding="utf-8"), text, "--check wrote")

    def test_what_differs_has_its_reason_and_its_tests(self):
        self.tag(f"// Shows: {', '.join(IDS)}.\nTEST(all, rows) {{\n"
                 "// Differs: R-14: a | b.\nTEST(a, b) {\n// Differs: R-14: a | b.\nTEST(a, c) {\n")
        self.play(0)
        self.assertIn("`all.rows`; *differs:* a \\| b (`a.b`, `a.c`) |\n",
                      self.page.read_text(encoding="utf-8"))

    def test_a_row_without_a_tag_is_named_and_shows(self):
        self.tag(f"// Shows: {', '.join(IDS[2:])}.\nTEST(all, rows) {{\n")
        self.play(2, says=f"nothing shows {IDS[0]}, {IDS[1]};")
        self.play(2, "--check", says=f"nothing shows {IDS[0]}, {IDS[1]};")
        self.assertEqual(self.page.read_text(encoding="utf-8").count("**nothing**"), 2)

    def test_wrong_tags_are_told_and_nothing_is_written(self):
        before = self.page.read_text(encoding="utf-8")
        self.tag("// Shows: R-99.\nTEST(a, b) {\n")
        self.play(2, says="stress/a.cpp:1: there is no row R-99")
        self.tag("// Shows: R-01.\n")
        self.play(2, says="stress/a.cpp:1: no test")
        self.assertEqual(self.page.read_text(encoding="utf-8"), before)

    def test_a_page_without_markers(self):
        self.page.write_text("nothing here\n", encoding="utf-8")
        self.play(3, says=coverage.BLOCK.begin)
