#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traffic whose loss, order and content can be proved: TCP hides loss, ping hides order, iperf3 looks at no content.

    seq.py recv  --bind ADDR --port P --count N [--idle S] [--wait S]
    seq.py send  --to ADDR --port P --count N [--interval MS] [--size OCTETS] [--bind ADDR] [--sport P]
                 [--gso N] [--flows N]
    seq.py sink  --bind ADDR --port P                   one TCP connection in, prints octets and SHA-256
    seq.py blast --to ADDR --port P --octets N [--bind ADDR] [--seconds S]

recv prints "ready" when it listens and one JSON object at the end: received, unique, lost, duplicates, reordered,
corrupt, max_gap_ms, first_ms (send to receive of the first datagram), flows. It ends when all N have arrived, or nothing
came for --idle seconds after the first (--wait seconds before it). send prints {"sent": N, "seconds": S}.

A datagram: "XTRS", flow (16 bit), sequence number (32), send time in ns (64), then octets that follow from the sequence number.
--gso N hands N datagrams at a time to the kernel as one (UDP_SEGMENT). --flows uses that many source ports in turn.
"""
import argparse
import hashlib
import json
import socket
import struct
import sys
import time

HEAD = struct.Struct("!4sHIQ")
MAGIC = b"XTRS"
SOL_UDP, UDP_SEGMENT = 17, 103
SO_RCVBUFFORCE = 33
PATTERN = bytes(range(256)) * 258


def family(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def datagram(flow, seq, size):
    head = HEAD.pack(MAGIC, flow, seq, time.monotonic_ns())
    return head + PATTERN[seq % 256:seq % 256 + size - HEAD.size]


def recv(a):
    s = socket.socket(family(a.bind), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    s.bind((a.bind, a.port))
    s.settimeout(a.wait)
    print("ready", flush=True)
    seen, flows = set(), set()
    received = duplicates = reordered = corrupt = 0
    highest, last, gap, first_ms = {}, None, 0.0, None
    while len(seen) < a.count:
        try:
            data = s.recv(65536)
        except socket.timeout:
            break
        now = time.monotonic_ns()
        s.settimeout(a.idle)
        if len(data) < HEAD.size or data[:4] != MAGIC:
            corrupt += 1
            continue
        _, flow, seq, sent = HEAD.unpack_from(data)
        received += 1
        if data[HEAD.size:] != PATTERN[seq % 256:seq % 256 + len(data) - HEAD.size]:
            corrupt += 1
        if seq in seen:
            duplicates += 1
        seen.add(seq)
        flows.add(flow)
        if seq < highest.get(flow, -1):
            reordered += 1
        highest[flow] = max(seq, highest.get(flow, -1))
        if first_ms is None:
            first_ms = (now - sent) / 1e6
        if last is not None:
            gap = max(gap, (now - last) / 1e6)
        last = now
    print(json.dumps({"received": received, "unique": len(seen), "lost": a.count - len(seen), "duplicates": duplicates,
                      "reordered": reordered, "corrupt": corrupt, "max_gap_ms": round(gap, 3),
                      "first_ms": None if first_ms is None else round(first_ms, 3), "flows": len(flows),
                      "missing": sorted(set(range(a.count)) - seen)[:20]}))


def open_sender(a, sport):
    s = socket.socket(family(a.to), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if a.bind or sport:
        s.bind((a.bind or ("::" if family(a.to) == socket.AF_INET6 else "0.0.0.0"), sport))
    s.connect((a.to, a.port))
    return s


def send(a):
    socks = [open_sender(a, a.sport + i if a.sport else 0) for i in range(a.flows)]
    start = time.monotonic()
    sent, refused, errors = 0, 0, set()
    for n, seq in enumerate(range(0, a.count, a.gso)):
        flow = n % a.flows
        due = start + n * a.interval / 1000
        while (left := due - time.monotonic()) > 0:
            time.sleep(left)
        batch = [datagram(flow, i, a.size) for i in range(seq, min(seq + a.gso, a.count))]
        anc = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", a.size))] if a.gso > 1 else []
        try:
            socks[flow].sendmsg(batch, anc)
            sent += len(batch)
        except OSError as e:  # an ICMP error of an earlier datagram, or no buffer: said, not hidden
            refused += len(batch)
            errors.add(e.strerror)
    print(json.dumps({"sent": sent, "refused": refused, "errors": sorted(errors),
                      "seconds": round(time.monotonic() - start, 3)}))


def sink(a):
    s = socket.socket(family(a.bind), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((a.bind, a.port))
    s.listen(1)
    s.settimeout(a.wait)
    print("ready", flush=True)
    c, _ = s.accept()
    c.settimeout(a.wait)
    digest, octets = hashlib.sha256(), 0
    while True:
        data = c.recv(1 << 20)
        if not data:
            break
        digest.update(data)
        octets += len(data)
    # Sent back over the same connection, so that the sender knows what arrived.
    line = json.dumps({"octets": octets, "sha256": digest.hexdigest()})
    c.sendall(line.encode())
    print(line)


def blast(a):
    c = socket.socket(family(a.to), socket.SOCK_STREAM)
    c.settimeout(a.seconds)
    if a.bind:
        c.bind((a.bind, 0))
    digest, start = hashlib.sha256(), time.monotonic()
    c.connect((a.to, a.port))
    connect_ms = (time.monotonic() - start) * 1000
    left = a.octets
    while left:
        data = PATTERN[left % 251:left % 251 + min(left, 60000)]
        c.sendall(data)
        digest.update(data)
        left -= len(data)
    c.shutdown(socket.SHUT_WR)
    answer = b""
    while True:
        data = c.recv(4096)
        if not data:
            break
        answer += data
    took = time.monotonic() - start
    got = json.loads(answer) if answer else {}
    same = got.get("octets") == a.octets and got.get("sha256") == digest.hexdigest()
    print(json.dumps({"same": same, "seconds": round(took, 3), "connect_ms": round(connect_ms, 3),
                      "mbit_s": round(a.octets * 8e-6 / took, 1)}))
    sys.exit(0 if same else 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["recv", "send", "sink", "blast"])
    p.add_argument("--bind", default="")
    p.add_argument("--to")
    p.add_argument("--port", type=int, default=5000)
    p.add_argument("--sport", type=int, default=0)
    p.add_argument("--count", type=int, default=20)
    p.add_argument("--interval", type=float, default=1.0, help="milliseconds between sends")
    p.add_argument("--size", type=int, default=200)
    p.add_argument("--gso", type=int, default=1)
    p.add_argument("--flows", type=int, default=1)
    p.add_argument("--idle", type=float, default=2.0)
    p.add_argument("--wait", type=float, default=10.0)
    p.add_argument("--octets", type=int, default=2_000_000)
    p.add_argument("--seconds", type=float, default=15.0)
    a = p.parse_args()
    if a.size < HEAD.size:
        p.error(f"--size is at least {HEAD.size}")
    {"recv": recv, "send": send, "sink": sink, "blast": blast}[a.what](a)


main()
