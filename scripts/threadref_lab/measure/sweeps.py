#!/usr/bin/python3
"""Prints what scripts/sweep.sh measured, as tables.

usage: sweeps.py DIR                    both tables
       sweeps.py --made-with NAME FILE  was the allocator really that one? Prints a line if not.
       sweeps.py --allocators           which there are: name, object to preload, Debian's package

exit status: 0 fine · 1 wrong use · 3 no: another allocator; or nothing that can be read
"""

import json
import re
import sys
from pathlib import Path

FINE, MISUSE, UNUSABLE = 0, 1, 3
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


def made_with(name, path):
    seen = json.loads(Path(path).read_text(encoding="utf-8"))["context"].get("allocator")
    if seen == ALLOCATORS[name][0]:
        return FINE
    print(f"sweeps.py: malloc was that of {seen}, not of {name}", file=sys.stderr)
    return UNUSABLE


def main(arguments):
    try:
        if arguments == ["--allocators"]:
            for name, (_, library, package) in ALLOCATORS.items():
                print(name, library, package)
            return FINE
        if len(arguments) == 3 and arguments[0] == "--made-with":
            return made_with(arguments[1], arguments[2])
        if len(arguments) != 1 or arguments[0].startswith("-"):
            print(__doc__.strip(), file=sys.stderr)
            return FINE if arguments == ["--help"] else MISUSE
        folder = Path(arguments[0])
        rows = rows_of(folder / "sweep.json")
        show_sweeps(rows)
        show_access(rows)
        show_allocators(folder)
    except (OSError, ValueError, KeyError) as error:
        print(f"sweeps.py: {error!r}: nothing that sweep.sh wrote", file=sys.stderr)
        return UNUSABLE
    return FINE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
