#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Does multicast get from here to there? One receiver that joins (IGMPv3, MLDv2), one sender, nothing of LISP.

    mcast.py recv GROUP PORT IF [SECONDS]      prints "ready", then how many datagrams came and from whom
    mcast.py send GROUP PORT IF COUNT [TTL]    one every 20 ms
"""
import socket
import struct
import sys
import time


def main():
    what, group, port, ifname, n = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], float((sys.argv[5:] or ["3"])[0])
    six, index = ":" in group, socket.if_nametoindex(ifname)
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    if what == "send":
        ttl = int((sys.argv[6:] or ["8"])[0])
        if six:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), index))
        for i in range(int(n)):
            s.sendto(b"mcast %d" % i, (group, port))
            time.sleep(0.02)
        return
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((group, port))
    if six:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("i", index))
    else:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4si", socket.inet_aton(group), bytes(4), index))
    print("ready", flush=True)
    end, got, who = time.monotonic() + n, 0, set()
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            _, a = s.recvfrom(2048)
        except socket.timeout:
            break
        got += 1
        who.add(a[0])
    print(got, *sorted(who))


main()
