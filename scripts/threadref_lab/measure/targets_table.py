"""The table of targets of the default back end, each with the way from rows to its figure. It is
the one that scripts/lab targets judges by; what is no figure it names at the end."""

import dataclasses
import re
from collections.abc import Callable

from threadref_lab.measure import sweeps

PLAIN = "glibc"  # of sweeps.ALLOCATORS: nothing preloaded


class NoFigure(Exception):
    """Why there is none, as a sentence."""


@dataclasses.dataclass(frozen=True)
class Part:
    """One line of what is printed: a target at one size. `figure` makes one number of the rows of
    one process start, given as {allocator: {name: row}}; or `count` names what is counted under
    callgrind instead."""
    label: str
    said: str
    rows: tuple = ()
    figure: Callable | None = None
    allocators: tuple = (PLAIN,)
    count: str = ""


@dataclasses.dataclass(frozen=True)
class Target:
    name: str
    words: str
    limit: float
    parts: Callable  # (subject, names of all rows) -> [Part]
    sign: str = "<="

    def is_within(self, value):
        return value < self.limit if self.sign == "<" else value <= self.limit


def figure_of(seen, name, key, allocator=PLAIN):
    rows = seen[allocator]
    if not isinstance(rows, dict):
        raise NoFigure(rows)
    if name not in rows:
        raise NoFigure(f"there is no row {name}")
    row = rows[name]
    for reason in ("absent", "error"):
        if reason in row:
            raise NoFigure(f"{name}: {row[reason]}")
    if key not in row:
        raise NoFigure(f"{name} has no {key}")
    return row[key]


# ----------------------------------------------------------------------------- from rows to figures


def each(row, values, key="ratio", under=""):
    """`key` of the rows, divided by `under`, where that is another key."""
    def parts(subject, _names):
        for value in values:
            name = f"{row.format(subject)}:{value}"

            def figure(seen, name=name):
                of = figure_of(seen, name, key)
                return of / figure_of(seen, name, under) if under else of
            yield Part(name.rpartition("/")[2], "", (name,), figure)
    return parts


def against(row, other, values):
    """ns of the row to ns of another of the same process."""
    def parts(subject, _names):
        for value in values:
            a, b = f"{row.format(subject)}:{value}", f"{other}:{value}"

            def figure(seen, a=a, b=b):
                return figure_of(seen, a, "ns") / figure_of(seen, b, "ns")
            yield Part(a.rpartition("/")[2], f"to {b}", (a, b), figure)
    return parts


def values_of(stem, names):
    """The values of a parameter that there are rows for; it has as many as the machine allows."""
    return sorted(int(found[1]) for found in
                  (re.fullmatch(re.escape(stem) + r":(\d+)", name) for name in names) if found)


def grown(row, least=0):
    """From the smallest value of the row's parameter, of `least` at least, to the largest."""
    def parts(subject, names):
        stem = row.format(subject)
        values = [value for value in values_of(stem, names) if value >= least]
        if len(values) < 2:
            yield Part("", f"{stem}: not two values here")
            return
        first, last = f"{stem}:{values[0]}", f"{stem}:{values[-1]}"
        yield Part("", f"{first} to {values[-1]}", (first, last),
                   lambda seen: figure_of(seen, last, "ns") / figure_of(seen, first, "ns"))
    return parts


def at_once(row):
    """How the ratio to the floor, which does the same in turns, grows with the threads: that is how
    the subject slows down, to how the floor does."""
    def parts(subject, names):
        stem = row.format(subject)
        values = values_of(stem, names)
        if values[:1] != [1] or len(values) < 2:
            yield Part("", f"{stem}: this needs two CPUs")
            return
        for value in values[1:]:
            one, more = f"{stem}:1", f"{stem}:{value}"

            def figure(seen, one=one, more=more):
                return figure_of(seen, more, "ratio") / figure_of(seen, one, "ratio")
            yield Part(more.rpartition("/")[2], f"of {values[-1]} that there are", (one, more),
                       figure)
    return parts


def by_allocator(row, values):
    """The largest to the smallest: they have no order."""
    def parts(subject, _names):
        for value in values:
            name = f"{row.format(subject)}:{value}"

            def figure(seen, name=name):
                found = [figure_of(seen, name, "ns", at) for at in sweeps.ALLOCATORS]
                return max(found) / min(found)
            yield Part(name.rpartition("/")[2], f"of {', '.join(sweeps.ALLOCATORS)}", (name,),
                       figure, tuple(sweeps.ALLOCATORS))
    return parts


def counted(quantity):
    return lambda _subject, _names: [Part("", "under callgrind", count=quantity)]


def calls_for_memory(row, values):
    """All of them together, once memory can be used again."""
    def parts(subject, _names):
        for value in values:
            name = f"{row.format(subject)}:{value}"
            for label, keys in (("registering", ("steady_first", "steady_each")),
                                ("exit", ("steady_exit",))):
                def figure(seen, name=name, keys=keys):
                    return sum(figure_of(seen, name, key) for key in keys)
                yield Part(f"{label}/{name.rpartition('/')[2]}", "", (name,), figure)
    return parts


# ----------------------------------------------------------------------------- the table


LARGE = (256, 4096)
TARGETS = (
    Target("life", "a whole thread with n, to one that makes the n calls itself", 1.02,
           each("finalize/exit/{}/n", (1, 4), "life_ratio")),
    Target("registration", "registering, to the bump store", 2.0,
           each("finalize/registration/{}/n", LARGE)),
    Target("registration_to_vector", "registering, to the reserved, recycled vector", 1.3,
           against("finalize/registration/{}/n", "finalize/registration/peer_recycled_vector/n",
                   LARGE)),
    Target("registration_few", "registering on a fresh thread, to the bump store", 1.5,
           each("finalize/registration/{}/n", (16,))),
    Target("registration_few_to_vector", "registering on a fresh thread, to the reserved vector",
           1.0, against("finalize/registration/{}/n",
                        "finalize/registration/peer_reserved_vector/n", (16,)), "<"),
    Target("exit", "exit, one callee, to a loop of calls", 1.1, each("finalize/exit/{}/n", LARGE)),
    Target("exit_mixed", "exit, eight callees, to a loop of calls", 1.1,
           each("finalize/exit_mixed/{}/n", LARGE)),
    Target("ensure", "ensure, to one load", 1.2, each("finalize/ensure/{}/n", (1,))),
    Target("ensure_shared", "the same in a shared library, to one load there", 1.2,
           each("sweep/access_shared_ensure/{}/n", (1024,))),
    Target("ensure_dlopened", "the same in a plugin, to one load there", 1.2,
           each("sweep/access_dlopened_ensure/{}/n", (1024,))),
    Target("ref_check", "ref check of a live thread, to one load", 1.2,
           each("ref/check/{}/n", (1,))),
    Target("ref_check_dead", "ref check of a dead thread, to one load", 1.2,
           each("ref/check/{}/n", (1,), "dead_ns", "floor_ns")),
    Target("ref_check_to_weak_ptr", "ref check, to weak_ptr's lock", 1 / 20,
           against("ref/check/{}/n", "ref/lock/peer_weak_ptr/n", (1,))),
    Target("cancel_owner", "registering and cancelling, to the bump store", 7.0,
           each("finalize/cancel_owner/{}/n", (1,))),
    Target("cancel_foreign", "cancelling by another thread, to a mutex pair", 2.0,
           each("finalize/cancel_foreign/{}/n", (1,))),
    Target("at_once_registration", "on so many cores at once, to one: its growth to the floor's",
           1.1, at_once("sweep/at_once_registration/{}/cores")),
    Target("at_once_exit", "on so many cores at once, to one: its growth to the floor's",
           1.1, at_once("sweep/at_once_exit/{}/cores")),
    *(Target(f"{what}_{quantity}", words, 1.1, grown(f"sweep/{what}_{quantity}/{{}}/{parameter}",
                                                     least))
      for what, parameter, least, words in (
          ("loaded_objects", "objects", 0, "by the number of loaded objects"),
          ("keys", "keys", 0, "by the number of keys with values on the thread"),
          ("n", "n", 256, "by the ids, one a finalizer, that are on the thread, from 256 on"),
          ("live_threads", "alive", 0, "by the number of live threads"))
      for quantity in ("registration", "exit")),
    *(Target(f"allocator_{quantity}", "by allocator: the largest to the smallest", 1.1,
             by_allocator(f"finalize/{quantity}/{{}}/n", (16, 256)))
      for quantity in ("registration", "exit")),
    Target("instructions", "instructions of one more registration", 40, counted("registration")),
    Target("allocations", "calls for memory, once blocks can be used again", 0,
           calls_for_memory("memory/thread/{}/alive", (10000,))),
    Target("allocations_herd", "the same when all register at once", 0,
           calls_for_memory("memory/herd/{}/alive", (10000,))),
)

NOT_FIGURES = ("that slabs double to 64 KiB and are cut from mappings of 1 MiB, and that no lock "
               "is held while user code runs: they are no figures, and not judged here")

# A floor beside itself, whose ratio is 1 but for noise.
CONTROLS = ("finalize/registration/floor_bump_store/n:256", "finalize/exit/floor_call_loop/n:256")
