"""Runs clang-tidy-14 over the source files that were touched, several at a time.

usage: scripts/lab tidy BUILD_DIR JOBS [--all | --since REV]

scripts/check.sh --help says what is read without either option. Most of the time goes into headers,
so files that are compiled alike are read in batches, each as one file that includes them. Prints
each finding once, however many batches include its header, and how long each slow batch took. A
clean batch is not read again until something in it, in its headers or in .clang-tidy changes.

Why not run-clang-tidy: it reads file by file, which takes clang-tidy 137 CPU seconds for 20 files
drawn at random. In batches they take 73.

exit status: 0 nothing found · 1 wrong use · 2 findings
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from threadref_lab.cli import children
from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, FORBIDDEN
from threadref_lab.quality import touched

SLOW_SECONDS = 60
COMPILERS = {".c": "cc", ".cpp": "c++"}
LANGUAGES = {".c": "c", ".cpp": "c++"}
TIDY = ["clang-tidy-14", "--quiet"]
TIDY_VERSION = subprocess.run([*TIDY, "--version"], capture_output=True, check=False).stdout
# These two say nothing of what a file includes: of a batch, each file that could have such a name
# is read alone too.
ALONE = "--checks=-*,misc-unused-alias-decls,misc-unused-using-decls"
NAMES = re.compile(r"^\s*(using (?!namespace)[^=;]*::\w+;|namespace \w+ *=)", re.MULTILINE)
ANGLED = re.compile(r"^\s*#\s*include\s*<([^>\n]+)>", re.MULTILINE)
# Beside what it calls it is seen to throw, which nobody has to catch.
MAIN = re.compile(r"^int main\(", re.MULTILINE)
UNITY = re.compile(r"unity_\d+_cx*\.cx*")
INCLUDED = re.compile(r'^#include "(.+)"$', re.MULTILINE)
ONE_CHECK = "--checks=-*,llvm-twine-local"
RULES = ROOT / ".clang-tidy"
# The build's options are g++'s: some warnings clang does not know. And in a batch one file's local
# name may shadow a name of another; whether it shadows one of its own, g++ says in every build.
FOR_CLANG = ["-Wno-unknown-warning-option", "-Wno-shadow", "-ferror-limit=0"]


def sources():
    """All there are in the folders, not what a build lists: so none is missed."""
    return sorted(path.relative_to(ROOT) for folder in ("impl", "bench", "stress")
                  for path in (ROOT / folder).rglob("*") if path.suffix in COMPILERS)


def options(command):
    """What of a compile command decides how a file reads.

    Not the name that CMake gives to each part of a shared object: no file here asks for it.
    """
    words = iter(shlex.split(command))
    kept = []
    for word in words:
        if word == "-isystem":
            kept.append(word + next(words))
        elif re.match(r"-([DIW]|std=)", word) and not re.match(r"-D\w+_EXPORTS$", word):
            kept.append(word)
    return tuple(kept)


def compiled(build):
    """{our own file: its options}.

    Many are compiled for several targets. Those called <what>_once are for us, over a single back
    end: the others only read the same templates again for every type. Of what CMake compiles
    together, the commands name the file that it wrote for that.
    """
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = Path(entry["directory"], entry["file"]).resolve()
        together = UNITY.fullmatch(path.name) and path.is_file()
        parts = INCLUDED.findall(path.read_text(encoding="utf-8")) if together else [path]
        for part in map(Path, parts):
            if part.is_relative_to(ROOT):
                inside = part.relative_to(ROOT)
                if inside not in found or "_once.dir/" in entry["command"]:
                    found[inside] = options(entry["command"])
    return found


def groups(build):
    """{options: the files that are read with them}.

    A file that this build leaves out is read as the one with the path most like its own. Files that
    do with fewer options than others are read with those.
    """
    known = compiled(build)
    found = {}
    for path in sources():
        near = [other for other in known if other.suffix == path.suffix]
        if near:
            like = max(near, key=lambda other, path=path:
                       (other == path, len(os.path.commonprefix([str(path), str(other)]))))
            found.setdefault(known[like], []).append(path)
    for few in sorted(found, key=len):
        more = [others for others in found if set(few) < set(others)]
        if more:
            found[min(more, key=len)] += found.pop(few)
    return found


def lacking(built, how, files):
    """{a file that this build leaves out: a header that it includes and this machine lacks}

    A night, for which all packages are installed, reads it. In a batch it would hide the others.
    """
    wanted = {path: ANGLED.findall((ROOT / path).read_text(encoding="utf-8"))
              for path in files if path not in built}
    asks = "".join(f'#if !__has_include(<{name}>)\n"{name}"\n#endif\n'
                   for name in sorted(set().union(*wanted.values())))
    suffix = files[0].suffix
    done = subprocess.run([COMPILERS[suffix], *how, "-E", "-P", "-x", LANGUAGES[suffix], "-"],
                          input=asks, capture_output=True, text=True, check=True)
    missing = set(re.findall(r'^"(.+)"$', done.stdout, re.MULTILINE))
    return {path: next(name for name in names if name in missing)
            for path, names in wanted.items() if missing.intersection(names)}


def digest_of(folder, how, files):
    """Stands for all that decides what clang-tidy finds; comments too, since they hold NOLINT."""
    done = subprocess.run([COMPILERS[files[0].suffix], *how, "-E", "-C", written(folder, files)],
                          capture_output=True, check=False)
    if done.returncode:
        return None  # the compiler says why, when clang-tidy is run
    rules = RULES.read_bytes()
    return hashlib.sha256(repr(how).encode() + rules + TIDY_VERSION + done.stdout).hexdigest()


def written(folder, files):
    """The file to read: itself if it is alone, so that it has no part in a batch."""
    if len(files) == 1:
        return ROOT / files[0]
    names = "".join(f'#include "{ROOT / path}"  // NOLINT(bugprone-suspicious-include)\n'
                    for path in files)
    batch = folder / (hashlib.sha256(names.encode()).hexdigest()[:16] + files[0].suffix)
    batch.write_text(names, encoding="utf-8")
    return batch


def tidy(folder, how, files, *more):
    command = [*TIDY, f"--config-file={RULES}", *more, str(written(folder, files)), "--", *how,
               *FOR_CLANG]
    return children.run(command, capture_output=True, text=True)


def errors(done):
    return [line for line in done.stdout.splitlines() if line.endswith("[clang-diagnostic-error]")]


def clashing(files, said):
    """Those that can't be read with the first, say these errors; half of them, if the errors name
    none, as those in a header don't."""
    named = [path for path in files[1:] if any(f"{ROOT / path}:" in line for line in said)]
    return named or (files[(len(files) + 1) // 2:] if said else [])


def batches(folder, how, files):
    """Files that give different things the same name, main for one, can't be in the same batch.

    Which those are, says a run with one cheap check; it is remembered for as long as they stay so.
    They are read alone: to find out which of them get on takes longer than that.
    """
    digest = digest_of(folder, how, files)
    memory = folder / f"{digest}.json"
    if digest and memory.exists():
        return [(how, [Path(path) for path in batch])
                for batch in json.loads(memory.read_text(encoding="utf-8"))]
    alone = [path for path in files if MAIN.search((ROOT / path).read_text(encoding="utf-8"))]
    rest = [path for path in files if path not in alone]
    if len(rest) > 1:
        alone += clashing(rest, errors(tidy(folder, how, rest, ONE_CHECK)))
    together = [path for path in files if path not in alone]
    found = [*([together] if together else []), *([path] for path in alone)]
    if digest:
        memory.write_text(json.dumps([[str(path) for path in batch] for batch in found]),
                          encoding="utf-8")
    return [(how, batch) for batch in found]


def run(folder, how, files):
    """What clang-tidy says: [(its status, its words)], and how long it took."""
    began = time.monotonic()
    digest = digest_of(folder, how, files)
    clean = folder / f"{digest}.clean"
    if digest and clean.exists():
        return [(FINE, "")], 0
    done = tidy(folder, how, files)
    if apart := clashing(files, errors(done)):
        here = [path for path in files if path not in apart]
        return run(folder, how, here)[0] + run(folder, how, apart)[0], time.monotonic() - began
    said = [words(done, files)]
    if len(files) > 1:
        said += [words(tidy(folder, how, [path], ALONE), [path]) for path in files
                 if NAMES.search((ROOT / path).read_text(encoding="utf-8"))]
    if digest and not any(code for code, _ in said):
        clean.touch()
    return said, time.monotonic() - began


def words(done, files):
    text = done.stdout + ("" if done.returncode in (0, 1) else done.stderr)
    if done.returncode and not text.strip():
        text = f"{files[0]}: error: clang-tidy-14 ended with {done.returncode}: {done.stderr}"
    return done.returncode, text


def blocks(text):
    """A finding is its own line, the code under it, and what else it says about our own files.

    Where in GoogleTest a template was instantiated is of no use to anybody.
    """
    parts = re.split(r"(?m)^(?=\S+:\d+:\d+: |(?:\S+: )?error: )", text)
    found = []
    for part in (part.rstrip() for part in parts if part.strip()):
        if re.match(r"(\S+: )?(error|warning): ", part):
            found.append(part)
        elif found and ": note: " in part and str(ROOT) in part and found[-1].count("\n") < 12:
            found[-1] += "\n" + part
    return found


def read_all(folder, jobs, parts):
    """(the files that were read, in how many batches, the findings, how many runs failed)"""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        packed = pool.map(lambda group: batches(folder, *group), parts.items())
        todo = sorted((batch for part in packed for batch in part),
                      key=lambda batch: -len(batch[1]))
        found, failing, read = set(), 0, []
        for (_, files), (said, seconds) in zip(todo, pool.map(lambda b: run(folder, *b), todo)):
            read += files
            if seconds > SLOW_SECONDS:
                print(f"  {files[0]} and {len(files) - 1} more: {seconds:.0f} s")
            for code, text in said:
                failing += code != 0
                for block in blocks(text):
                    finding = block.splitlines()[0]  # the notes under it differ from file to file
                    if finding not in found:
                        found.add(finding)
                        print(block.replace(f"{ROOT}/", ""))
    return read, len(todo), found, failing


def main(arguments):
    parser = Parser("lab tidy", __doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("jobs", type=int)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true")
    which.add_argument("--since")
    asked = parser.parse_args(arguments)
    build = asked.build.resolve()
    folder = build / "tidy"
    folder.mkdir(exist_ok=True)
    every, built, absent = groups(build), compiled(build), {}
    for how, files in every.items():
        absent |= lacking(built, how, files)
    options = {path: how for how, files in every.items() for path in files if path not in absent}
    picked, unread, sentence = touched.select(ROOT, options, asked.since, everything=asked.all)
    print(f"clang-tidy: {sentence}", *([] if len(picked) == len(options) else sorted(picked)),
          sep="\n  ", flush=True)
    for path, header in sorted(absent.items()):
        print(f"  not read: {path}, which needs <{header}>; scripts/setup.sh --all brings it")
    for header in unread:
        print(f"  not read: {header}, which no source includes that this build compiles")
    parts = {how: [path for path in files if path in picked] for how, files in every.items()}
    read, count, found, failing = read_all(folder, asked.jobs,
                                           {how: files for how, files in parts.items() if files})
    if missed := (set(sources()) - set(options) - set(absent)) | (picked - set(read)):
        failing += len(missed)
        print(f"tidy: not read, since {build} compiles nothing like them: "
              f"{', '.join(sorted(map(str, missed)))}")
    print(f"tidy: {len(read)} files in {count} batches, {len(found)} findings")
    return FORBIDDEN if failing else FINE
