#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares the JSON on standard input with what user/cli/xtrctl.schema.json says of a command, as far as that file uses
JSON Schema: type, properties, required, additionalProperties, items, enum, $ref. Stricter in one thing: a key that is not
described is an error, so that nothing is printed that is not promised.

    xtrctl -j cache show | tests/check/schema.py "cache show"

Prints what is wrong, one line each; exit status 1 then."""
import json
import os
import sys

TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}


def is_type(name, v):
    if name in ("integer", "number"):
        return isinstance(v, int if name == "integer" else (int, float)) and not isinstance(v, bool)
    return isinstance(v, TYPES[name])


def check(defs, s, v, where):
    if "$ref" in s:
        s = defs[s["$ref"].removeprefix("#/$defs/")]
    types = s.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(t, v) for t in types):
        yield f"{where}: {json.dumps(v)[:60]} is not of type {' or '.join(types)}"
        return
    if "enum" in s and v not in s["enum"]:
        yield f"{where}: {json.dumps(v)[:60]} is none of {s['enum']}"
    if isinstance(v, list) and "items" in s:
        for i, m in enumerate(v):
            yield from check(defs, s["items"], m, f"{where}[{i}]")
    if isinstance(v, dict):
        yield from check_object(defs, s, v, where)


def check_object(defs, s, v, where):
    props, extra = s.get("properties"), s.get("additionalProperties")
    for k in s.get("required", []):
        if k not in v:
            yield f"{where}: lacks the key {k}"
    if props is None and extra is None:
        return  # free form
    for k, m in v.items():
        sub = (props or {}).get(k, extra)
        if sub is None:
            yield f"{where}: has a key the schema does not describe: {k}"
        else:
            yield from check(defs, sub, m, f"{where}.{k}")


def main(name):
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    with open(os.path.join(top, "user/cli/xtrctl.schema.json"), encoding="utf-8") as f:
        defs = json.load(f)["$defs"]
    try:
        value = json.load(sys.stdin)
    except ValueError as e:
        print(f"{name}: no JSON: {e}")
        return 1
    if name not in defs:
        print(f"{name}: is not in the schema")
        return 1
    bad = list(check(defs, defs[name], value, name))
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
