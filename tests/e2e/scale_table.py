#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A table of EID-prefixes of many instances, as lines for `xtrctl cache load`: shuffled, so that no order helps.

scale_table.py COUNT INSTANCES [RLOC...]

Every prefix has the locator whose number is a hash of instance and prefix, so that a test knows where a packet has to go:
locator() is what it asks. A tenth of the prefixes is IPv6. IPv4 prefixes are /24 of 10.0.0.0/8 and beyond; where a
/24 has an odd third octet, one of sixteen has a /28 inside it with the next locator."""
import random
import sys


def locator(iid, number, n):
    return (iid * 2654435761 + number * 40503 >> 4) % n


def table(count, instances):
    """(iid, family, number, length): IPv4: number is the /24 or /28 as an integer of 32 bits; IPv6: the /64."""
    per = count // instances
    rows = []
    for iid in range(1, instances + 1):
        four = per - per // 10
        i = made = 0
        while made < four:
            a = (10 << 24) + (i << 8)
            rows.append((iid, 4, a, 24))
            made += 1
            if i % 32 == 1 and made < four:
                rows.append((iid, 4, a + 0x40, 28))
                made += 1
            i += 1
        rows += [(iid, 6, 0xfd << 56 | j, 64) for j in range(per // 10)]
    return rows


def text(row):
    iid, family, number, length = row
    if family == 4:
        return f"[{iid}]{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/{length}"
    h = f"{number:016x}"
    return f"[{iid}]{h[:4]}:{h[4:8]}:{h[8:12]}:{h[12:]}::/64"


def main():
    count, instances, rlocs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or ["172.16.2.1"]
    rows = table(count, instances)
    random.Random(4341).shuffle(rows)
    out = []
    for r in rows:
        out.append(f"{text(r)} rloc {rlocs[locator(r[0], r[2], len(rlocs))]}\n")
        if len(out) == 10000:
            sys.stdout.write("".join(out))
            out = []
    sys.stdout.write("".join(out))


if __name__ == "__main__":
    main()
