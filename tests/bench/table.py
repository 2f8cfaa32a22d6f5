#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Figures of build/bench/raw to rows, tables and curves.

  table.py BUILD results    writes results.json and machine.json
  table.py BUILD show       prints the table with verdicts
  table.py BUILD markdown   the same for the README
  table.py BUILD curves     writes prefixes.dat and active.dat for gnuplot
"""
import collections, datetime, glob, json, os, platform, re, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))


def read_raw(build):
    """id -> round -> value, and id -> why it was not measured."""
    got, why = collections.defaultdict(dict), {}
    for path in sorted(glob.glob(f"{build}/bench/raw/*.tsv")):
        for line in open(path):
            if line.startswith("- "):
                _, name, text = line.rstrip("\n").split(" ", 2)
                why[name] = text
            else:
                name, rnd, value = line.split()
                got[name][int(rnd)] = float(value)
    return got, why


def read_rows():
    for line in open(f"{HERE}/rows.tsv"):
        if line.strip() and not line.startswith("#"):
            name, unit, must, aim, better, *ids = line.rstrip("\n").split("\t")
            yield name, unit, float(must) if must else None, float(aim) if aim else None, better, ids


def worst(row, better):
    """What is held against the limits: the median; of what may never happen, the worst round."""
    return row["max"] if row["must"] == 0 and better == "less" else row["median"]


def verdict(row, better):
    if row["median"] is None:
        return "not measured"
    if row["must"] is None:
        return ""
    def reached(limit):
        value = worst(row, better)
        return value >= limit if better == "more" else value <= limit
    return "aim" if reached(row["aim"]) else "must" if reached(row["must"]) else "short"


def make(build):
    got, why = read_raw(build)
    rows, reasons, verdicts = [], {}, {}
    for name, unit, must, aim, better, ids in read_rows():
        rounds = sorted(set.intersection(*(set(got[i]) for i in ids)))
        if len(ids) == 2:
            values = [got[ids[0]][r] / got[ids[1]][r] for r in rounds if got[ids[1]][r] > 0]
        else:
            values = [got[ids[0]][r] for r in rounds]
        row = {"name": name, "unit": unit, "must": must, "aim": aim}
        if values:
            row.update({k: round(f(values), 4) for k, f in (("median", statistics.median), ("min", min), ("max", max))})
        else:
            if must is None:
                continue
            row.update({"median": None, "min": None, "max": None})
            reasons[name] = next((why[i] for i in ids if i in why), "its part of the benchmark gave no figure")
        verdicts[name] = verdict(row, better)
        row.update({"rounds": len(values), "ok": verdicts[name] not in ("short", "not measured")})
        rows.append(row)
    return rows, reasons, verdicts, got


def said(*command):
    try:
        out = subprocess.run(command, capture_output=True, text=True).stdout.strip()
        return out.splitlines()[0] if out else ""
    except OSError:
        return ""


def machine(build, got, reasons):
    def spread(prefix):
        v = [x for name in got if name.startswith(prefix) for x in got[name].values()]
        return {"median": statistics.median(v), "min": min(v), "max": max(v)} if v else None
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "cpu": cpu, "cpus": os.cpu_count(),
            "kernel": platform.release(), "load": spread("load-"), "busy": spread("busy-"), "quick": bool(os.environ.get("QUICK")),
            "versions": {"xtr": said(f"{build}/xtrd", "--version"), "clang": said("clang", "--version"), "gcc": said("gcc", "--version"),
                         "iperf3": said("iperf3", "--version"), "iproute2": said("ip", "-V"), "bpftool": said("bpftool", "version")},
            "not-measured": reasons}


def head(m):
    text = f"{m['date']}, {m['cpus']} x {m['cpu']}, Linux {m['kernel']}, {m['versions']['xtr']}"
    if m["load"]:
        text += (f"; load average {m['load']['min']:.1f} to {m['load']['max']:.1f}; "
                 f"busy with other things {m['busy']['median']:.0f} % ({m['busy']['min']:.0f} to {m['busy']['max']:.0f})")
    return text + ("; QUICK" if m["quick"] else "")


def figure(x):
    if x is None:
        return "-"
    return f"{x:.0f}" if x == int(x) or abs(x) >= 100 else f"{x:.3g}" if abs(x) >= 1 else f"{x:.2f}"


def table(build, markdown):
    rows = json.load(open(f"{build}/bench/results.json"))
    m = json.load(open(f"{build}/bench/machine.json"))
    better = {r[0]: r[4] for r in read_rows()}
    lines = []
    for r in rows:
        says = verdict(r, better.get(r["name"], "more"))
        cells = [r["name"], r["unit"], figure(r["must"]), figure(r["aim"]), figure(r["median"]), figure(r["min"]), figure(r["max"]),
                 str(r["rounds"]), says]
        if says == "not measured":
            cells[-1] += ": " + m["not-measured"].get(r["name"], "no figure")
        lines.append(cells)
    names = ["", "unit", "must", "aim", "median", "min", "max", "rounds", "verdict"]
    if markdown:
        print(head(m) + ":\n")
        bold = {"short", "not measured"}
        print("| " + " | ".join(names) + " |\n|---|---|" + "---|" * (len(names) - 2))
        for c in lines:
            c[-1] = f"**{c[-1]}**" if c[-1].split(":")[0] in bold else c[-1]
            print("| " + " | ".join(c) + " |")
        return
    print("\n" + head(m))
    wide = max(len(c[0]) for c in lines)
    for i, c in enumerate([names] + lines):
        if i and rows[i - 1]["must"] is None and (i == 1 or rows[i - 2]["must"] is not None):
            print("besides:")
        print(f"{c[0]:{wide}} {c[1]:>8}" + "".join(f"{x:>8}" for x in c[2:8]) + f"  {c[8]}")
    count = collections.Counter(c[-1].split(":")[0] for c in lines if c[-1])
    print("verdicts: " + ", ".join(f"{count[k]} {k}" for k in ("aim", "must", "short", "not measured") if count[k]))


def curves(build):
    """prefixes.dat: a block for each number of active destinations; active.dat: one for each number of prefixes. Lines: the other number,
    CPU ns per packet (median, min, max), million packets per second and CPU, rate in relation to 1k prefixes in the same round."""
    got, _ = read_raw(build)
    points = {}
    for name, rounds in got.items():
        m = re.fullmatch(r"many-(\d+)-(\d+)-ns", name)
        if m:
            size, active = int(m[1]), int(m[2])
            few = got.get(f"few-1024-{active}-at-{size}-ns", {})
            points[size, active] = rounds, [few[r] / rounds[r] for r in rounds if r in few]
            points.setdefault((1024, active), (few, [1.0] * len(few))) # a quick run measures the largest table only
    points = {k: v for k, v in points.items() if v[0]}
    for path, first in (("prefixes", 1), ("active", 0)):
        with open(f"{build}/bench/{path}.dat", "w") as f:
            for block in sorted({k[first] for k in points}):
                f.write(f'"{block} {("prefixes", "active destinations")[first]}"\n')
                for key in sorted(k for k in points if k[first] == block):
                    v = points[key][0].values()
                    ns, ratio = statistics.median(v), points[key][1] or [float("nan")]
                    f.write(f"{key[1 - first]} {ns:.1f} {min(v):.1f} {max(v):.1f} {1e3 / ns:.4f} {statistics.median(ratio):.4f}\n")
                f.write("\n\n")


def main():
    build, what = sys.argv[1:3]
    if what == "results":
        rows, reasons, _, got = make(build)
        json.dump(rows, open(f"{build}/bench/results.json", "w"), indent=1)
        json.dump(machine(build, got, reasons), open(f"{build}/bench/machine.json", "w"), indent=1)
    elif what == "curves":
        curves(build)
    else:
        table(build, what == "markdown")


main()
