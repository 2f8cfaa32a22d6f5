#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What tests/bench makes of figures: made-up ones go in, rows with the right medians, verdicts and fields come out, and a part that
did not run is a row that says so. Prints what is wrong.

  bench.py          checks with made-up figures
  bench.py FILE     checks the shape of a results.json
"""
import json, os, subprocess, sys, tempfile

TABLE = "tests/bench/table.py"
FIELDS = ["name", "unit", "must", "aim", "median", "min", "max", "rounds", "ok"]


def shape(rows):
    if not isinstance(rows, list) or not rows:
        return ["no list of rows"]
    wrong = []
    for r in rows:
        if list(r) != FIELDS:
            wrong.append(f"{r.get('name')}: fields {list(r)}")
            continue
        figures = [r[k] for k in ("median", "min", "max")]
        if not isinstance(r["ok"], bool) or not isinstance(r["rounds"], int):
            wrong.append(f"{r['name']}: ok {r['ok']}, rounds {r['rounds']}")
        if r["rounds"] == 0 and (figures != [None] * 3 or r["ok"]):
            wrong.append(f"{r['name']}: no rounds, and yet {figures}, ok {r['ok']}")
        if r["rounds"] > 0 and not figures[1] <= figures[0] <= figures[2]:
            wrong.append(f"{r['name']}: {figures}")
    return wrong


def made_up():
    with tempfile.TemporaryDirectory() as build:
        os.makedirs(f"{build}/bench/raw")
        with open(f"{build}/bench/raw/packets.tsv", "w") as f:
            for rnd, ours, vxlan, redirect in ((1, 100, 800, 80), (2, 200, 1000, 150), (3, 100, 700, 10)):
                f.write(f"xdp44-ns {rnd} {ours}\nvxlan-ns {rnd} {vxlan}\nredirect-ns {rnd} {redirect}\n")
            f.write("load-packets 1 0.5\nbusy-packets 1 3\n")
        with open(f"{build}/bench/raw/misses.tsv", "w") as f:
            f.write("cold-ms 1 0.2\ncold-ms 2 0.6\ncold-ms 3 0.5\ncold-lost 1 0\ncold-lost 2 0\ncold-lost 3 1\n")
        with open(f"{build}/bench/raw/tcp.tsv", "w") as f:
            f.write("- tcp-wire-gpe switched off\n")
        for what in ("results", "show", "markdown", "curves"):
            p = subprocess.run([TABLE, build, what], capture_output=True, text=True)
            if p.returncode:
                return [f"{TABLE} {what}: {p.stderr.splitlines()[-1:]}"]
            if what == "show":
                text = p.stdout
        rows = json.load(open(f"{build}/bench/results.json"))
    wrong = shape(rows)
    by = {r["name"]: r for r in rows}

    def expect(name, want):
        got = [by[name][k] for k in ("median", "min", "max", "rounds", "ok")]
        if got != want:
            wrong.append(f"{name}: {got}, not {want}")

    expect("64 octets, XDP encap + decap / kernel VXLAN", [7.0, 5.0, 8.0, 3, True])          # paired by round
    expect("64 octets, XDP encap + decap / plain XDP redirect", [0.75, 0.1, 0.8, 3, True])   # the limit itself is reached
    expect("Cold miss to first packet delivered", [0.5, 0.2, 0.6, 3, True])                  # less is better
    expect("Packets lost on a cold map-cache", [0, 0, 1, 3, False])                          # one lost packet is one too many
    expect("TCP, per-packet underlay, LISP-GPE / VXLAN with tunnel GRO", [None, None, None, 0, False])
    for want in ("not measured: switched off", "1 short", "load average 0.5"):
        if want not in text:
            wrong.append(f"the table does not say '{want}'")
    broken = [dict(rows[0], median=99.0)]
    if not shape(broken) or not shape([{"name": "x"}]) or not shape({"rows": rows}):
        wrong.append("a broken row goes unseen")
    return wrong


if __name__ == "__main__":
    for line in shape(json.load(open(sys.argv[1]))) if len(sys.argv) > 1 else made_up():
        print(line)
