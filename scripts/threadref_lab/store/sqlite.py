"""The stored runs as an SQLite database, for questions that need more than one file. It is derived:
the lines are the truth, and it is made anew each time."""

import array
import contextlib
import json
import os
import sqlite3

from threadref_lab.cli.status import Refused

TABLES = """
create table runs (machine text, run text, "commit" text, started text, finished text,
                   quick integer, usable integer, status integer, environment_hash text,
                   sentence text, primary key (machine, run)) without rowid;
create table bench (machine text, run text, name text, "group" text, quantity text, subject text,
                    n integer, ns real, ratio real, ratio_low real, ratio_high real,
                    ns_samples blob, ratio_samples blob,
                    primary key (name, machine, run)) without rowid;
create table stress (machine text, run text, cell text, verdict text, rounds integer,
                     threads_churned integer, finalizers_run integer, outcomes text,
                     primary key (cell, machine, run)) without rowid;
create table lines (kind text, name text, machine text, run text, document text,
                    primary key (kind, name, machine, run)) without rowid;
"""
BENCH = ("name", "group", "quantity", "subject", "n", "ns", "ratio", "ratio_low", "ratio_high")
STRESS = ("cell", "verdict", "rounds", "threads_churned", "finalizers_run")
HEAD = ("commit", "started", "finished", "quick", "status", "environment_hash", "sentence")
SHOWN = {"bench", "stress"}  # these have tables of their own


def floats(values):
    """Samples as float32, one behind the other."""
    return array.array("f", values).tobytes() if values else None


def insert(database, table, row):
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    database.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def add_run(database, run):
    where = {"machine": run.machine, "run": run.name}
    insert(database, "runs", {**where, "usable": run.is_usable,
                              **{key: run.head.get(key) for key in HEAD}})
    for row in run.of("bench"):
        insert(database, "bench", {
            **where, **{key: row.get(key) for key in BENCH},
            **{key: floats(row.get(key)) for key in ("ns_samples", "ratio_samples")}})
    for cell in run.of("stress"):
        insert(database, "stress", {**where, **{key: cell.get(key) for key in STRESS},
                                    "outcomes": json.dumps(cell["outcomes"])})
    for kind in run.lines.keys() - SHOWN:
        for name, line in run.lines[kind].items():
            insert(database, "lines", {"kind": kind, "name": name, **where,
                                       "document": json.dumps(line)})


def fill(database, machines):
    database.executescript(TABLES)
    for runs in machines.values():
        for run in runs:
            add_run(database, run)
    database.commit()


def write(machines, out):
    """The database at `out`, whole or as it was before."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with contextlib.closing(sqlite3.connect(part)) as database:
            fill(database, machines)
        os.replace(part, out)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"cannot write {out}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return out


def ask(machines, statement):
    """Prints what the statement finds: a line of names, and one a row, parted by tabs."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        fill(database, machines)
        try:
            found = database.execute(statement)
        except sqlite3.Error as error:
            raise Refused(f"--sql: {error}") from error
        if found.description is None:
            raise Refused("--sql: only a question can be asked, such as select ...")
        print(*(column[0] for column in found.description), sep="\t")
        for row in found:
            print(*("" if value is None else value for value in row), sep="\t")
