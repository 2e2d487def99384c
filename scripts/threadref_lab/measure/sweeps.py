"""What the figures depend on: how they move while one thing grows, and by allocator.

usage: scripts/lab sweep --out DIR [--quick]
       scripts/lab sweep --show DIR

Shows what the figures depend on: how they move while one thing grows (finalizers, keys, threads
alive and at once, loaded shared objects, the size of a function object, how the library is
reached), and from one allocator to the next. Builds, then takes some minutes; bench/docs/sweeps.md,
"Sweeps", says what each one asks.

  --out DIR    write there; created if it is missing
  --quick      only the smallest value of each, and few threads; the figures mean nothing
  --show DIR   measures nothing; prints the tables of the results in DIR
  --help       this text

Writes sweep.json (the rows sweep/...) and allocator-<name>.json for glibc, jemalloc, tcmalloc and
mimalloc, each preloaded with LD_PRELOAD, and stored only if the program reports that it used it.
results/docs/keys.md explains the keys. Prints the two tables at the end.

exit status: 0 fine · 1 wrong use · 2 something was lost, doubled or misordered · 3 a crash, the
             build failed, or a row lacked what it needs · 130 interrupted
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from threadref_lab.cli import checkout, children
from threadref_lab.cli.arguments import Parser
from threadref_lab.cli.status import (FINE, FORBIDDEN, INTERRUPTED, Refused, UNCAUGHT, UNUSABLE,
                                      Unusable)

NAME = re.compile(r"\w+/(?P<quantity>\w+)/(?P<subject>\w+)/(?P<parameter>\w+):(?P<value>\d+)"
                  r"(?=/|$)")
# The one table: name -> (what the program calls it, its object, Debian's package).
ALLOCATORS = {
    "glibc": ("glibc", "none", "libc6"),
    "jemalloc": ("jemalloc", "libjemalloc.so.2", "libjemalloc2"),
    "tcmalloc": ("tcmalloc_minimal", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
    "mimalloc": ("mimalloc", "libmimalloc.so.2", "libmimalloc2.0"),
}
# Quantity and the greatest n that there is.
SHOWN = ("first_registration", "registration", "exit")
ACCESS = "access_"


def rows_of(path):
    """[(quantity, subject, value, entry)] of what was measured."""
    rows = []
    for entry in json.loads(Path(path).read_text(encoding="utf-8"))["benchmarks"]:
        parts = NAME.match(entry["name"])
        if parts and "ns" in entry and not entry.get("error_occurred"):
            rows.append((parts["quantity"], parts["subject"], int(parts["value"]), entry))
    return rows


def unique(values):
    return list(dict.fromkeys(values))


def table(head, lines):
    """Columns as wide as what is in them, the first to the left."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    for line in [head, *lines]:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def figure(value, unit=""):
    """Three digits, as on the terminal of bench_threadref."""
    if value is None:
        return "-"
    decimals = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{decimals}f}{unit}"


def growth(rows, quantity, subject, key):
    """Of the largest value to the smallest, or None where there are not two."""
    found = {value: entry.get(key) for q, s, value, entry in rows if (q, s) == (quantity, subject)}
    if len(found) < 2 or not found[min(found)]:
        return None
    return found[max(found)] / found[min(found)]


def show_sweeps(rows):
    quantities = unique(row[0] for row in rows if not row[0].startswith(ACCESS))
    for quantity in quantities:
        of_it = [row for row in rows if row[0] == quantity]
        values = sorted({row[2] for row in of_it})
        parameter = NAME.match(of_it[0][3]["name"])["parameter"]
        keys = ["ns"] + (["total_p50"] if "total_p50" in of_it[0][3] else [])
        print(f"\nsweep/{quantity}: ns each; last, its ratio of {parameter}:{values[-1]} to "
              f"{parameter}:{values[0]}" + (", and that of total" if len(keys) > 1 else ""))
        lines = []
        for subject in unique(row[1] for row in of_it):
            at = {value: entry["ns"] for _, s, value, entry in of_it if s == subject}
            lines.append([subject, *(figure(at.get(value)) for value in values),
                          *(figure(growth(of_it, quantity, subject, key), "x") for key in keys)])
        table(["", *map(str, values), "ratio", *(["total"] if len(keys) > 1 else [])], lines)


def show_access(rows):
    quantities = unique(row[0] for row in rows if row[0].startswith(ACCESS))
    at = {(quantity, subject): entry["ns"] for quantity, subject, _, entry in rows}
    for what in unique(quantity.rpartition("_")[2] for quantity in quantities):
        columns = [quantity for quantity in quantities if quantity.endswith("_" + what)]
        print(f"\nsweep/{ACCESS}*_{what}: ns each")
        subjects = unique(subject for quantity, subject, _, _ in rows if quantity in columns)
        table(["", *(column.split("_")[1] for column in columns)],
              [[subject, *(figure(at.get((column, subject))) for column in columns)]
               for subject in subjects])


def show_allocators(folder):
    found = {}
    for name in ALLOCATORS:
        path = folder / f"allocator-{name}.json"
        if path.exists():
            found[name] = rows_of(path)
    for quantity in SHOWN:
        values = [row[2] for rows in found.values() for row in rows if row[0] == quantity]
        if not values:
            continue
        n = max(values)
        print(f"\n{quantity}, n:{n}, by allocator: ns each")
        subjects = unique(s for rows in found.values() for q, s, value, _ in rows
                          if (q, value) == (quantity, n))
        at = {(name, s): entry["ns"] for name, rows in found.items()
              for q, s, value, entry in rows if (q, value) == (quantity, n)}
        table(["", *found], [[subject, *(figure(at.get((name, subject))) for name in found)]
                             for subject in subjects])


def show(folder):
    try:
        found = rows_of(folder / "sweep.json")
        show_sweeps(found)
        show_access(found)
        show_allocators(folder)
    except (OSError, ValueError, KeyError) as error:
        raise Unusable(f"{error!r}: nothing that scripts/lab sweep wrote") from error
    return FINE


# ----------------------------------------------------------------------------- measuring


ALLOCATOR_ROWS = "^finalize/(registration|first_registration|exit)/[a-z0-9_]+/n:(1|16)$"


def measure(bench, path, pattern, is_quick, preload=None):
    """Writes the rows; gives what the program ended with, as one of our statuses."""
    environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    if preload:
        environment["LD_PRELOAD"] = preload
    done = children.run(
        [bench, f"--benchmark_filter={pattern}", *(["--smoke"] if is_quick else []),
         f"--benchmark_out={path}", "--benchmark_out_format=json"],
        stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode == FINE:
        return FINE
    print(*(line for line in done.stdout.splitlines() if "FAILED" in line), sep="\n",
          file=sys.stderr)
    print(f"lab sweep: bench_threadref ended with {done.returncode}", file=sys.stderr)
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    return done.returncode if done.returncode in (FORBIDDEN, UNCAUGHT) else UNUSABLE


def loadable():
    """What the dynamic loader knows."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/sbin", "/usr/sbin"])
    return subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True,
                          env={**os.environ, "PATH": path}).stdout


def seen_allocator(path):
    """What the program called the malloc that it had."""
    return json.loads(path.read_text(encoding="utf-8"))["context"].get("allocator")


def keep(unchecked, name, folder):
    """Puts the rows in their place if they were measured with that allocator."""
    seen = seen_allocator(unchecked)
    if seen != ALLOCATORS[name][0]:
        print(f"lab sweep: malloc was that of {seen}, not of {name}: no figures of {name} are "
              "kept", file=sys.stderr)
        return UNUSABLE
    unchecked.replace(folder / f"allocator-{name}.json")
    return FINE


def allocators(bench, folder, is_quick):
    """The worst status."""
    known, status = loadable(), FINE
    unchecked = folder / "unchecked.json"
    for name, (_, library, package) in ALLOCATORS.items():
        print(f"\n== allocator {name}", flush=True)
        unchecked.unlink(missing_ok=True)
        if library != "none" and f"{library} " not in known:
            print(f"lab sweep: {name} is not here; Debian's package {package} has it",
                  file=sys.stderr)
            continue
        status = max(status, measure(bench, unchecked, ALLOCATOR_ROWS, is_quick,
                                     None if library == "none" else library))
        if unchecked.exists() and unchecked.stat().st_size:
            status = max(status, keep(unchecked, name, folder))
    return status


def sweep(folder, is_quick):
    checkout.set_up(out=sys.stdout)
    checkout.build("release", "bench_threadref", "bench_plugins", out=sys.stdout)
    bench = checkout.program("release", "bench_threadref")
    print("\n== sweeps", flush=True)
    for old in [folder / "sweep.json", *folder.glob("allocator-*.json")]:
        old.unlink(missing_ok=True)
    status = measure(bench, folder / "sweep.json", "^sweep/", is_quick)
    status = max(status, allocators(bench, folder, is_quick))
    print("\n== results", flush=True)
    show(folder)
    return status


def main(arguments):
    parser = Parser("lab sweep", __doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--show", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    if bool(options.out) == bool(options.show):
        parser.error("say where to write to, --out DIR, or what to show, --show DIR")
    if options.show:
        return show(options.show)
    folder = options.out.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot create {folder}: {error.strerror}") from error
    try:
        return sweep(folder, options.quick)
    finally:
        (folder / "unchecked.json").unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()
