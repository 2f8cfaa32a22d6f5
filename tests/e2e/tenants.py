#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Whose packets are in a capture? Pings carry the mark of their tenant (ping -p): what ends in eight octets of another mark, or of
none, is a stranger's.

    tenants.py host FILE MARK                 at a host: prints "own N strangers M"
    tenants.py wire FILE IID=MARK...          LISP data: the same for each instance, "IID own N strangers M", in the order given;
                                              then "other N" for packets of instances that were not named
    tenants.py fragments FROM TO IID MARK SRC DST N   sends N pings from EID SRC to EID DST, each as a LISP packet in two IPv4
                                              fragments between the locators FROM and TO

MARK: two hexadecimal digits. Echo requests and replies count, and no fragments. tcpdump's own formats: Ethernet, and cooked
(-i any).
"""
import socket
import struct
import sys

HEADER = {1: 14, 113: 16, 276: 20}  # link types: Ethernet, Linux cooked 1 and 2


def packets(path):
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    skip = HEADER[struct.unpack_from(order + "I", data, 20)[0] & 0xffff]
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack_from(order + "I", data, at + 8)[0]
        yield data[at + 16 + skip:at + 16 + n]
        at += 16 + n


def payload(p):
    """(protocol, what follows the IP header) of a packet that is no fragment."""
    if len(p) >= 20 and p[0] >> 4 == 4 and not struct.unpack_from("!H", p, 6)[0] & 0x3fff:
        return p[9], p[(p[0] & 15) * 4:struct.unpack_from("!H", p, 2)[0]]
    if len(p) >= 40 and p[0] >> 4 == 6:
        return p[6], p[40:40 + struct.unpack_from("!H", p, 4)[0]]
    return None, b""


def mark(p):
    """Last octets of an echo, None for everything else."""
    proto, body = payload(p)
    if (proto, body[:1]) in ((1, b"\0"), (1, b"\x08"), (58, b"\x80"), (58, b"\x81")) and len(body) >= 32:
        return body[-8:]
    return None


def tell(before, marks, own):
    n = sum(m == bytes([own]) * 8 for m in marks)
    print(f"{before}own {n} strangers {len(marks) - n}")


def wire(path, wanted):
    seen, other = {i: [] for i, _ in wanted}, 0
    for p in packets(path):
        proto, udp = payload(p)
        if proto != 17 or len(udp) < 16 or struct.unpack_from("!H", udp, 2)[0] != 4341:
            continue
        iid = struct.unpack_from("!I", udp, 12)[0] >> 8 if udp[8] & 8 else 0
        m = mark(udp[16:])
        if m and iid in seen:
            seen[iid].append(m)
        other += iid not in seen
    for i, own in wanted:
        tell(f"{i} ", seen[i], own)
    print("other", other)


def checksum(b):
    total = sum(struct.unpack(f"!{len(b) // 2}H", b))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def header(src, dst, proto, length, ident, offset):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, ident, offset, 64, proto, 0,
                    socket.inet_aton(src), socket.inet_aton(dst))
    return h[:10] + struct.pack("!H", checksum(h)) + h[12:]


def fragments(here, to, iid, own, src, dst, count):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for i in range(count):
        echo = struct.pack("!BBHHH", 8, 0, 0, 0x4c58, i) + bytes([own]) * 56
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        inner = header(src, dst, 1, len(echo), i, 0x4000) + echo
        lisp = struct.pack("!II", 0x08000000, iid << 8) + inner
        udp = struct.pack("!HHHH", 50000 + i, 4341, 8 + len(lisp), 0) + lisp
        for at, part, more in ((0, udp[:48], 0x2000), (6, udp[48:], 0)):
            s.sendto(header(here, to, 17, len(part), 1000 + i, more | at) + part, (to, 0))


if sys.argv[1] == "fragments":
    fragments(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5], 16), sys.argv[6], sys.argv[7], int(sys.argv[8]))
elif sys.argv[1] == "host":
    tell("", [m for m in map(mark, packets(sys.argv[2])) if m], int(sys.argv[3], 16))
else:
    wire(sys.argv[2], [(int(a.split("=")[0]), int(a.split("=")[1], 16)) for a in sys.argv[3:]])
