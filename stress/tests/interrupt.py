#!/usr/bin/python3
"""Starts stress_threadref, interrupts it as soon as it has begun, and passes on its output.

usage: interrupt.py (once|twice) PROGRAM ARGUMENT...

It guesses no delay: it sends the first signal after the program's first line. The program treats
signals within a fifth of a second as one request, so the second is repeated until it has ended.

exit status: the program's own · 1 wrong use
"""

import signal
import subprocess
import sys
import threading

AGAIN_SECONDS = 0.3


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("once", "twice"):
        print("interrupt.py: give 'once' or 'twice' and a program",
              file=sys.stderr)
        return 1
    program = subprocess.Popen(arguments[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    ended = threading.Event()

    def insist():
        while not ended.wait(AGAIN_SECONDS):
            program.send_signal(signal.SIGINT)

    again = threading.Thread(target=insist)
    for number, line in enumerate(program.stdout):
        print(line, end="")
        if number == 0:
            program.send_signal(signal.SIGINT)
        elif "asked to stop" in line and arguments[0] == "twice":
            again.start()
    status = program.wait()
    ended.set()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
