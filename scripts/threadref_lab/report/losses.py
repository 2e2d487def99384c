"""Where the default back end loses: every cell in which another subject was faster."""

import collections
import re

from threadref_lab.report import data, tables, words

LEAST = .02  # pairs of processes of identical code differ by that much
# Which numbers of a row are a contest that the lower one wins.
CONTEST = re.compile(r"ns|p99|total_ratio|life_ratio|\w+_ns")
NO_CONTEST = re.compile(r"floor_ns|empty_ns")

# A comparison, lost or not. ratio: the default's number to the other's, over the processes that
# have both.
Loss = collections.namedtuple("Loss", "where number other kind own theirs ratio threshold")


def threshold(run, cell):
    spread = run.clone_spread(cell.subject, cell.quantity, cell.parameters.get("n"))
    return max(LEAST, spread or 0)


def contest_keys(cell):
    """Of memory every number is a cost; elsewhere counters are not. What threads of workers and
    pools cost is no back end's doing: those rows say with their ratio what it adds."""
    if cell.group == "worker":
        return []
    if cell.group == "memory":
        return tables.own_counters([cell]) + ["ns"]
    wanted = [key for key in cell.counters() if CONTEST.fullmatch(key)
              and not NO_CONTEST.fullmatch(key)]
    return wanted if cell.figure("total_p50") else [key for key in wanted if key != "p99"]


def compared(own, theirs, key):
    """The ratio of the two over the processes that have both, or None."""
    mine, other = own.values(key), theirs.values(key)
    ratios = [mine[process] / other[process] for process in mine
              if other.get(process, 0) > 0 and mine[process] > 0]
    return data.figure(ratios) if ratios else None


def places(run):
    """[(words in front, cells by place)] of everything that compares subjects."""
    found = [("", run.places())]
    for asked, _, cells in run.allocators:
        found.append((f"with {asked}, ", data.by_place(cells)))
    return found + [("", data.by_place(run.sweeps))]


def in_cells(run):
    for front, found in places(run):
        for place, cells in found.items():
            own = next((cell for cell in cells if cell.subject == run.default), None)
            if own is None or own.error:
                continue
            for other in cells:
                if other is own or other.kind == "floor" or other.error:
                    continue
                for key in contest_keys(own):
                    ratio = compared(own, other, key)
                    if ratio:
                        yield Loss(f"{front}{data.title(place)}", tables.column_title(key),
                                   other.subject, other.kind,
                                   words.say(own.figure(key).value, key),
                                   words.say(other.figure(key).value, key), ratio,
                                   threshold(run, own))


def in_instructions(run):
    lines = {(line["quantity"], line["subject"]): line for line in run.instructions
             if "error" not in line}
    for (quantity, subject), line in lines.items():
        own = lines.get((quantity, run.default))
        kind = data.rows.kind_of(subject)
        if (own and subject != run.default and kind in ("backend", "peer")
                and line["instructions"] > 0):
            ratio = own["instructions"] / line["instructions"]
            yield Loss(quantity, "instructions", subject, kind, f"{own['instructions']:,.1f}",
                       f"{line['instructions']:,.1f}", data.figure([ratio]), LEAST)


def losses(run):
    """(those beyond what identical code differs by, those below it, a sentence on how many), the
    worst first."""
    found = sorted([*in_cells(run), *in_instructions(run)], key=lambda loss: -loss.ratio.value)
    lost = [loss for loss in found if loss.ratio.value > 1 + loss.threshold]
    below = [loss for loss in found if 1 + LEAST < loss.ratio.value <= 1 + loss.threshold]
    return lost, below, how_many(found, lost)


def how_many(found, lost):
    if not found:
        return ""
    parts = [f"{sum(loss.kind == kind for loss in lost)} of "
             f"{sum(one.kind == kind for one in found)} comparisons with {what}"
             for kind, what in (("backend", "other back ends"), ("peer", "peers"))]
    return f"It loses {words.listed(parts)}."


def cannot(run, subject):
    """Of a peer: what it says itself, or else what the default was measured at and it was not."""
    measured = [cell for cell in run.cells.values() if not (cell.error or cell.absent)]
    mine = dict.fromkeys(cell.what for cell in measured if cell.subject == run.default)
    theirs = {cell.what for cell in measured if cell.subject == subject}
    missing = [data.title((what, ())) for what in mine if what not in theirs]
    return run.lacks(subject) or f"no row for {words.listed(missing) or 'nothing'}"


def table(caption, found):
    def line(loss):
        share = f"{loss.ratio.value:.2f}×"
        note = (f"{loss.ratio.low:.2f} to {loss.ratio.high:.2f}" if loss.ratio.count > 1
                else "")
        return (f"{loss.where}: {loss.number}",
                [tables.Shown(loss.other), tables.Shown(loss.own), tables.Shown(loss.theirs),
                 tables.Shown(share, note), tables.Shown(f"{100 * loss.threshold:.2g} %")])
    return tables.Table(caption, ["faster", "default", "the other", "ratio, over processes",
                                  "least that counts"], [("", [line(loss) for loss in found])])


def floor_table(run):
    """How far the default is from what nothing can beat: known, and no contest."""
    found = []
    for place, cells in run.places().items():
        for cell in cells:
            ratio = cell.figure("ratio")
            if cell.subject == run.default and ratio:
                found.append((data.title(place), [
                    tables.Shown(words.say(cell.figure("ns").value, "ns")),
                    tables.Shown(words.say(cell.figure("floor_ns").value, "ns")),
                    tables.Shown(f"{ratio.value:.2f}×", f"{ratio.low:.2f} to {ratio.high:.2f}"
                                 if ratio.count > 1 else "")]))
    return tables.Table("the default and its floors, measured in turns",
                        ["default", "floor", "ratio, over processes"], [("", found)])
