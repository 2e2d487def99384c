"""What a stored line may be: results/schema.json, as the store asks it."""

import json

from threadref_lab.cli.checkout import ROOT

SCHEMA = ROOT / "results" / "schema.json"
# What a stored line may be, and which part of the schema says how it looks.
KINDS = {"run": "run", "bench": "bench", "stress": "stress", "stress_totals": "stress_totals",
         "pair": "stored_pair", "control": "control", "instructions": "stored_instructions",
         "matrix": "matrix", "target": "stored_target", "canary": "canary",
         "sanitizer": "sanitizer"}


def validator(definition):
    import jsonschema  # slow to import, and reading does without
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(
        {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def complaints(lines):
    """One sentence for each line that the schema does not allow."""
    validators = {}
    for number, line in enumerate(lines, 1):
        kind = line.get("kind")
        if kind not in KINDS:
            yield f"line {number}: kind is {kind!r}; expected one of {', '.join(KINDS)}"
            continue
        if kind not in validators:
            validators[kind] = validator(KINDS[kind])
        for error in validators[kind].iter_errors(line):
            where = ".".join(str(part) for part in error.absolute_path)
            yield f"line {number} ({kind}) {where}: {error.message[:200]}"


def required_keys():
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    return {kind: set(definitions[name]["required"]) for kind, name in KINDS.items()}


def parse(text, required):
    """(line, None) or (None, what is wrong): a torn line ends in the middle of its JSON."""
    try:
        line = json.loads(text)
    except json.JSONDecodeError:
        return None, "a torn line, skipped: not whole JSON"
    if not isinstance(line, dict) or line.get("kind") not in required:
        return None, f"skipped: no line of a kind known here ({', '.join(KINDS)})"
    missing = required[line["kind"]] - line.keys()
    if missing:
        return None, f"skipped: a {line['kind']} line without {', '.join(sorted(missing))}"
    return line, None
