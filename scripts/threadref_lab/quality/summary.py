"""Adds up the JUnit reports that ctest wrote, one per preset.

usage: scripts/lab summary PRESET=FILE...

Prints a line per preset, the failing tests, and as the last line "N passed, M failed".
exit status: 0 all passed · 1 wrong use · 2 a test failed · 3 a report is missing or empty
"""

import xml.etree.ElementTree as xml

from threadref_lab.cli.status import FINE, FORBIDDEN, Refused, UNUSABLE


def verdict(case):
    """A test that ctest could not start, or whose fixture failed, was not skipped: it failed."""
    if case.get("status") == "fail" or case.find("failure") is not None:
        return "failed"
    skipped = case.find("skipped")
    if case.get("status") == "disabled":
        return "skipped"
    if skipped is not None:
        return "skipped" if skipped.get("message", "").startswith("SKIP_") else "failed"
    return "passed"


def read(path):
    """({verdict: test names}, seconds) of one report, or a sentence saying why not."""
    try:
        suite = xml.parse(path).getroot()
    except FileNotFoundError:
        return "not built or not run (see above)"
    except (OSError, xml.ParseError) as error:
        return f"{path}: {error}"
    names = {"passed": [], "failed": [], "skipped": []}
    for case in suite.findall("testcase"):
        names[verdict(case)].append(case.get("name"))
    if not names["passed"] and not names["failed"]:
        return "ctest ran no test"
    return names, float(suite.get("time") or 0)


def main(arguments):
    if arguments == ["--help"]:
        print(__doc__.strip())
        return FINE
    if not arguments or not all("=" in argument for argument in arguments):
        raise Refused("say which report is of which preset, as PRESET=FILE")
    passed_total, failures, status = 0, [], FINE
    for argument in arguments:
        preset, path = argument.split("=", 1)
        outcome = read(path)
        if isinstance(outcome, str):
            print(f"  {preset:14} UNUSABLE: {outcome}")
            failures.append(f"{preset}: {outcome}")
            status = UNUSABLE
            continue
        names, seconds = outcome
        counts = ", ".join(f"{len(names[key])} {key}" for key in names)
        print(f"  {preset:14} {counts}, {seconds:.0f} s")
        for name in names["skipped"]:
            print(f"  {'':14} skipped: {name}")
        passed_total += len(names["passed"])
        failures += [f"{preset}: {name}" for name in names["failed"]]
        if names["failed"]:
            status = max(status, FORBIDDEN)
    if failures:
        print("failed:")
        for failure in failures:
            print(f"  {failure}")
    print(f"{passed_total} passed, {len(failures)} failed")
    return status
