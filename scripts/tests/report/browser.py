"""Opens a page in headless Chromium, from disk and with the network cut, and looks at what the
browser made of it: all of it there, nothing from outside, no complaint.

usage: python3 -m tests.report.browser [PAGE]

PAGE is a report.html, or the matrix.html of stress_threadref; without it a report is written from
small results. Prints its size and how long it took to open.

exit status: 0 fine · 1 wrong use · 2 the page is not as it must be · 3 the browser failed
             77 there is no browser: scripts/setup.sh --all installs it
"""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.report import folder
from threadref_lab.cli.status import FINE, FORBIDDEN, MISUSE, UNUSABLE, Unusable
from threadref_lab.report import page

SKIPPED = 77  # what CMake takes for it
BROWSER = "chromium"
# What it writes about the page; the rest of what it writes is about the machine (D-Bus, GPU).
COMPLAINT = re.compile(r"CONSOLE|Uncaught|Not allowed to load|net::ERR")
MATRIX = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)
PLANTED = """<!doctype html><script>throw Error("planted")</script>
<img src="http://planted.invalid/x">"""


def opened(page, profile):
    """(the document as the browser has it, what it complained about, seconds)"""
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--v=0",
               "--enable-logging=stderr", f"--user-data-dir={profile}", "--no-first-run",
               "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND",
               "--dump-dom", page.resolve().as_uri()]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    seconds = time.monotonic() - begun
    if done.returncode:
        raise Unusable(f"{BROWSER} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout, [line for line in done.stderr.splitlines() if COMPLAINT.search(line)], \
        seconds


def outside(html):
    """What a page would fetch or lead to. Names of XML are no addresses."""
    html = re.sub(r'xmlns(?::\w+)?="[^"]*"', "", html)
    return re.findall(r"(?:https?:|file:|ftp:)?//[\w.-]+[^\s\"'<]*", html)


def faults(dom, source, complaints):
    found = [f"the browser complains: {line}" for line in complaints]
    found += [f"something from outside: {address}" for address in outside(source)]
    data = MATRIX.search(source)
    return found + (matrix_faults(dom, json.loads(data[1])) if data else report_faults(dom, source))


def matrix_faults(dom, data):
    """The page draws its table from the data: every cell a button that can be selected."""
    played = {cell["event"] for cell in data["cells"]}
    wanted = {"cells": (len(data["cells"]), len(re.findall(r"<td><button[^>]*>[^<]+<", dom))),
              "rows": (len(played), len(re.findall(r'<th scope="row">', dom))),
              "columns": (len(data["columns"]), len(re.findall(r'<th [^>]*scope="col"', dom))),
              "sentences": (len(data["sentences"]),
                            dom.partition('id="sentences"')[2].partition("</ul>")[0].count("<li>"))}
    return [f"{shown} {what} are shown, of {all_there}"
            for what, (all_there, shown) in wanted.items() if shown != all_there or not shown]


def report_faults(dom, source):
    found = []
    at = [dom.find(f'<h2 id="{anchor}"') for anchor, _, _ in page.SECTIONS]
    found += [f"section {anchor} is missing" for (anchor, _, _), place in zip(page.SECTIONS, at)
              if place < 0]
    if at != sorted(at):
        found.append("the sections are not in order")
    if dom.count("<svg") != source.count("<svg"):
        found.append("the browser lost a picture")
    if len(re.findall(r"<svg[^>]*\srole=\"img\"[^>]*\saria-label=", dom)) != dom.count("<svg"):
        found.append("a picture without a name for those who can't see it")
    return found


def sample(place):
    folder.write(place, folder.files())
    with contextlib.redirect_stdout(io.StringIO()):
        if page.main([str(place)]) != FINE:
            raise Unusable("no report could be written")
    return place / "report.html"


def look(arguments, place):
    """The status; a planted fault has to be found first."""
    planted = place / "planted.html"
    planted.write_text(PLANTED, encoding="utf-8")
    dom, complaints, warm_up = opened(planted, place / "profile")
    if not any("planted" in line for line in complaints) or not outside(PLANTED):
        raise Unusable("what was planted was not found: its messages have changed")
    page = Path(arguments[0]) if arguments else sample(place / "results")
    dom, complaints, seconds = opened(page, place / "profile")
    source = page.read_text(encoding="utf-8")
    found = faults(dom, source, complaints)
    for fault in found:
        print(f"browser.py: {fault}", file=sys.stderr)
    print(f"{page.name}: {page.stat().st_size / 1024:,.0f} KiB, opened and read back in "
          f"{seconds:.2f} s (an empty page: {warm_up:.2f} s, the browser's first start)")
    return FORBIDDEN if found else FINE


def main(arguments):
    if len(arguments) > 1 or any(text.startswith("-") for text in arguments):
        print(__doc__.strip())
        return FINE if "--help" in arguments else MISUSE
    if arguments and not Path(arguments[0]).is_file():
        print(f"browser.py: {arguments[0]} is not a file; name a report.html or a matrix.html",
              file=sys.stderr)
        return MISUSE
    if not shutil.which(BROWSER):
        print(f"browser.py: skipped: {BROWSER} is missing; scripts/setup.sh --all installs it")
        return SKIPPED
    with tempfile.TemporaryDirectory(prefix="threadref-browser-") as place:
        try:
            return look(arguments, Path(place))
        except (Unusable, subprocess.TimeoutExpired, OSError) as problem:
            print(f"browser.py: {problem}", file=sys.stderr)
            return UNUSABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
