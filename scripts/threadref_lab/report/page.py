"""Writes a run's results on one page, report.html, that opens without server and network.

usage: scripts/lab report [DIR]

Writes DIR/report.html from the results in DIR, which scripts/run.sh wrote; default
results/local/latest. The page names whatever is missing, with the command that makes it;
results/docs/keys.md lists the files.

  --help   this text

exit status: 0 fine, also when something is missing · 1 wrong use, or the page cannot be written
             3 there is no result in DIR · 130 interrupted
"""

import collections
import sys
from pathlib import Path

import jinja2

from threadref_lab.cli.arguments import ended, Parser
from threadref_lab.cli.checkout import ROOT
from threadref_lab.cli.status import FINE, Refused, Unusable
from threadref_lab.report import data, inline_pictures, losses, pictures, tables, words
from threadref_lab.store.files import write_whole

RESTLESS = ("load", "steal", "clock_read_ns")  # differs between processes, and says nothing by that

# What a section needs, and what it says of a file that is not there.
Missing = collections.namedtuple("Missing", "file command")
SECTIONS = (("answers", "Which one, for what", ("bench.json", "describe.json")),
            ("tables", "Figures", ("bench.json", "process-*.json")),
            ("distributions", "Every repetition", ("samples.jsonl",)),
            ("sweeps", "Sweeps", ("sweep.json",)),
            ("allocators", "Allocators", ("allocator-*.json",)),
            ("ordering", "Ordering", ("bench.json",)),
            ("memory", "Memory", ("bench.json",)),
            ("losses", "Where the default loses", ("bench.json", "describe.json", "pairs.jsonl")),
            ("controls", "Controls", ("pairs.jsonl",)),
            ("instructions", "Instructions", ("instructions.jsonl",)),
            ("environment", "Environment", ("bench.json",)))


def sections(run):
    """{anchor: (heading, [what is missing for it])}"""
    return {anchor: (heading, [Missing(name, run.missing[name]) for name in needs
                               if name in run.missing])
            for anchor, heading, needs in SECTIONS}


def environment(run):
    """[(key, value, the other values of later processes)]"""
    found = []
    keys = dict.fromkeys(key for context in run.contexts for key in context)
    for key in keys:
        values = list(dict.fromkeys(context.get(key, "not recorded") or "none"
                                    for context in run.contexts))
        others = [] if key.startswith(RESTLESS) else values[1:]
        found.append((key, values[0], others))
    return found


def cost_picture(run):
    found = [cell.by_process[1] for cell in run.cells.values()
             if cell.kind in data.KINDS and 1 in cell.by_process]
    if not any(row.get("ns") and row.get("n") for row in found):
        return ""
    return inline_pictures.inline_svg(
        pictures.cost(found), "cost",
        "Cost per finalizer against the number of finalizers; the numbers are in the tables")


def loss_view(run):
    lost, below, count = losses.losses(run)
    peers = dict.fromkeys(loss.other for loss in lost if loss.kind == "peer")
    caption = f"the default, {run.default}, against faster subjects, the worst first"
    return {
        "loss_count": count, "losses": losses.table(caption, lost) if lost else None,
        "hidden": losses.table("differences that identical code shows as well", below)
        if below else None,
        "floors": losses.floor_table(run), "spread": run.clone_spread(run.default),
        "cannot": [(peer, losses.cannot(run, peer)) for peer in peers]}


def view(run):
    """Everything that the template shows."""
    first, others = inline_pictures.distributions(run)
    swept, points = inline_pictures.sweeps(run)
    return {
        "run": run, "sections": sections(run), "first_line": words.first_line(run),
        "too_few": words.too_few(run), "uses": [words.use_case(run, use) for use in words.USES],
        "tables": tables.quantity_tables(run), "cost": cost_picture(run),
        "first": first, "others": others, "sweeps": swept, "points": points,
        "allocators": tables.allocator_table(run) if run.allocators else None,
        "orders": tables.orders(run), "memory": tables.memory_tables(run), **loss_view(run),
        "tally": words.tally(run), "controls": tables.control_table(run),
        "spreads": tables.spread_table(run), "pairs": tables.pair_table(run),
        "instructions": tables.instruction_table(run) if run.instructions else None,
        "environment": environment(run), "commands": list(dict.fromkeys(data.MADE_BY.values())),
        "palette": [colour for colour, _ in pictures.BACKENDS]}


def step_class(step):
    """Which colour a step of an order has: the finalizers stand out, thread_locals and keys have
    different ones."""
    for word in ("finalizer", "thread_local", "key", "stack", "join"):
        if word in step:
            return word
    return "other"


def html(run):
    pictures.plain_style()
    loader = jinja2.FileSystemLoader(Path(__file__).resolve().parent)
    template = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True,
                                  lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template.filters.update(step_class=step_class)
    return template.get_template("template.html.j2").render(view(run))


def write(folder):
    if not folder.is_dir():
        raise Refused(f"{folder} is not a folder; name one that scripts/run.sh wrote")
    run = data.Run(folder)
    for problem in run.problems:
        print(f"lab report: {problem}", file=sys.stderr)
    if run.is_empty:
        raise Unusable(f"{folder} holds no result; scripts/run.sh measures one")
    text = html(run)
    out = folder / "report.html"
    try:
        write_whole(out, text)
    except OSError as error:
        raise Refused(f"cannot write {out}: {error.strerror}") from error
    print(out)
    return FINE


def main(arguments):
    parser = Parser("lab report", __doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "results/local/latest")
    options = parser.parse_args(arguments)
    return ended(parser.prog, write, options.folder)
