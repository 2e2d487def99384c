"""One planted fault per rule of lab style: a rule that cannot fail is a defect itself."""

import sys
import tempfile
from pathlib import Path

from threadref_lab.cli.status import FINE, UNCAUGHT

TABLE = "impl/threadref/backends/CMakeLists.txt"

# A tree with nothing to find, on which each fault below is planted alone. It holds what a careless
# rule would mistake for a fault.
CLEAN = {
    TABLE: "threadref_backend(some_backend)\n",
    "impl/cmake/backend.cmake": "set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}/backend.cpp)\n",
    "impl/threadref/backends/some_backend/backend.cpp": "",
    "impl/threadref/backends/some_backend/backend.hpp": "",
    "impl/conformance/CMakeLists.txt": "add_executable(tests clean_test.cpp)\n",
    "impl/conformance/clean_test.cpp": """
#include "threadref/backends/some_backend/backend.hpp"
int n;  // sleep_for() in a comment
""",
    "impl/testing/CMakeLists.txt": "add_executable(z check_test.cpp)\n",
    "impl/testing/check.hpp": "",
    "impl/testing/check_test.cpp": '#include "testing/check.hpp"\n',
    "stress/CMakeLists.txt": "add_executable(y main.cpp)\n",
    "stress/harness.hpp": "",
    "stress/main.cpp": '#include "stress/harness.hpp"\n#include "testing/check.hpp"\n',
    "bench/CMakeLists.txt": "foreach(name IN ITEMS main)\n  add_executable(x ${name}.cpp)\n",
    "bench/main.cpp": "int some_backend_create();\n" + "//" + " " * 100 + "\n",
}

# rule -> the file that breaks it, and nothing else
FAULTS = {
    "columns": ("scripts/some.cmake", "#" + " " * 100 + "\n"),
    "file_length": ("bench/main.cpp", "int n;\n" * 701),
    "function_length": ("scripts/long.py", "def f():\n" + "    pass\n" * 70),
    "no_sleep": ("impl/conformance/clean_test.cpp",
                 '#include "threadref/backends/some_backend/backend.hpp"\n'
                 "void f() { std::this_thread::sleep_for(1ms); }\n"),
    "no_backend_name": ("bench/main.cpp", 'const char* name = "some_backend";\n'),
    "includes_go_down": ("bench/main.cpp", '#include "stress/harness.hpp"\n'),
    "dead_files": ("bench/forgotten.cpp", "int n;\n"),
}

# The same rules where another language is read.
MORE_FAULTS = (
    ("includes_go_down", "impl/threadref/backends/some_backend/backend.cpp",
     '#include "testing/check.hpp"\n'),
    ("function_length", "scripts/long.sh", "f() {\n" + "  true\n" * 70 + "}\n"),
    ("columns", "scripts/wide.py", "#" + " " * 100 + "\n"),
    ("dead_files", "impl/threadref/backends/gone/backend.cpp", ""),
    ("dead_files", "impl/threadref/backends/gone/backend.hpp", ""),
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
