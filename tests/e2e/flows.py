#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many small transfers between network namespaces by one process: a matrix of a hundred needs no hundred programs.

    flows.py PREFIX < CASES > RESULTS

PREFIX and the name of a node make the path of its network namespace. A case is one line:

    udp FROM TO ADDRESS COUNT SIZE GSO     COUNT datagrams of SIZE octets, GSO at a time by UDP_SEGMENT (1: one by one)
    tcp FROM TO ADDRESS OCTETS [LOST]      one connection; so many segments may be lost in any case (before the path MTU is known)
    dev NODE INTERFACE                     prints the counters of an interface: "dev NODE IF rx-packets rx-octets tx-packets tx-octets"

and gives one line: "ok CASE: what was measured" or "bad CASE: why". Content is compared octet for octet: every datagram has to arrive
exactly once, as long as it was and with what was in it; of TCP the whole stream, with at most one segment in fifty lost (sent again,
and the receiver did not say that it had it already: veth pairs on two CPUs may change the order).
"""
import ctypes
import os
import select
import socket
import struct
import sys
import time

SOL_UDP, UDP_SEGMENT = 17, 103
SO_RCVBUFFORCE = 33
TCP_INFO = 11
LIBC = ctypes.CDLL(None, use_errno=True)
RUBBISH = os.urandom(1 << 20)
STREAM = RUBBISH * 3


def enter(node):
    fd = os.open(sys.argv[1] + node, os.O_RDONLY)
    if LIBC.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns " + node)
    os.close(fd)


def sock(node, addr, kind):
    enter(node)
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    return s


def payload(seq, size):
    at = seq * 4099 % (len(RUBBISH) - 70000)
    return struct.pack("!I", seq) + RUBBISH[at:at + size - 4]


def udp(frm, to, addr, count, size, gso):
    count, size, gso = int(count), int(size), int(gso)
    rx = sock(to, addr, socket.SOCK_DGRAM)
    rx.bind((addr, 0))
    tx = sock(frm, addr, socket.SOCK_DGRAM)
    tx.connect(rx.getsockname()[:2])
    if gso > 1:
        tx.setsockopt(SOL_UDP, UDP_SEGMENT, size)
    seen, bad, sent, start = {}, [], 0, time.monotonic()
    idle = start + 1.5

    def take(wait):
        nonlocal idle
        while select.select([rx], [], [], wait)[0]:
            data = rx.recv(70000)
            seq = struct.unpack_from("!I", data)[0] if len(data) > 3 else -1
            seen[seq] = seen.get(seq, 0) + 1
            if not 0 <= seq < count or data != payload(seq, size):
                bad.append(f"datagram {seq} of {len(data)} octets is not what was sent")
            wait, idle = 0, time.monotonic() + 1.5
    while sent < count:
        n = min(gso, count - sent)
        try:
            tx.send(b"".join(payload(i, size) for i in range(sent, sent + n)))
            sent += n
        except OSError as e: # told of a smaller path by ICMP: said to the application, which sends again
            if e.errno != 90:
                return f"send: {e}"
        take(0.0005)
    while len(seen) < count and time.monotonic() < idle:
        take(0.02)
    take(0.01)
    missing = [i for i in range(count) if i not in seen]
    twice = [i for i in seen if seen[i] > 1]
    if missing or twice or bad:
        return f"{len(missing)} of {count} lost ({missing[:5]}), {len(twice)} twice, {len(bad)} changed {bad[:1]}"
    return None, f"{count} datagrams in {(time.monotonic() - start) * 1e3:.0f} ms"


def tcp(frm, to, addr, octets, lost=0):
    octets = int(octets)
    lst = sock(to, addr, socket.SOCK_STREAM)
    lst.bind((addr, 0))
    lst.listen(1)
    tx = sock(frm, addr, socket.SOCK_STREAM)
    tx.settimeout(5)
    start = time.monotonic()
    tx.connect(lst.getsockname()[:2])
    lst.settimeout(5)
    rx = lst.accept()[0]
    for s in (tx, rx):
        s.setblocking(False)
    sent = got = 0
    last = first_mb = time.monotonic()
    while got < octets:
        r, w, _ = select.select([rx], [tx] if sent < octets else [], [], 5)
        if not r and not w:
            return f"nothing moves after {got} of {octets} octets"
        if w:
            at = sent % len(RUBBISH)
            sent += tx.send(memoryview(STREAM)[at:at + min(1 << 20, octets - sent)])
        if r:
            data = rx.recv(1 << 20)
            at = got % len(RUBBISH)
            if not data or data != STREAM[at:at + len(data)]:
                return f"content differs after {got} octets" if data else f"closed after {got} octets"
            if got < 1 << 20 <= got + len(data):
                first_mb = time.monotonic()
            got += len(data)
            last = time.monotonic()
        if last - start > 15:
            return f"{got} of {octets} octets in 15 s"
    info = tx.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 256)
    again, segs, needless = (struct.unpack_from("I", info, at)[0] for at in (100, 136, 216))
    what = f"{octets * 8e-6 / (last - start):.0f} Mbit/s, {again} of {segs} segments sent again, {needless} of them needlessly, " \
        f"first MiB in {(first_mb - start) * 1e3:.0f} ms"
    if (again - needless - int(lost)) * 50 > segs:
        return what
    return None, what


def dev(node, name):
    enter(node)
    for line in open("/proc/thread-self/net/dev"):
        if line.split(":")[0].strip() == name:
            f = line.split(":")[1].split()
            return None, f"{f[1]} {f[0]} {f[9]} {f[8]}"
    return "no such interface"


def main():
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        try:
            r = {"udp": udp, "tcp": tcp, "dev": dev}[words[0]](*words[1:])
        except OSError as e:
            r = str(e)
        if words[0] == "dev":
            print(" ".join(words), r[1] if isinstance(r, tuple) else r, flush=True)
        elif isinstance(r, tuple):
            print("ok", " ".join(words) + ":", r[1], flush=True)
        else:
            print("bad", " ".join(words) + ":", r, flush=True)


main()
