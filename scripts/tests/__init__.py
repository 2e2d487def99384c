#!/usr/bin/python3
"""Tests of the scripts: /usr/bin/python3 -m unittest discover -s scripts/tests -t ."""

import sys
from pathlib import Path

# The scripts import each other by plain name, as they do when they are run.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
