#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Random lookups in the programs' tables: packets to EIDs of many instances, and where they went.

scale_check.py send DEV MAC COUNT TABLE_SIZE INSTANCES VLANS SEED   frames with 802.1Q tag N, instance N, N 1..VLANS
scale_check.py check PCAP COUNT TABLE_SIZE INSTANCES VLANS SEED RLOC...   right, wrong and missing encapsulated packets, as JSON

Both make the same packets out of SEED: half of them to EIDs of random entries, others inside a /24 that has a longer
prefix inside it. The table is that of scale_table.py, so the locator each has to go to is known here."""
import ipaddress
import json
import random
import socket
import struct
import sys

from scale_table import locator, table


def wanted(count, size, instances, vlans, seed):
    """(instance, destination, number of the entry it takes): the entry of the longest prefix."""
    rows = [r for r in table(size, instances) if r[0] <= vlans]
    longer = {(r[0], r[2] >> 8) for r in rows if r[3] == 28}
    rnd = random.Random(seed)
    out = []
    while len(out) < count:
        iid, family, number, length = rnd.choice(rows)
        if family == 6:
            out.append((iid, ipaddress.ip_address(number << 64 | rnd.getrandbits(60)), number))
            continue
        host = number | rnd.getrandbits(32 - length)
        if length == 24 and (iid, number >> 8) in longer and host & 0xf0 == 0x40:
            number |= 0x40
        out.append((iid, ipaddress.ip_address(host), number))
    return out


def csum(data):
    s = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def frame(mac, iid, dst, ident):
    payload = struct.pack("!HHHHI", 7, 7, 12, 0, ident)
    if dst.version == 4:
        h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 32, 0, 0, 64, 17, 0, socket.inet_aton("10.1.0.130"), dst.packed)
        inner, proto = h[:10] + struct.pack("!H", csum(h)) + h[12:], 0x0800
    else:
        inner, proto = struct.pack("!IHBB16s16s", 6 << 28, 12, 17, 64, ipaddress.ip_address("fd01::b:10").packed, dst.packed), 0x86dd
    eth = mac + bytes.fromhex("020000000001") + struct.pack("!HHH", 0x8100, iid, proto)
    return (eth + inner + payload).ljust(64, b"\0")


def send(dev, mac, *what):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((dev, 0))
    for i, (iid, dst, _) in enumerate(wanted(*what)):
        s.send(frame(bytes.fromhex(mac.replace(":", "")), iid, dst, i))


def packets(name):
    """(outer destination, instance, inner packet) of the LISP data packets of a capture (Ethernet)."""
    with open(name, "rb") as f:
        head = f.read(24)
        e = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        while len(h := f.read(16)) == 16:
            data = f.read(struct.unpack(e + "4I", h)[2])
            ip = data[14:]
            if len(ip) < 60 or ip[0] != 0x45 or ip[9] != 17 or ip[22:24] != b"\x10\xf5":
                continue
            iid = int.from_bytes(ip[32:35], "big") if ip[28] & 8 else 0
            yield socket.inet_ntoa(ip[16:20]), iid, ip[36:]


def check(pcap, rlocs, *what):
    want = wanted(*what)
    right, wrong, seen = 0, [], set()
    for outer, iid, p in packets(pcap):
        four = p[0] >> 4 == 4
        dst = ipaddress.ip_address(p[16:20] if four else p[24:40])
        body = p[20:] if four else p[40:]
        ident = struct.unpack("!I", body[8:12])[0]
        w_iid, w_dst, number = want[ident]
        to = rlocs[locator(w_iid, number, len(rlocs))]
        if (iid, dst, outer) == (w_iid, w_dst, to):
            right += 1
        else:
            wrong.append(f"[{w_iid}]{w_dst} went to {outer} as [{iid}]{dst}, wanted {to}")
        seen.add(ident)
    print(json.dumps({"right": right, "wrong": len(wrong), "missing": len(want) - len(seen), "first": wrong[:1]}))


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:9]))
    else:
        check(sys.argv[2], sys.argv[8:], *map(int, sys.argv[3:8]))


if __name__ == "__main__":
    main()
