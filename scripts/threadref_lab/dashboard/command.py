"""The dashboard: writes its page from all stored nights, builds it, tests it.

usage: scripts/lab page write [--results DIR] [--out FILE]    index.html, from all stored nights
       scripts/lab page data --out FILE [...]                 what the page shows, as JSON
       scripts/lab page build                                 the page without data
       scripts/lab page test                                  types and logic
       scripts/lab page browser                               in Chromium, offline

Each has its own help text: scripts/lab page write --help.

exit status: 0 fine · 1 wrong use · 2 a test failed · 3 the page could not be built, or there is
             nothing to show · 130 interrupted
"""

from threadref_lab.cli.status import FINE, Refused
from threadref_lab.dashboard import template


def main(arguments):
    if arguments[:1] == ["--help"]:
        print(__doc__.strip())
        return FINE
    what, rest = arguments[0] if arguments else "", arguments[1:]
    if what in template.STEPS:
        return template.main(arguments)
    # These two read the store and judge it, which takes long to import.
    if what == "write":
        from threadref_lab.dashboard import page
        return page.main(rest)
    if what == "data":
        from threadref_lab.dashboard import document
        return document.main(rest)
    valid = ", ".join(("write", "data", *template.STEPS))
    raise Refused((f"unknown step '{what}'" if what else "a step is missing") + f"; valid: {valid}")
