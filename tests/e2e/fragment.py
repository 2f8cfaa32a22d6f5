#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A stretch of underlay with narrow links and odd routers, and who abuses it.

  fragment.py path DEV MTU        makes a tun device; LISP data packets (UDP to 4341) routed into it go on in fragments of at
                                  most MTU octets, every fifth whole but with IPv4 options or an IPv6 extension header
  fragment.py flood SRC DST N     N LISP data packets in two fragments each, and N first fragments without the rest
  fragment.py toobig TO SRC DST MTU SPORT EID-SRC EID-DST
                                  an ICMP error to TO that says a LISP packet from SRC to DST was too big; UDP inside
"""
import fcntl
import ipaddress
import os
import signal
import socket
import struct
import sys

PORT = 4341
RAW = {4: socket.AF_INET, 6: socket.AF_INET6}
ident = 0


def raw(family):
    s = socket.socket(RAW[family], socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    return s


def csum(b):
    b += b"\0" * (len(b) & 1)
    n = sum(struct.unpack(">%dH" % (len(b) // 2), b))
    while n >> 16:
        n = (n & 0xFFFF) + (n >> 16)
    return ~n & 0xFFFF


def pieces4(p, size):
    """IPv4 packet p in fragments; size: largest IP packet."""
    global ident
    ident = ident % 65535 + 1
    body, step = p[20:], (size - 20) // 8 * 8
    for at in range(0, len(body), step):
        part = body[at : at + step]
        more = 0x2000 if at + step < len(body) else 0
        h = bytearray(p[:20])
        struct.pack_into(">HHH", h, 2, 20 + len(part), ident, more | at // 8)
        h[10:12] = b"\0\0"
        struct.pack_into(">H", h, 10, csum(bytes(h)))
        yield bytes(h) + part


def pieces6(p, size):
    global ident
    ident += 1
    body, step = p[40:], (size - 48) // 8 * 8
    for at in range(0, len(body), step):
        part = body[at : at + step]
        more = at + step < len(body)
        h = bytearray(p[:40])
        struct.pack_into(">HB", h, 4, 8 + len(part), 44)
        yield bytes(h) + struct.pack(">BBHI", p[6], 0, at | more, ident) + part


def odd(p):
    """The same packet with options: four no-operations; a hop-by-hop header with nothing but padding."""
    if p[0] >> 4 == 4:
        h = bytearray(p[:20] + b"\1\1\1\1")
        h[0] = 0x46
        struct.pack_into(">H", h, 2, len(p) + 4)
        h[10:12] = b"\0\0"
        struct.pack_into(">H", h, 10, csum(bytes(h)))
        return bytes(h) + p[20:]
    h = bytearray(p[:40])
    struct.pack_into(">HB", h, 4, len(p) - 40 + 8, 0)
    return bytes(h) + struct.pack(">BBBB4x", p[6], 0, 1, 4) + p[40:]


def path(dev, size):
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", dev.encode(), 0x1001))
    out = {4: raw(4), 6: raw(6)}
    print("ready", flush=True)
    n = 0
    while True:
        p = os.read(tun, 70000)
        v = p[0] >> 4
        if v not in out:
            continue
        l3 = 20 if v == 4 else 40
        to = (socket.inet_ntop(RAW[v], p[16:20] if v == 4 else p[24:40]), 0)
        if p[9 if v == 4 else 6] != 17 or struct.unpack_from(">H", p, l3 + 2)[0] != PORT:
            send = [p]
        else:
            n += 1
            send = [odd(p)] if n % 5 == 0 else (pieces4 if v == 4 else pieces6)(p, size)
        for one in send:
            try:
                out[v].sendto(one, to)
            except OSError:
                pass


def packed(a):
    return ipaddress.ip_address(a).packed


def ip(src, dst, proto, body):
    if ":" in src:
        return struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + packed(src) + packed(dst) + body
    h = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, proto, 0) + packed(src) + packed(dst))
    struct.pack_into(">H", h, 10, csum(bytes(h)))
    return bytes(h) + body


def lisp(src, dst, sport, inner):
    return ip(src, dst, 17, struct.pack(">HHHHII", sport, PORT, 16 + len(inner), 0, 0, 0) + inner)


def flood(src, dst, n):
    v = 6 if ":" in src else 4
    s = raw(v)
    p = lisp(src, dst, 50000, b"\x45" + b"\0" * 1199)
    for _ in range(n):
        for whole in (True, False):
            for one in list((pieces4 if v == 4 else pieces6)(p, 700))[: 2 if whole else 1]:
                try:
                    s.sendto(one, (dst, 0))
                except OSError:
                    pass
    print("sent", n)


def toobig(to, src, dst, mtu, sport, esrc, edst):
    v = 6 if ":" in src else 4
    quote = lisp(src, dst, sport, ip(esrc, edst, 17, struct.pack(">HHHH", 1000, 2000, 1408, 0) + b"\0" * 1400))[:500]
    # for an IPv6 quote the kernel computes the checksum: the socket is one of ICMPv6
    if v == 4:
        m = bytearray(struct.pack(">BBHHH", 3, 4, 0, 0, mtu) + quote)
        struct.pack_into(">H", m, 2, csum(bytes(m)))
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(bytes(m), (to, 0))
    else:
        m = struct.pack(">BBHI", 2, 0, 0, mtu) + quote
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6).sendto(m, (to, 0))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    a = sys.argv[2:]
    if sys.argv[1] == "path":
        path(a[0], int(a[1]))
    elif sys.argv[1] == "flood":
        flood(a[0], a[1], int(a[2]))
    else:
        toobig(a[0], a[1], a[2], int(a[3]), int(a[4]), a[5], a[6])
