"""What a night starts, played: called by the name of a script or program, or of a command of
scripts/lab, it leaves what that would have left. `says.json` in the checkout's root tells it what
to find, `calls.txt` what was called. Imported, it makes such a checkout."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.report import folder as report_folder
from tests.store import small_night

SCRIPTS = Path(__file__).resolve().parents[2]
PLAYED = ("scripts/lab", "scripts/check.sh", "scripts/test.sh",
          "build/release/bin/bench_threadref", "build/release/bin/stress_threadref",
          "build/tsan/bin/stress_threadref", "path/cmake")
SERIES = "finalize/registration/registry/n:256"


# What has nothing to leave needs no Python, unless it was told to fail.
PLAY = """#!/bin/sh
root=${{0%/{name}}}
name={name}
case $name in */lab)
  name="$name $1"
  shift
esac
case "{players}" in *"|${{name##*/}}|"*) has_player=yes ;; esac
if [ "$*" = --describe ]; then
  echo "$name $*" >>"$root/calls.txt"
  cat "$root/path/describe.json"
elif [ -z "$has_player" ] && ! grep -qF "$name" "$root/says.json" 2>/dev/null; then
  echo "$name $*" >>"$root/calls.txt"
else
  PYTHONPATH={scripts} exec /usr/bin/python3 -S -m {module} "$root" "$name" "$@"
fi
"""
IGNORED = "build/\npath/\nresults/box/\nresults/local/\nsays.json\ncalls.txt\n"


def checkout(folder):
    """A repository of one commit with all that a night starts, in a folder that exists."""
    for name in PLAYED:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PLAY.format(name=name, players=f"|{'|'.join(PLAYERS)}|", scripts=SCRIPTS,
                                    module="tests.nightly.fake_programs"), encoding="utf-8")
        path.chmod(0o755)
    write(folder / "path/describe.json",
          {**small_night.DESCRIBE, "default_backend": "registry",
           "canaries": [{"name": "canary_lossy", "summary": "…"}]})
    shutil.copy(SCRIPTS / "common.sh", folder / "scripts")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    git(folder, "init", "--quiet", "--template=")
    return commit(folder, "speed", "100")


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c",
                           "-c", "maintenance.auto=false", *arguments],
                          capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder, name, text):
    """The new commit's name; the file `name` holds the text there."""
    (folder / name).write_text(text, encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", f"{name}: {text}")
    return git(folder, "rev-parse", "--short=12", "HEAD")


def says(folder, **what):
    (folder / "says.json").write_text(json.dumps(what), encoding="utf-8")


def calls(folder):
    path = folder / "calls.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


# ----------------------------------------------------------------------------- what they leave


def option(arguments, name):
    """Of --name VALUE or --name=VALUE; None without it."""
    for at, word in enumerate(arguments):
        if word.startswith(f"{name}="):
            return Path(word.partition("=")[2])
        if word == name:
            return Path(arguments[at + 1])
    return None


def write(path, document):
    if isinstance(document, list):
        path.write_text("".join(json.dumps(line) + "\n" for line in document), encoding="utf-8")
    else:
        path.write_text(json.dumps(document), encoding="utf-8")


def compared(name, ratio, *, verdict="same", confirmed=None):
    return {"schema": 1, "kind": "compare", "name": name, "a": "a", "b": "b", "ratio": ratio,
            "low": ratio - .004, "high": ratio + .004, "least": .02, "min_change": .024,
            "verdict": verdict, "confirmed": confirmed, "processes": 20, "ratios": [ratio] * 20,
            "a_ns": 2.0, "b_ns": 2.0 * ratio}


def play_compare(root, found, arguments):
    out = option(arguments, "--out")
    out.mkdir(exist_ok=True)
    sides = [subprocess.run(["git", "-C", root, "show", f"{side}:speed"], capture_output=True,
                            text=True, check=False).stdout for side in arguments[:2]]
    if "broken" in sides:
        return 3
    if "pairs" in found:
        lines = [compared(**line) for line in found["pairs"]]
    else:
        ratio = int(sides[1] or sides[0]) / int(sides[0])
        verdict = "slower" if ratio > 1.02 else "faster" if ratio < .98 else "same"
        lines = [compared(SERIES, ratio, verdict=verdict,
                          confirmed=None if verdict == "same" else True)]
    (out / "compare.json").write_text(json.dumps(lines), encoding="utf-8")
    return 2 if any(line["verdict"] == "slower" for line in lines) else 0


def play_bench(_, found, arguments):
    if "--canaries" not in arguments:
        write(option(arguments, "--benchmark_out"),
              small_night.bench(found.get("bench", {}), (), "g++ 12.2.0"))
        samples = option(arguments, "--samples")
        if samples:
            write(samples, [{"name": "finalize/exit/registry/n:16", "unit": "ns", "what": "drain",
                             "samples": list(range(1000))}])
    return 0


def play_stress(_, found, arguments):
    if "--matrix" in arguments:
        write(option(arguments, "--out") / "matrix.json", {
            "rows": [{"event": "end/return", "promise": "guaranteed"}],
            "columns": [{"mechanism": "registry", "contract": True}],
            "cells": [{"cell": "end/return/registry", "event": "end/return", "why": "",
                       "mechanism": "registry", "word": found.get("word", "guaranteed"),
                       "verdict": "passed" if found.get("word") is None else "failed",
                       "promise": "guaranteed", "again": "stress_threadref --filter=x"}]})
    else:
        document = small_night.stress(found.get("verdict", "passed"), ())
        document["cells"].append({"cell": "churn/canary_lossy", "backend": "canary_lossy",
                                  "caught_after_seconds": .25, "verdict": "passed",
                                  "scenario": "churn", "outcomes": []})
        write(option(arguments, "--json"), document)
    return 0


def play_pair(_, found, arguments):
    ratio, planted = found.get("self", 1.001), found.get("planted", "slower")
    clone = found.get("clone", 1.004)
    write(option(arguments, "--out"), [
        {**report_folder.pair("self", "registry", "registry", ratio, "same"), "least": .02},
        {**report_folder.pair("clone", "registry", "registry_clone", clone, "same"), "least": .02,
         "ratios": [clone, 1 / clone] * 10},
        {**report_folder.pair("planted", "registry", "registry_planted", 1.03, planted),
         "least": .02}])
    return 3 if abs(ratio - 1) > .01 else 0 if planted == "slower" else 4


def play_instructions(_, found, arguments):
    count = found.get("instructions", 30.0)
    write(option(arguments, "--out"), [
        {"schema": 1, "kind": "instructions", "quantity": "registration", "subject": "registry",
         "instructions": count, "spread": .0001, "runs": [count], "n_small": 256, "n_large": 1280,
         "commit": "1a2b3c4", "command": "scripts/lab instructions"}])
    return 0


def play_targets(_, found, arguments):
    missed = found.get("missed", False)
    write(option(arguments, "--out"), {"decides": True, "targets": [
        {"target": "exit/n:256", "words": "w", "said": "s", "sign": "<=", "limit": 2.0,
         "median": 3.0 if missed else 1.0, "low": 1.0, "high": 3.0, "values": [1.0],
         "verdict": "missed" if missed else "met", "missed": missed, "listed": False,
         "command": "scripts/lab targets"}]})
    return 2 if missed else 0


PLAYERS = {"lab compare": play_compare, "bench_threadref": play_bench, "lab pair": play_pair,
           "stress_threadref": play_stress, "lab instructions": play_instructions,
           "lab targets": play_targets}


def told(root):
    """What says.json says."""
    path = root / "says.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def full_name(name, arguments):
    """(the name by which says.json knows it, its arguments)"""
    return (f"{name} {arguments[0]}", arguments[1:]) if name == "scripts/lab" else (name, arguments)


def cuts_off(root, name, arguments):
    return told(root).get("cut_off_at") == full_name(name, arguments)[0]


def called(root, name, arguments):
    """Plays a program; its exit status."""
    name, arguments = full_name(name, arguments)
    found = told(root)
    with open(root / "calls.txt", "a", encoding="utf-8") as file:
        file.write(" ".join([name, *arguments]) + "\n")
    if found.get("cut_off_at") == name:
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()  # until the night ends it
    if name in found.get("statuses", {}):
        return found["statuses"][name]
    player = PLAYERS.get(Path(name).name)
    return player(root, found, arguments) if player else 0


if __name__ == "__main__":
    sys.exit(called(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
