#!/usr/bin/python3
"""Prints the memory-ordering instructions of aarch64, operation by operation.

usage: orders.py OBJDUMP OBJECT

Those of the hot paths are required exactly: fewer would break on processors weaker than x86, and
more would cost.

exit status: 0 as required · 1 wrong use · 2 not as required · 3 objdump failed
"""

import re
import subprocess
import sys

FINE, MISUSE, FORBIDDEN, UNUSABLE = 0, 1, 2, 3
# Publishing a finalizer takes two releases, of the array's end and of the word; and of the word
# once more in a second copy of the code, for all but the usual place. Checking a ref takes one
# acquire; the thread's own pointer needs neither.
REQUIRED = {"op_register": ["stlr", "stlr", "stlr"], "op_is_registered": [], "op_expired": ["ldar"]}
HEAD = re.compile(r"^[0-9a-f]+ <(op_\w+)>:$")
OTHER_HEAD = re.compile(r"^[0-9a-f]+ <")
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(\S+)")
LOCK = re.compile(r"R_AARCH64_CALL26\s+pthread_mutex_(lock|unlock)$")
ORDERS = re.compile(r"^(stlx?r|ldap?r|ldax?r|ldxr|stxr|cas|swp|ld(add|clr|set|eor)|dmb)")


def orders_of(listing):
    """{operation: [instruction]}, in the order of the code, not of a run."""
    found, at = {}, None
    for line in listing.splitlines():
        if head := HEAD.match(line):
            at = found.setdefault(head[1], [])
        elif OTHER_HEAD.match(line):
            at = None
        elif at is None:
            continue
        elif lock := LOCK.search(line):
            at.append(lock[1])
        elif (instruction := INSTRUCTION.match(line)) and ORDERS.match(instruction[1]):
            at.append(instruction[1])
    return found


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return FINE if arguments == ["--help"] else MISUSE
    made = subprocess.run([arguments[0], "-dr", "--no-show-raw-insn", arguments[1]],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        print(f"orders.py: {made.stderr.strip()}", file=sys.stderr)
        return UNUSABLE
    found = orders_of(made.stdout)
    for operation, orders in found.items():
        print(f"{operation:18}{' '.join(orders) or '-'}")
    wrong = [operation for operation, orders in REQUIRED.items() if found.get(operation) != orders]
    for operation in wrong:
        print(f"orders.py: {operation} must have {REQUIRED[operation] or 'none'}", file=sys.stderr)
    return FORBIDDEN if wrong else FINE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
