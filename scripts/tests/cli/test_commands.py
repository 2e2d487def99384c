"""scripts/lab: what it lists, what it refuses, and that nothing it started outlives it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.calls import lab
from threadref_lab.cli import children
from threadref_lab.cli.arguments import seconds
from threadref_lab.cli.checkout import LAB, ROOT
from threadref_lab.cli.commands import COMMANDS


def test_its_help_has_a_line_for_each_command():
    status, said = lab("--help")
    assert status == 0
    assert re.findall(r"^  ([a-z-]+) +\S", said, re.M) == list(COMMANDS)


def test_its_version_is_the_one_of_the_project():
    status, said = lab("--version")
    assert status == 0
    assert f"project(threadref VERSION {said.split()[1]} " in (ROOT / "CMakeLists.txt").read_text()


@pytest.mark.parametrize("arguments", [["frobnicate"], [], ["--frobnicate"]])
def test_what_is_no_command_is_refused_with_the_valid_ones(arguments):
    status, said = lab(*arguments)
    assert (status, said.count("\n")) == (1, 1)
    assert f"valid: {', '.join(COMMANDS)}" in said


@pytest.mark.parametrize("name", COMMANDS)
def test_each_has_a_help_text(name):
    status, said = lab(name, "--help")
    assert status == 0
    assert f"scripts/lab {name}" in said or f"scripts/{COMMANDS[name].prog} --help" in said
    assert "xit status" in said or COMMANDS[name].prog


# They take any word for a file or a program.
@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "times"])
def test_wrong_use_is_one_sentence(name):
    status, said = lab(name, "--frobnicate")
    assert (status, said.count("\n")) == (1, 1), said


def test_help_does_not_import_what_other_commands_need():
    done = subprocess.run([sys.executable, "-X", "importtime", LAB, "--help"],
                          capture_output=True, text=True, check=True)
    assert "threadref_lab.cli.commands" in done.stderr
    for module in ("numpy", "matplotlib", "threadref_lab.measure", "threadref_lab.store"):
        assert module not in done.stderr


SLEEPS = """#!/bin/sh
sleep 60 &
echo $$ $! >{started}.part
mv {started}.part {started}
wait
"""


def program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def interrupted(started, number, command, **environment):
    """(what it said, whether all that it started has ended)"""
    child = subprocess.Popen(["sh", "-c", f"trap '' INT; exec '{LAB}' {command}"], text=True,
                             stderr=subprocess.PIPE, env={**os.environ, **environment})
    while not started.exists():
        time.sleep(.01)
        assert child.poll() is None
    child.send_signal(number)
    said = child.communicate(timeout=30)[1]
    assert child.returncode == 130
    return said, all(map(has_ended, map(int, started.read_text(encoding="utf-8").split())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_ends_its_children(tmp_path, number):
    """Also the children's children, and also where a shell had SIGINT ignored."""
    started = tmp_path / "pids"
    bench = program(tmp_path / "bench", SLEEPS.format(started=started))
    assert interrupted(started, number, f"pair --controls --bench '{bench}'")[1]


def test_also_those_that_other_threads_wait_for(tmp_path):
    started = tmp_path / "pids"
    driver = program(tmp_path / "driver", "#!/bin/sh\necho exit some\n")
    program(tmp_path / "setarch", '#!/bin/sh\nshift\nexec "$@"\n')
    program(tmp_path / "valgrind", SLEEPS.format(started=started))
    assert interrupted(started, signal.SIGTERM, f"instructions --driver '{driver}' --runs 1",
                       PATH=f"{tmp_path}:{os.environ['PATH']}") == (
        "lab instructions: interrupted; nothing was written\n", True)


def has_ended(pid):
    """Nobody may have asked for its status: then it is a zombie."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def test_a_child_is_told_as_a_shell_would():
    assert [children.shell_status(code) for code in (0, 3, -11)] == [0, 3, 139]


def test_durations():
    assert [seconds(0)(text) for text in ("0s", "90s", "10m", "1h30m")] == [0, 90, 600, 5400]
    for text in ("", "10", "10x", "0s", "s"):
        with pytest.raises(Exception, match="is not a duration"):
            seconds(1)(text)


def test_the_folder_of_scripts_has_no_others():
    names = {path.name for path in (ROOT / "scripts").iterdir() if path.name != "__pycache__"}
    assert names == {"setup.sh", "run.sh", "test.sh", "check.sh", "nightly.sh", "common.sh", "lab",
                     "threadref_lab", "tests"}
