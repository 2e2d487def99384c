"""How every command reads its arguments, and how it ends."""

import argparse
import re
import sys

from threadref_lab.cli.status import FINE, MISUSE, UNUSABLE, Unusable


class Parser(argparse.ArgumentParser):
    """Parser of the command `prog`; `document` is its help text. Reports wrong arguments in one
    sentence."""

    def __init__(self, prog, document=""):
        super().__init__(prog=prog, add_help=False, allow_abbrev=False)
        self.document = document.strip()

    def parse_args(self, args=None, namespace=None):
        if "--help" in args and self.document:
            print(self.document)
            sys.exit(FINE)
        return super().parse_args(args, namespace)

    def error(self, message):
        help_of = self.prog if self.prog.startswith("scripts/") else f"scripts/{self.prog}"
        print(f"{self.prog}: {message}; {help_of} --help says what is valid", file=sys.stderr)
        sys.exit(MISUSE)


def ended(prog, work, *arguments):
    """The exit status of work(*arguments); prints one sentence about what stopped it."""
    try:
        return work(*arguments)
    except Unusable as why:
        print(f"{prog}: {why}", file=sys.stderr)
        return why.status
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{prog}: {where}{error.strerror}", file=sys.stderr)
        return UNUSABLE


def run(parser, work, arguments):
    """The exit status of work(options)."""
    return ended(parser.prog, work, parser.parse_args(arguments))


def whole_number(least):
    def read(text):
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least {least}")
        return int(text)
    return read


def seconds(least):
    """Of a duration such as 90s, 10m or 1h30m."""
    def read(text):
        parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
        found = sum(int(part or 0) * unit for part, unit in zip(parts.groups(), (3600, 60, 1))
                    ) if parts and text else -1
        if found < least:
            raise argparse.ArgumentTypeError(
                f"'{text}' is not a duration; give one such as 90s, 10m or 1h30m")
        return found
    return read
