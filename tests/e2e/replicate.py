#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Numbered datagrams to a group, and who got which of them.

  replicate.py send GROUP IFACE COUNT RATE [FIRST]   from FIRST on, RATE a second
  replicate.py member GROUP IFACE                    a host: joins the group on IFACE
  replicate.py locators                              LISP data at port 4341, for each locator (as a router that only counts)

Receivers say "ready", and on SIGTERM, for each address they received at: "ADDRESS received=N missing=N twice=N first=N last=N";
missing: between the first and the last. What is no datagram of ours is told as "odd=N".
"""
import select
import signal
import socket
import struct
import sys
import time

PORT = 7777
MARK = b"replicate"


def family(group):
    return socket.AF_INET6 if ":" in group else socket.AF_INET


def send(group, iface, count, rate, first=0):
    s = socket.socket(family(group), socket.SOCK_DGRAM)
    index = socket.if_nametoindex(iface)
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 9)
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"\0" * 4, b"\0" * 4, index))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 9)
    begin = time.monotonic()
    for i in range(count):
        wait = begin + i / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        s.sendto(MARK + struct.pack("!I", first + i) + b"x" * 20, (group, PORT))
    print("sent", count)


class Seen:
    def __init__(self):
        self.at = {}
        self.odd = 0

    def add(self, address, payload):
        if payload[: len(MARK)] != MARK:
            self.odd += 1
            return
        n = struct.unpack_from("!I", payload, len(MARK))[0]
        d = self.at.setdefault(address, {})
        d[n] = d.get(n, 0) + 1

    def tell(self):
        for address, d in sorted(self.at.items()):
            lo, hi = min(d), max(d)
            print(f"{address} received={len(d)} missing={hi - lo + 1 - len(d)} twice={sum(v > 1 for v in d.values())} first={lo} last={hi}")
        print(f"odd={self.odd}", flush=True)


def receive(sockets, take):
    seen = Seen()
    ended = []
    signal.signal(signal.SIGTERM, lambda *a: ended.append(1))
    print("ready", flush=True)
    while True:
        got = False
        try:
            ready = select.select(sockets, [], [], 0.05)[0]
        except InterruptedError:
            ready = []
        for s in ready:
            for _ in range(64):
                try:
                    take(seen, s)
                    got = True
                except BlockingIOError:
                    break
        if ended and not got:
            break
    seen.tell()


def sized(s):
    s.setsockopt(socket.SOL_SOCKET, 33, 128 << 20)  # SO_RCVBUFFORCE
    s.setblocking(False)
    return s


def member(group, iface):
    s = sized(socket.socket(family(group), socket.SOCK_DGRAM))
    index = socket.if_nametoindex(iface)
    s.bind((group, PORT))
    if ":" in group:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("=i", index))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4si", socket.inet_aton(group), b"\0" * 4, index))
    receive([s], lambda seen, s: seen.add(group, s.recv(2048)))


def locators():
    v4 = sized(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    v4.bind(("0.0.0.0", 4341))
    v4.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
    v6 = sized(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    v6.setsockopt(socket.IPPROTO_UDP, 102, 1)  # UDP_NO_CHECK6_RX
    v6.bind(("::", 4341))
    v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def take(seen, s):
        data, anc, _, _ = s.recvmsg(2048, 256)
        info = anc[0][2]
        at = socket.inet_ntop(s.family, info[:16] if s.family == socket.AF_INET6 else info[8:12])
        if len(data) < 29:
            seen.odd += 1
            return
        seen.add(at, data[8 + (28 if data[8] >> 4 == 4 else 48) :])

    receive([v4, v6], take)


if sys.argv[1] == "send":
    send(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
elif sys.argv[1] == "member":
    member(*sys.argv[2:])
else:
    locators()
