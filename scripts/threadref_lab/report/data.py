"""What lies in the folder of one run, joined over its process starts; and what is missing there."""

import collections
import json
import math
import re
import statistics

from threadref_lab.report import pictures
from threadref_lab.store import rows

BENCH = "build/release/bin/bench_threadref"
# What may lie there, and what makes it; DIR stands for the folder.
MADE_BY = {
    "bench.json": "scripts/run.sh",
    "samples.jsonl": "scripts/run.sh",
    "describe.json": "scripts/run.sh",
    "process-*.json": "scripts/run.sh --full",
    "sweep.json": "scripts/lab sweep --out DIR",
    "allocator-*.json": "scripts/lab sweep --out DIR",
    "pairs.jsonl": "scripts/lab pair --controls --out DIR/pairs.jsonl",
    "instructions.jsonl": "scripts/lab instructions --out DIR/instructions.jsonl"}
PAIR_KEYS = {"a": str, "b": str, "quantity": str, "control": str, "verdict": str, "ratio": float}
INSTRUCTION_KEYS = {"quantity": str, "subject": str, "instructions": float}
OPTIONAL_NUMBERS = ("low", "high", "min_change", "clone_spread", "spread")
KINDS = ("backend", "peer", "floor")
# Numbers that are times without saying so at their end.
TIMES = re.compile(r"ns|min|max|p\d+|(total|life|drain)_(p\d+|min|max)|\w+_ns")

# One value over process starts: the median of what each said, and the least and the most.
Figure = collections.namedtuple("Figure", "value low high count")


def is_time(key):
    return TIMES.fullmatch(key) is not None


def figure(values):
    values = list(values)
    return Figure(statistics.median(values), min(values), max(values), len(values))


class Cell:
    """One benchmark row in all processes that have it."""

    def __init__(self, row):
        self.name, self.subject = row["name"], row["subject"]
        self.what = f"{row['group']}/{row['quantity']}"
        self.group, self.quantity = row["group"], row["quantity"]
        self.kind = rows.kind_of(row["subject"])
        self.parameters = rows.parameters(row["name"])
        self.order = row.get("order", "")
        self.error, self.absent = "", ""
        self.by_process = {}

    def take(self, process, row):
        self.by_process[process] = row
        # What one process lost or could not measure makes no figure in the others.
        self.error = self.error or row.get("error") or rows.broken(row)
        self.absent = self.absent or row.get("absent", "")  # why it could not be measured here

    @property
    def place(self):
        """Cells of the same place are the same thing done by different subjects."""
        return self.what, tuple(self.parameters.items())

    def values(self, key):
        """{process: value}"""
        if self.error or self.absent:
            return {}
        return {process: row[key] for process, row in self.by_process.items() if key in row}

    def figure(self, key):
        values = self.values(key)
        return figure(values.values()) if values else None

    def counters(self):
        """The names of all its numbers, in the order of the file."""
        found = dict.fromkeys(key for row in self.by_process.values() for key in row)
        return [key for key in found if self.values(key) and key not in self.parameters
                and isinstance(next(iter(self.values(key).values())), (int, float))]


def title(place):
    """A place in words."""
    what, parameters = place
    group, _, quantity = what.partition("/")
    known = dict(parameters)
    size, churn = known.pop("n", None), known.pop("churn", None)
    text = quantity.replace("_", " ")
    if group != "finalize":
        text = f"{group} {text}"
    if churn:
        text += f", {churn} threads alive"
    if size is not None:
        text += f", {size} finalizer" + ("" if size == 1 else "s")
    return text + "".join(f", {name.replace('_', ' ')} {value}" for name, value in known.items())


def cells_of(documents):
    """{name: Cell} of Google Benchmark documents, one a process."""
    found = {}
    for process, document in enumerate(documents, 1):
        for row in rows.bench_rows(document):
            found.setdefault(row["name"], Cell(row)).take(process, row)
    return found


def read_lines(path, kind, required, problems):
    """The lines of that kind; what is torn or not whole is named and left out."""
    found = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
        return found
    for number, part in enumerate(text.splitlines(), 1):
        try:
            line = json.loads(part)
        except ValueError:
            problems.append(f"{path.name}:{number}: a torn line, skipped")
            continue
        line = line if isinstance(line, dict) else {}
        # A line may say why it has no figures.
        wrong = [key for key, kept_as in required.items() if not is_a(line.get(key), kept_as)
                 and not (kept_as is float and isinstance(line.get("error"), str))]
        if wrong or line.get("kind") != kind:
            problems.append(f"{path.name}:{number}: skipped: no line of kind {kind} with a valid "
                            f"{', '.join(wrong or ['kind'])}")
        else:
            # A null, where an interval has no end, is as good as not there.
            found.append({key: value for key, value in line.items()
                          if key not in OPTIONAL_NUMBERS or is_a(value, float)})
    return found


def is_a(value, wanted):
    if wanted is float:
        return (isinstance(value, (int, float)) and not isinstance(value, bool)
                and math.isfinite(value))
    return isinstance(value, wanted)


class Run:
    """A folder of results, read."""

    def __init__(self, folder):
        self.folder, self.problems = folder, []
        self.missing = {pattern: command for pattern, command in MADE_BY.items()
                        if not any(folder.glob(pattern))}
        processes = [folder / "bench.json"] if "bench.json" not in self.missing else []
        processes += sorted(folder.glob("process-*.json"))
        documents = {path.name: self.document(path) for path in processes}
        documents = {name: document for name, document in documents.items() if document}
        self.process_files = list(documents)
        self.contexts = [rows.environment(document) for document in documents.values()]
        self.cells = cells_of(documents.values())
        self.sweeps = cells_of([self.document(folder / "sweep.json")]) \
            if "sweep.json" not in self.missing else {}
        self.allocators = [self.allocator(path) for path in sorted(folder.glob("allocator-*.json"))]
        self.description = (rows.read_json(folder / "describe.json", self.problems)
                            if "describe.json" not in self.missing else {})
        self.pairs = self.lines("pairs.jsonl", "pair", PAIR_KEYS)
        self.samples = pictures.load_samples(folder / "samples.jsonl", self.problems)
        self.instructions = self.lines("instructions.jsonl", "instructions", INSTRUCTION_KEYS)

    @property
    def is_empty(self):
        return not (self.cells or self.sweeps or self.allocators or self.pairs
                    or self.instructions)

    def document(self, path):
        document = rows.read_json(path, self.problems)
        if not isinstance(document.get("benchmarks", []), list):
            self.problems.append(f"{path.name}: its benchmarks are no list")
            return {}
        if document and not rows.bench_rows(document):
            self.problems.append(f"{path.name}: holds no row")
        return document

    def allocator(self, path):
        """(which was asked for, which the program saw, its cells)"""
        document = self.document(path)
        asked = path.stem.removeprefix("allocator-")
        return asked, rows.environment(document).get("allocator", "not said"), cells_of([document])

    def lines(self, name, kind, required):
        if name in self.missing:
            return []
        return read_lines(self.folder / name, kind, required, self.problems)

    # ------------------------------------------------------------------------ what was described

    @property
    def default(self):
        return str(self.description.get("default_backend", ""))

    def described(self, table):
        """The entries of one of the described tables that have a name."""
        found = self.description.get(table)
        return [entry for entry in (found if isinstance(found, list) else [])
                if isinstance(entry, dict) and isinstance(entry.get("name"), str)]

    @property
    def backends(self):
        """Names, those without any row too."""
        named = [entry["name"] for entry in self.described("backends")]
        measured = [cell.subject for cell in self.cells.values() if cell.kind == "backend"]
        return list(dict.fromkeys(named + measured))

    @property
    def absent(self):
        return {entry["name"]: str(entry.get("why", "")) for entry in self.described("absent")}

    def lacks(self, peer):
        """What that peer can't do, in its own words, or nothing."""
        return next((str(entry.get("lacks", "")) for entry in self.described("peers")
                     if entry["name"] == peer), "")

    def claims(self, capability):
        """The back ends that claim it; None: it is not known."""
        if not self.description:
            return None
        return [entry["name"] for entry in self.described("backends")
                if capability in entry.get("capabilities", [])]

    def why_not(self, subject, what):
        """The reason for a row that is not there, where the program gives one."""
        cells = self.description.get("cells")
        return next((str(cell.get("why", "")) for cell in cells if isinstance(cell, dict)
                     and (cell.get("backend"), cell.get("scenario")) == (subject, what)), "") \
            if isinstance(cells, list) else ""

    # ------------------------------------------------------------------------ looking things up

    @property
    def subjects(self):
        """All of them, back ends in the order of their table: the same colours in all pictures."""
        cells = [*self.cells.values(), *self.sweeps.values()]
        return list(dict.fromkeys([*self.backends, *(cell.subject for cell in cells)]))

    def places(self):
        return by_place(self.cells)

    def find(self, pattern):
        """{place: [cells]} whose <group>/<quantity> is of that pattern, sweeps among them."""
        wanted = re.compile(pattern)
        return {place: cells for place, cells in by_place({**self.cells, **self.sweeps}).items()
                if wanted.fullmatch(place[0])}

    def clone_spreads(self):
        """{(subject, quantity, n): by how much copies of its code differed, as a fraction}"""
        found = {}
        for line in self.pairs:
            if line["control"] == "clone":
                key = line["a"], line["quantity"], line.get("n")
                spread = line.get("clone_spread", abs(line["ratio"] - 1))
                found[key] = max(spread, found.get(key, 0))
        return found

    def clone_spread(self, subject, quantity=None, size=None):
        """The largest of them, or None; of another size where that one was not compared."""
        known = {key: spread for key, spread in self.clone_spreads().items() if key[0] == subject
                 and quantity in (None, key[1])}
        known = {key: spread for key, spread in known.items() if key[2] == size} or known
        return max(known.values(), default=None)


def by_place(cells):
    """{place: [cells]} in the order of the file; clones and pairs are controls, and apart."""
    found = {}
    for cell in cells.values():
        if cell.kind in KINDS and cell.group != "paired":
            found.setdefault(cell.place, []).append(cell)
    return found


def command(place):
    """What measures this place again, with all subjects in one process."""
    what, parameters = place
    ending = "".join(f"/{key}:{value}" for key, value in parameters)
    return f"{BENCH} --benchmark_filter='^{what}/{f'.*{ending}$' if ending else ''}'"
