"""One planted fault per rule of lab style: a rule that cannot fail is a defect itself."""

import sys
import tempfile
from pathlib import Path

from threadref_lab.cli.status import FINE, UNCAUGHT
SPDX = "// SPDX-License-Identifier: MIT\n"
TABLE = "impl/threadref/backends/CMakeLists.txt"
WORKING_DIRECTORY = "/" + "work/main"  # in two parts, or this file would break the rule itself


def lines(count):
    return "  ++n;\n" * count


# A tree with nothing to find, on which each fault below is planted alone. It holds what a careless
# rule would mistake for a fault.
CLEAN = {
    TABLE: "threadref_backend(some_backend)\n",
    "impl/cmake/backend.cmake": "set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}/backend.cpp)\n",
    "impl/threadref/backends/some_backend/backend.cpp": SPDX + "#ifdef __linux__\n#endif\n",
    "impl/threadref/backends/some_backend/backend.hpp": SPDX + "#pragma once\n",
    "impl/conformance/CMakeLists.txt": "add_executable(tests clean_test.cpp)\n",
    "impl/conformance/clean_test.cpp": SPDX + """
#include "threadref/backends/some_backend/backend.hpp"
// assert( and sleep_for( in a comment
static_assert(sizeof("assert(sleep_for(") > 1);
namespace a {
struct b {
  b() : value_{1}, other_{2} {""" + lines(60) + """  }
  int value_;
""" + "  int more;\n" * 80 + """};
}
""",
    "bench/CMakeLists.txt": "foreach(name IN ITEMS main)\n  add_executable(x ${name}.cpp)\n",
    "impl/testing/check.hpp": SPDX,
    "impl/testing/check_test.cpp": SPDX + '#include "testing/check.hpp"\n',
    "impl/testing/CMakeLists.txt": "add_executable(z check_test.cpp)\n",
    "stress/CMakeLists.txt": "add_executable(y main.cpp)\n",
    "stress/harness.hpp": SPDX,
    "stress/main.cpp": SPDX + '#include "stress/harness.hpp"\n#include "testing/check.hpp"\n',
    "bench/main.cpp": SPDX + "int some_backend_create();  // see https://example.org/home\n",
}

# rule -> the file that breaks it, and nothing else
FAULTS = {
    "columns": ("bench/main.cpp", SPDX + "int main() {}" + " " * 90 + ";\n"),
    "file_length": ("bench/main.cpp", SPDX + "int n;\n" * 700),
    "function_length": ("bench/main.cpp",
                        SPDX + "template <class A>\nint f() noexcept {\n" + lines(69) + "}\n"),
    "conditional_compilation": ("bench/main.cpp", SPDX + "#if __linux__\n#endif\n"),
    "no_assert": ("bench/main.cpp", SPDX + "int main() { assert(true); }\n"),
    "no_sleep": ("impl/conformance/clean_test.cpp",
                 SPDX + '#include "threadref/backends/some_backend/backend.hpp"\n'
                 "void f() { std::this_thread::sleep_for(1ms); }\n"),
    "no_backend_name": ("bench/main.cpp", SPDX + 'const char* name = "some_backend";\n'),
    "includes_go_down": ("bench/main.cpp", SPDX + '#include "stress/harness.hpp"\n'),
    "licence": ("bench/main.cpp", "int main() {}\n"),
    "machine_paths": ("bench/main.cpp", SPDX + f'const char* x = "{WORKING_DIRECTORY}";\n'),
    "dead_files": ("bench/forgotten.cpp", SPDX + "int n;\n"),
}

# The same rules where another language is read.
MORE_FAULTS = (
    ("includes_go_down", "impl/threadref/backends/some_backend/backend.cpp",
     SPDX + '#include "testing/check.hpp"\n'),
    ("function_length", "scripts/long.py", "def f():\n" + "    pass\n" * 70),
    ("function_length", "scripts/long.sh", "f() {\n" + "  true\n" * 70 + "}\n"),
    ("function_length", "bench/main.cpp",
     SPDX + "TYPED_TEST(some, test) {\n  if (n) {\n  }\n" + lines(69) + "}\n"),
    ("function_length", "bench/main.cpp",
     SPDX + "struct a {\n  a() : b_{1}, c_(2) {\n" + lines(69) + "  }\n};\n"),
    ("dead_files", "impl/threadref/backends/gone/backend.cpp", SPDX),
    ("dead_files", "impl/threadref/backends/gone/backend.hpp", SPDX),
    ("machine_paths", "README.md", f"Run it in {WORKING_DIRECTORY}.\n"),
)


def plant(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def broken_rules(make_tree, findings, extra):
    with tempfile.TemporaryDirectory(prefix="threadref-style-") as folder:
        plant(Path(folder), {**CLEAN, **extra})
        return {rule for rule, *_ in findings(make_tree(folder))}


def self_test(rules, make_tree, findings):
    missed = []
    unexpected = broken_rules(make_tree, findings, {})
    if unexpected:
        missed.append(f"the clean tree is said to break {', '.join(sorted(unexpected))}")
    planted = [(rule, *fault) for rule, fault in FAULTS.items()] + list(MORE_FAULTS)
    for rule, path, text in planted:
        broken = broken_rules(make_tree, findings, {path: text})
        if broken != {rule}:
            missed.append(f"{path}, which breaks {rule}: found {sorted(broken) or 'nothing'}")
    missed += [f"{rule.__name__} has no planted fault" for rule in rules
               if rule.__name__ not in FAULTS]
    for what in missed:
        print(f"lab style --self-test: {what}", file=sys.stderr)
    print(f"lab style --self-test: {len(planted) - len(missed)} of {len(planted)} planted faults "
          "found, each by its own rule")
    return UNCAUGHT if missed else FINE
