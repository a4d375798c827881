#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks JSON on standard input, one object or with --lines one a line, against a schema.

Usage: validate.py [--lines] SCHEMA. Exit status: 0, or 1 with what is wrong on standard output; nothing at all is wrong, too.
"""

import json
import sys

import jsonschema


def main():
    schema = json.load(open(sys.argv[-1], encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    text = sys.stdin.buffer.read().decode("utf-8")
    texts = text.splitlines() if "--lines" in sys.argv else [text]
    if not text.strip():
        print("# nothing was printed")
        return 1

    n_wrong = 0
    for one in texts:
        try:
            value = json.loads(one)
        except json.JSONDecodeError as error:
            print(f"# no JSON: {error}: {one[:200]!r}")
            return 1
        for error in validator.iter_errors(value):
            n_wrong += 1
            print(f"# {error.json_path}: {error.message[:300]}")
    return 1 if n_wrong else 0


sys.exit(main())
