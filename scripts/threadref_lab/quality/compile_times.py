"""What compiling costs in CPU seconds, beside its budget; scripts/check.sh --times runs it.

usage: scripts/lab times BUILD_DIR TARGET...   prints the table of these targets
       scripts/lab times --targets             lists the targets that have a budget
       scripts/lab times --launch COMMAND...   runs a compiler and logs its CPU seconds; such
                                               a build launches every compiler with it

exit status: 0 within the budgets · 1 wrong use · 2 more than a fifth over a budget · 3 the log
             lacks something that was compiled
"""

import os
import re
import resource
import subprocess
from collections import Counter
from pathlib import Path

from threadref_lab.cli.status import FINE, FORBIDDEN, MISUSE, Refused, Unusable

# The one table: what a target may take for the objects below a folder of the build, or for all.
BUDGETS = {"bench_threadref": {"bench/": 150, "": 240}}
TOLERANCE = 1.2  # CPU seconds too are more where others use the same caches
SLOWEST = 20
LOG = "compile_times.log"  # in the folder of the build, where every compiler is started
OBJECT = re.compile(r"(?:.*/)?CMakeFiles/([^/]+)\.dir/.+\.(?:o|gch)")


def launch(command):
    """The compiler's exit status; the log has its CPU seconds and what it wrote."""
    done = subprocess.run(command, check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done == 0 and "-o" in command:
        line = f"{used.ru_utime + used.ru_stime:.3f}\t{command[command.index('-o') + 1]}\n"
        out = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(out, line.encode())  # whole, whatever else is compiled at the same time
        os.close(out)
    return done


def objects(build, target):
    """What has to be compiled for a target, and for what it links or needs built."""
    done = subprocess.run(["ninja", "-C", build, "-t", "commands", target], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Unusable(done.stderr.strip(), MISUSE)
    written = re.findall(r" -o (\S+)", done.stdout)
    return {name for name in written if OBJECT.fullmatch(name)}


def logged(text):
    """{object: CPU seconds}; a file that was compiled again counts as it was the last time."""
    lines = (line.partition("\t") for line in text.splitlines())
    return {name: float(seconds) for seconds, _, name in lines}


def table(seconds, needed, targets):
    """(the lines of the table, whether a budget is exceeded)

    `seconds` of each object, `needed` by each target that was asked for.
    """
    mine = {name: seconds[name] for target in targets for name in needed[target]}
    by_target, files = Counter(), Counter()
    for name, spent in mine.items():
        target = OBJECT.fullmatch(name)[1]
        by_target[target] += spent
        files[target] += 1
    lines = ["CPU seconds  files  target"]
    lines += [f"{spent:11.1f}  {files[name]:5}  {name}" for name, spent in by_target.most_common()]
    lines += [f"{sum(mine.values()):11.1f}  {len(mine):5}  in all", "", "the slowest files"]
    lines += [f"{spent:11.1f}  {name}" for name, spent in Counter(mine).most_common(SLOWEST)]
    exceeded = False
    for target in targets:
        for folder, budget in BUDGETS.get(target, {}).items():
            spent = sum(seconds[name] for name in needed[target] if name.startswith(folder))
            verdict = "within" if spent <= budget else \
                "over" if spent <= budget * TOLERANCE else "EXCEEDS"
            exceeded |= verdict == "EXCEEDS"
            what = f"what is in {folder}" if folder else "all that it needs"
            lines += ["", f"{target}, {what}: {spent:.1f} s, {verdict} the budget of {budget} s"]
    return lines, exceeded


def main(arguments):
    if arguments == ["--help"]:
        print(__doc__.strip())
        return FINE
    if arguments == ["--targets"]:
        print(*BUDGETS)
        return FINE
    if len(arguments) > 1 and arguments[0] == "--launch":
        return launch(arguments[1:])
    if len(arguments) < 2 or arguments[0].startswith("--"):
        raise Refused("name a folder of a build and targets of it; scripts/lab times --help")
    build, targets = Path(arguments[0]), arguments[1:]
    log = build / LOG
    seconds = logged(log.read_text(encoding="utf-8")) if log.exists() else {}
    needed = {target: objects(build, target) for target in targets}
    if missing := set().union(*needed.values()) - set(seconds):
        raise Unusable(f"{log} lacks {len(missing)} objects, {min(missing)} for one: remove "
                       f"{build}, so that all are compiled again")
    lines, exceeded = table(seconds, needed, targets)
    print(*lines, sep="\n")
    return FORBIDDEN if exceeded else FINE
