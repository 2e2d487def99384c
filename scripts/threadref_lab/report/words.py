"""The sentences of a report: each is made of figures of the run, and names what measures them."""

import collections

from threadref_lab.report import data, pictures

AS_GOOD_AS = 1.05  # as in the table that bench_threadref prints
IN_ONE = 1.10      # in one process, which is one accident of memory layout
FEW = 1000         # threads a row: a run that took fewer was to try things out
HARDLY = .06       # of a thread's life: below it, which mechanism it is hardly matters

Sentence = collections.namedtuple("Sentence", "text command is_hole", defaults=("", False))
# One thing that a use case asks for: where it is measured, with which parameters, as which number.
Ask = collections.namedtuple("Ask", "words what parameters key", defaults=({}, "ns"))
# needs: a capability without which a back end is no candidate; claims: those that matter to it.
Use = collections.namedtuple("Use", "anchor name why needs asks claims", defaults=((),))

ENSURE = Ask("asking whether a thread is registered", r"\w+/(access_\w+_)?ensure")
REF_CHECK = Ask("asking whether a thread still runs", "ref/check")
FIRST = Ask("the first registration of a thread", "finalize/first_registration")
RETAINED = Ask("bytes that stay after the peak", "memory/thread", key="retained_bytes")


def exits(size, key="ns"):
    words = {"ns": f"running each of {size} finalizers",
             "life_ratio": f"a thread's whole life with {size} of them"}
    return Ask(words[key], "finalize/exit", {"n": size}, key)


# Why these, for each:
# allocator  It has one or a few finalizers a thread (its cache), made inside malloc, where a back
#            end that allocates would come back to it; and every malloc asks whether they are there.
# tracer     It has a buffer for each traced thing: many finalizers a thread; and stalls in the
#            traced program are what it must not cause, so the tail while others come and go.
# rcu        Every thread registers once, every read asks, and a writer walks over all threads.
# runtime    It runs code of others: where its cleanup stands among their thread_locals decides what
#            that code may still touch, and it must be able to take cleanup back from elsewhere.
# pool       Threads come and go with the load: what one costs in all, and what memory stays behind.
USES = (
    Use("allocator", "An allocator's cache per thread",
        "It registers inside malloc, once a thread, and each malloc asks whether it has.",
        "inside_malloc", (FIRST, ENSURE, exits(1, "life_ratio"), exits(4, "life_ratio"))),
    Use("tracer", "A tracer or profiler",
        "It has many finalizers a thread, and must not stall what it watches.",
        None, (Ask("registering each of 16", "finalize/registration", {"n": 16}),
               Ask("registering each of 256", "finalize/registration", {"n": 256}),
               Ask("the slowest of a hundred drains while other threads come and go",
                   "finalize/exit_under_churn", {}, "p99"))),
    Use("rcu", "RCU and epochs",
        "Each thread registers once, each reader asks, and a writer looks at all threads.",
        None, (ENSURE, REF_CHECK, FIRST,
               Ask("looking at all threads", r"\w+/enumerat\w*"))),
    Use("runtime", "Embedding a language's runtime",
        "Where its cleanup runs among other people's thread_locals decides what it may touch, and "
        "it has to take cleanup back from other threads.",
        None, (Ask("cancelling a finalizer of another thread", "finalize/cancel_foreign"),
               Ask("cancelling one's own", "finalize/cancel_owner")),
        ("after_thread_locals", "among_thread_locals", "interleaved")),
    Use("pool", "A thread pool that grows and shrinks",
        "Threads come and go with the load, and memory should go with them.",
        None, (Ask("threads coming and going", r"\w+/churn\w*"),
               exits(16), exits(16, "life_ratio"), RETAINED)),
)


def say(value, key):
    if key.endswith("ratio"):
        return f"{value:.3f}×" if value < 10 else f"{value:.3g}×"
    if data.is_time(key):
        return pictures.nanoseconds_short(value)
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.3g}"


def with_range(figure, key):
    if figure.count == 1:
        return f"{say(figure.value, key)} (one process)"
    return (f"{say(figure.value, key)} ({say(figure.low, key)} to {say(figure.high, key)} over "
            f"{figure.count} processes)")


def listed(names):
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def percent(share):
    return f"{100 * share:.1f}".replace("-", "−")


# ----------------------------------------------------------------------------- the first line


def longer(cells):
    """What back ends add to a thread's life: (least, most, the same of single processes, how many
    back ends, how many processes)."""
    found = [figure for figure in (cell.figure("life_ratio") for cell in cells
                                   if cell.kind == "backend") if figure]
    if not found:
        return None
    return (min(f.value for f in found) - 1, max(f.value for f in found) - 1,
            min(f.low for f in found) - 1, max(f.high for f in found) - 1, len(found),
            max(f.count for f in found))


def first_line(run):
    """How little it matters for one to four finalizers; and as a bound, the next size measured."""
    sizes = {dict(place[1]).get("n", 0): (place, longer(cells))
             for place, cells in run.find("finalize/exit").items()}
    sizes = {size: found for size, found in sorted(sizes.items()) if size and found[1]}
    small = [size for size in sizes if size <= 4]
    if not small:
        return Sentence("How little it matters for one to four finalizers was not measured here.",
                        data.command(("finalize/exit", (("n", 1),))), True)
    parts = []
    for size in small + [size for size in sizes if size > 4][:1]:
        least, most, low, high, count, processes = sizes[size][1]
        single = (f" ({percent(low)} to {percent(high)} in single processes)" if processes > 1
                  else "")
        parts.append(f"{percent(least)} to {percent(most)} %{single} with {size}")
    count, processes = sizes[small[0]][1][4:]
    most = max(sizes[size][1][1] for size in small)
    verdict = ("hardly matters" if most <= HARDLY else
               f"matters: it adds up to {percent(most)} % to a thread's life")
    bound = "1 to 4 finalizers" if {1, 4} <= set(small) else (
        f"{listed(map(str, small))} finalizer" + "s" * (small != [1]))
    over = f"medians over {processes} processes" if processes > 1 else "one process"
    text = (f"For {bound} the mechanism {verdict}. A thread's whole life{empty_life(run)} takes "
            f"longer than if it made the calls itself, with whichever of the {count} back ends, "
            f"by {', '.join(parts)}: {over}.")
    return Sentence(text, data.command(sizes[small[0]][0]))


def empty_life(run):
    found = [cell.figure("ns") for place, cells in run.find("finalize/exit").items()
             if dict(place[1]).get("n") == 0 for cell in cells]
    return f" ({say(found[0].value, 'ns')} if it has none)" if found and found[0] else ""


def too_few(run):
    """The warning in front of figures that mean nothing; "" if there is none."""
    counts = [cell.figure("samples").value for cell in run.cells.values()
              if cell.figure("samples") and cell.figure("ns")]
    if not counts or max(counts) >= FEW:
        return ""
    return (f"No row has more than {max(counts):,.0f} threads: this run was to try things out, and "
            "no figure below means anything.")


# ----------------------------------------------------------------------------- the use cases


def matches(run, ask):
    """[(place, key, {subject: cell with a figure})] of what was measured for this."""
    found = []
    for place, cells in run.find(ask.what).items():
        known = {cell.subject: cell for cell in cells if cell.figure(ask.key)}
        if (ask.parameters.items() <= dict(place[1]).items()
                and any(cell.kind == "backend" for cell in known.values())):
            found.append((place, ask.key, known))
    return found


def hole(ask):
    place = (ask.what, tuple(ask.parameters.items()))
    return Sentence(f"Not measured in this run: {ask.words}.", data.command(place), True)


def best(known, key, subjects):
    """(name, value) of the best of these."""
    order = max if key.endswith("_per_s") else min
    return order(((name, known[name].figure(key).value) for name in subjects),
                 key=lambda pair: pair[1])


def is_close(figure, other, key, within=AS_GOOD_AS):
    if key.endswith("_per_s"):
        return figure.value * within >= other.value
    return figure.value <= other.value * within


def is_as_good(run, cell, other, key):
    """Close to it, closer than copies of either are to each other, or their processes overlap: then
    one more process could turn it round."""
    own, best_one = cell.figure(key), other.figure(key)
    overlaps = (own.high >= best_one.low if key.endswith("_per_s") else own.low <= best_one.high)
    spreads = [run.clone_spread(each.subject, each.quantity, each.parameters.get("n")) or 0
               for each in (cell, other)]
    least = IN_ONE if min(own.count, best_one.count) == 1 else AS_GOOD_AS
    return overlaps or is_close(own, best_one, key, max(least, *(1 + s for s in spreads)))


def choose(run, use, found):
    """(back end, [asks it is best in], [asks in which another is better]); the default wins a tie.
    """
    candidates = [name for name in run.backends
                  if not use.needs or name in (run.claims(use.needs) or [])]
    good = {name: [] for name in candidates}
    worse = {name: [] for name in candidates}
    for ask, (_, key, known) in found:
        inside = [name for name in candidates if name in known]
        if not inside:
            continue
        winner, value = best(known, key, inside)
        for name in inside:
            if is_as_good(run, known[name], known[winner], key):
                good[name].append(ask.words)
            else:
                own = known[name].figure(key).value
                worse[name].append((ask.words, winner, own, value, key))
    if not any(good.values()):
        return None
    chosen = max(candidates, key=lambda name: (len(good[name]), name == run.default))
    return chosen, good[chosen], worse[chosen], candidates


def answer(run, use, found):
    picked = choose(run, use, found)
    if use.needs and run.claims(use.needs) is None:
        return Sentence(f"Which back ends may be used ({use.needs}) is not known: describe.json is "
                        "missing.", f"{data.BENCH} --describe >DIR/describe.json", True)
    if not picked:
        return Sentence("No back end can be named: nothing that this needs was measured.", "", True)
    chosen, good, worse, candidates = picked
    total = len(good) + len(worse)
    among = f" of the {len(candidates)} that may be used there" if use.needs else ""
    if len(candidates) == 1:
        return Sentence(f"{chosen}: no other may be used there.")
    text = (f"{chosen}: as good as the best{among} in {len(good)} of {total} of what was measured "
            "for this")
    for words, winner, own, value, key in worse:
        text += f"; {words} is better with {winner} ({say(value, key)}, not {say(own, key)})"
    if use.claims and run.description:
        own = [name for name in use.claims if chosen in run.claims(name)]
        text += f"; of what matters here it claims {listed(own) or 'nothing'}"
    return Sentence(text + ".")


def ask_sentence(run, ask, place, key, known, chosen):
    backends = [name for name in known if known[name].kind == "backend"]
    peers = [name for name in known if known[name].kind == "peer"]
    name = chosen if chosen in known else best(known, key, backends)[0]
    cell = known[name]
    text = f"{ask.words[0].upper()}{ask.words[1:]}"
    if len(matches(run, ask)) > 1:  # several rows answer this
        text += f" ({data.title(place)})"
    text += f": {name} {with_range(cell.figure(key), key)}"
    ratio = cell.figure("ratio") if key == "ns" else None
    if ratio:
        text += f", {ratio.value:.3g} times its floor"
    winner, value = best(known, key, backends)
    if winner != name:
        close = is_as_good(run, cell, known[winner], key)
        text += (f"; {winner}, with {say(value, key)}, is "
                 f"{'not clearly better' if close else 'the best back end'}")
    elif len(backends) > 1:
        text += ", the best of the back ends"
    if peers:
        winner, value = best(known, key, peers)
        text += f"; of the peers, which are under no contract, {winner} with {say(value, key)}"
    return Sentence(text + ".", data.command(place))


def capability_sentence(run, capability):
    claimed = run.claims(capability)
    if claimed is None:
        return None
    others = [name for name in run.backends if name not in claimed]
    text = f"{capability.replace('_', ' ').capitalize()}: "
    if not claimed:
        return Sentence(text + "no back end claims it.", f"{data.BENCH} --describe")
    text += (f"{listed(claimed)} claim{'s' * (len(claimed) == 1)} it, and what is claimed is "
             "tested")
    return Sentence(text + (f"; {listed(others)} do{'es' * (len(others) == 1)} not." if others
                            else "."), f"{data.BENCH} --describe")


def order_sentences(run):
    """Which back ends run finalizers where, among thread_locals and keys; and what deviates."""
    grouped, place = {}, None
    for place, cells in run.find("finalize/ordering").items():
        for cell in cells:
            if cell.kind == "backend" and cell.order and not cell.error:
                grouped.setdefault(cell.order, []).append(cell.subject)
    command = data.command(place or ("finalize/ordering", ()))
    if not grouped:
        return [Sentence("Not measured in this run: where finalizers run among thread_locals.",
                         command, True)]
    return [Sentence(f"{listed(names)}: {order}.", command) for order, names in grouped.items()]


def use_case(run, use):
    """(use, answer, sentences)"""
    found, sentences = [], []
    for ask in use.asks:
        measured = matches(run, ask)
        found += [(ask, entry) for entry in measured]
    first = answer(run, use, found)
    chosen = (choose(run, use, found) or [run.default])[0]
    sentences += [capability_sentence(run, name) for name in filter(None, (use.needs, *use.claims))]
    sentences += order_sentences(run) if use.claims else []
    for ask in use.asks:
        measured = [entry for asked, entry in found if asked is ask]
        sentences += [ask_sentence(run, ask, *entry, chosen) for entry in measured] or [hole(ask)]
    return use, first, [sentence for sentence in sentences if sentence]


# ----------------------------------------------------------------------------- the controls


def tally(run):
    """What comparing identical code, and code made slower on purpose, came to."""
    same = [line for line in run.pairs if line["control"] in ("self", "clone")]
    planted = [line for line in run.pairs if line["control"] == "planted"]
    again = data.MADE_BY["pairs.jsonl"]
    sentences = []
    if same:
        false = [line for line in same if line["verdict"] in ("faster", "slower")]
        kinds = collections.Counter(line["control"] for line in same)
        wrong = collections.Counter(line["control"] for line in false)
        each = ", ".join(f"{wrong[kind]} of {count} {kind} pairs" for kind, count in kinds.items())
        confirmed = sum(line.get("confirmed") is True for line in false)
        sentences.append(Sentence(
            f"Of {len(same)} comparisons of identical code {len(false)} said faster or slower "
            f"({each}); a second run confirmed {confirmed} of them.", again))
    if planted:
        found = sum(line["verdict"] == "slower" for line in planted)
        sentences.append(Sentence(f"Of {len(planted)} slowdowns planted on purpose {found} "
                                  "were found.", again))
    return sentences
