#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Flows for routers, and what becomes of them.

    rss.py send IF DST-MAC SET...        sends the sets out of IF: one packet of each flow, raw; prints how many
    rss.py judge QUEUES SET... -- PCAP...  of each PCAP "queues N N N ...", LISP packets that belong into each receive queue; then verdicts on
                                         the outer headers of the sets' flows in all of them, as "ok NAME" or "not ok NAME - why"
    rss.py selftest                      that the judge would see it if the hash were bad

Sets: see SETS. The queue is that of a NIC: Toeplitz hash of the outer addresses and ports with the usual key.
"""
import hashlib
import ipaddress
import socket
import struct
import sys

KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
FLOWS = 1024


def shifted(i, octet):
    out = 0
    for b in range(8):
        if octet >> (7 - b) & 1:
            out ^= int.from_bytes(KEY, "big") >> (320 - 32 - i * 8 - b) & 0xffffffff
    return out


TABLE = [[shifted(i, octet) for octet in range(256)] for i in range(36)]


def toeplitz(data):
    out = 0
    for i, octet in enumerate(data):
        out ^= TABLE[i][octet]
    return out


def addr(text):
    return ipaddress.ip_address(text).packed


def csum(b):
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return ~n & 0xffff


def packet(src, dst, proto, body, frag=0, ident=0):
    if len(src) == 4:
        h = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), ident, frag, 64, proto, 0) + src + dst
        return h[:10] + struct.pack(">H", csum(h)) + h[12:] + body
    if frag or ident: # fragment header
        body = struct.pack(">BBHI", proto, 0, (frag & 0x1fff) << 3 | frag >> 13 & 1, ident) + body
        proto = 44
    return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + src + dst + body


def udp(src, dst, sport, dport, n=18):
    c = 0
    if len(src) == 16: # a checksum that is no unfinished one: XDP leaves those to TC
        head = src + dst + struct.pack(">IIHHH", 8 + n, 17, sport, dport, 8 + n) + bytes(n)
        c = csum(head) or 0xffff
    return struct.pack(">HHHH", sport, dport, 8 + n, c) + bytes(n)


def tcp(sport, dport):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 0x50, 0x10, 1000, 0x1234, 0)


def plus(a, n):
    return (int.from_bytes(a, "big") + n).to_bytes(len(a), "big")


def ports(src, dst):
    s, d = addr(src), addr(dst)
    return [packet(s, d, 17, udp(s, d, 10000 + i, 53)) for i in range(FLOWS)]


def tcps(src, dst):
    return [packet(addr(src), addr(dst), 6, tcp(32768 + i, 443)) for i in range(FLOWS)]


def hosts(src, dst):
    s, d = addr(src), addr(dst)
    return [packet(plus(s, i % 32), plus(d, i // 32), 17, udp(plus(s, i % 32), plus(d, i // 32), 5000, 5000)) for i in range(FLOWS)]


def pings(src, dst):
    s, d, p = addr(src), addr(dst), 1 if "." in src else 58
    return [packet(plus(s, i % 32), plus(d, i // 32), p, bytes(16)) for i in range(FLOWS)]


def fragments(src, dst):
    s, d, out = addr(src), addr(dst), []
    for i in range(256):
        for part in range(3): # first, middle, last
            frag = part * 3 | (0x2000 if part < 2 else 0)
            body = udp(s, plus(d, i), 7000 + i, 53, 16) if part == 0 else bytes(24)
            out.append(packet(s, plus(d, i), 17, body, frag, 1000 + i))
    return out


SETS = {
    "udp-ports-4": lambda: ports("10.1.0.130", "10.2.0.7"),
    "tcp-ports-4": lambda: tcps("10.1.0.130", "10.2.0.7"),
    "hosts-4": lambda: hosts("10.1.0.64", "10.2.0.0"),
    "pings-4": lambda: pings("10.1.0.64", "10.2.0.0"),
    "udp-ports-6": lambda: ports("fd01::1:1", "fd02::7"),
    "hosts-6": lambda: hosts("fd01::1:1", "fd02::1:0"),
    "udp-ports-4-in-6": lambda: ports("10.1.0.130", "10.6.0.7"),
    "udp-ports-6-in-6": lambda: ports("fd01::1:1", "fd06::7"),
    "udp-ports-4-two-locators": lambda: ports("10.1.0.130", "10.3.0.7"),
    "fragments-4": lambda: fragments("10.1.0.130", "10.2.1.0"),
    "fragments-6": lambda: fragments("fd01::1:1", "fd02::2:0"),
}


def send(dev, mac, names):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((dev, 0))
    s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20) # more room would only make bursts longer
    head, n = bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("020000000099"), 0
    for name in names:
        for p in SETS[name]():
            s.send(head + (b"\x08\x00" if p[0] >> 4 == 4 else b"\x86\xdd") + p)
            n += 1
    print(n)


def flow(p):
    """Of an inner packet: the addresses, the protocol, and the ports unless it is a fragment."""
    if p[0] >> 4 == 4:
        src, dst, proto, frag, l4 = p[12:16], p[16:20], p[9], struct.unpack_from(">H", p, 6)[0] & 0x3fff, p[20:24]
    else:
        src, dst, proto, frag, l4 = p[8:24], p[24:40], p[6], 0, p[40:44]
    return src, dst, proto, l4 if proto in (6, 17) and not frag else b""


def wire(path):
    """(inner flow, outer addresses and ports) of every LISP packet."""
    data, at = open(path, "rb").read(), 24
    while at + 16 <= len(data):
        n = struct.unpack_from("=4I", data, at)[2]
        f, at = data[at + 16:at + 16 + n], at + 16 + n
        if f[12:14] == b"\x08\x00":
            out, ip = f[26:38], 34
        elif f[12:14] == b"\x86\xdd":
            out, ip = f[22:58], 54
        else:
            continue
        if out[-2:] == struct.pack(">H", 4341):
            yield flow(f[ip + 16:]), out


def chi2(values, bins):
    """(sum, bound): above it the chance is less than one in a million that the values are even."""
    count = [0] * bins
    for v in values:
        count[v % bins] += 1
    mean, df = len(values) / bins, bins - 1
    # Wilson and Hilferty's approximation of the quantile at 4.75 sigma
    bound = df * (1 - 2 / (9 * df) + 4.75 * (2 / (9 * df)) ** 0.5) ** 3
    return sum((c - mean) ** 2 / mean for c in count), bound


def spread(name, outs, queues):
    """What is wrong with the outer headers of different flows, or None."""
    sports = [struct.unpack(">H", o[-4:-2])[0] for o in outs]
    if min(sports) < 49152:
        return f"{name}: source port {min(sports)} is none of the dynamic ones (RFC 6335 6)"
    n, room = len(outs), 16384
    expected = room * (1 - (1 - 1 / room) ** n)
    if len(set(sports)) < expected * 0.95:
        return f"{name}: {len(set(sports))} different source ports of {n} flows, not {expected:.0f}"
    for what, values, bins in ((f"{queues} receive queues", [toeplitz(o) & 127 for o in outs], queues),
                               ("the low bits of the port", sports, 16), ("its high bits", [s >> 10 for s in sports], 16),
                               ("port modulo 7", [s - 49152 for s in sports], 7)):
        got, bound = chi2(values, bins)
        if got > bound:
            return f"{name}: {n} flows are not spread evenly over {what}: chi-square {got:.0f}, bound {bound:.0f}"
    return None


def judge(queues, names, paths):
    table, seen = {}, {}
    for path in paths:
        count = [0] * queues
        for key, out in wire(path):
            count[(toeplitz(out) & 127) % queues] += 1
            table.setdefault(key, set()).add(out)
            seen[key] = seen.get(key, 0) + 1
        print("queues", *count)
    for name in names:
        judge_set(queues, name, len(paths), table, seen)


def judge_set(queues, name, ways, everything, seen):
    wanted = {}
    for p in SETS[name]():
        wanted[flow(p)] = wanted.get(flow(p), 0) + 1
    table = {k: everything[k] for k in wanted if k in everything}
    short = [k for k in wanted if seen.get(k, 0) != wanted[k] * ways]
    many = [k for k in table if len(table[k]) > 1]
    say(f"{name}: every packet of {len(wanted)} flows came, by each of {ways} ways", f"not {len(short)}" if short else None)
    say(f"{name}: a flow has one source port, whichever way", f"{len(many)} have several: {[o[-4:-2].hex() for o in table[many[0]]]}" if many else None)
    if not short:
        outs = [min(v) for v in table.values()]
        pairs = sorted({o[:-4] for o in outs})
        for i, pair in enumerate(pairs):
            what = f"{name}, locator {i + 1}" if len(pairs) > 1 else name
            say(f"{what}: source ports spread the flows", spread(what, [o for o in outs if o[:-4] == pair], queues))


def say(name, wrong):
    print(f"not ok {name} - {wrong}" if wrong else f"ok {name}")


def selftest():
    four = addr("66.9.149.187") + addr("161.142.100.80") + struct.pack(">HH", 2794, 1766)
    six = addr("3ffe:2501:200:1fff::7") + addr("3ffe:2501:200:3::1") + struct.pack(">HH", 2794, 1766)
    say("Toeplitz hash as published", None if (toeplitz(four), toeplitz(six)) == (0x51ccc178, 0x40207d3d) else
        f"{toeplitz(four):x} {toeplitz(six):x}")
    outs = lambda port: [addr("172.16.1.1") + addr("172.16.2.1") + struct.pack(">HH", port(i), 4341) for i in range(FLOWS)]
    good = [int.from_bytes(hashlib.sha256(b"%d" % i).digest()[:4], "big") for i in range(FLOWS)]
    say("a good hash passes", spread("good", outs(lambda i: 0xc000 | good[i] & 0x3fff), 8))
    for what, port in (("one port for all", lambda i: 0xc000), ("few ports", lambda i: 0xc000 | good[i] & 15),
                       ("ports outside", lambda i: good[i] & 0xffff), ("even ports", lambda i: 0xc000 | good[i] & 0x3ffe),
                       ("half of the range", lambda i: 0xc000 | good[i] & 0x1fff)):
        say(f"{what}: would be seen", None if spread(what, outs(port), 8) else "it was not")


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], sys.argv[4:])
    elif sys.argv[1] == "judge":
        split = sys.argv.index("--")
        judge(int(sys.argv[2]), sys.argv[3:split], sys.argv[split + 1:])
    else:
        selftest()


main()
