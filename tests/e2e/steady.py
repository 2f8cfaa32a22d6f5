#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A TCP connection that something happens to: what arrives is looked at every ten milliseconds.

    steady.py PREFIX FROM TO ADDRESS SECONDS COMMAND...

PREFIX and the name of a node make the path of its network namespace. FROM sends to TO at 300 Mbit/s; after half
of the time COMMAND is run. Prints one JSON object: before (Mbit/s in the half second before it), after (Mbit/s from 100 to
400 ms after it), stall_ms (longest time without an octet, from just before it until 500 ms after), retransmits (of the whole
connection), spurious (of these, what the receiver had already), command_ms, wrong (octets that are not what was sent).
"""
import ctypes
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)
PACING, TCP_INFO = 47, 11
RATE = 37_500_000 # little enough for a busy machine, and still super-packets
BLOCK = bytes(range(256)) * 4096
TWICE = BLOCK * 2


def enter(path):
    fd = os.open(path, os.O_RDONLY)
    if LIBC.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns " + path)
    os.close(fd)


def receive(listener, out):
    c, _ = listener.accept()
    buf, seen, total, wrong = bytearray(1 << 20), [], 0, 0
    while n := c.recv_into(buf):
        seen.append((time.monotonic(), n))
        at = total % 256
        wrong += buf[:n] != TWICE[at:at + n]
        total += n
    os.write(out, json.dumps({"seen": seen, "total": total, "wrong": wrong}).encode())
    os._exit(0)


def main():
    prefix, frm, to, addr, seconds = sys.argv[1:6]
    command, seconds = sys.argv[6:], float(seconds)
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    enter(prefix + to)
    listener = socket.socket(family)
    listener.bind((addr, 0))
    listener.listen(1)
    r, w = os.pipe()
    if not os.fork():
        os.close(r)
        receive(listener, w)
    os.close(w)
    enter(prefix + frm)
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, PACING, RATE)
    s.settimeout(15)
    s.connect((addr, listener.getsockname()[1]))
    LIBC.setns(home, 0x40000000)
    start, times = time.monotonic(), []

    def happen():
        time.sleep(seconds / 2)
        times.append(time.monotonic())
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.monotonic())

    t = threading.Thread(target=happen)
    t.start()
    sent = 0
    while time.monotonic() - start < seconds:
        s.sendall(BLOCK[:65536])
        sent += 65536
    t.join()
    s.shutdown(socket.SHUT_WR)
    text = b""
    while data := os.read(r, 1 << 20):
        text += data
    info = s.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 256)
    got = json.loads(text)
    at, done = times
    seen = got["seen"]

    def mbit(a, b):
        return sum(n for when, n in seen if a <= when < b) * 8e-6 / (b - a)

    near = [at - 0.05] + [when for when, _ in seen if at - 0.05 < when < done + 0.5] + [done + 0.5]
    print(json.dumps({
        "before": round(mbit(at - 0.5, at)), "after": round(mbit(done + 0.1, done + 0.4)),
        "stall_ms": round(max(b - a for a, b in zip(near, near[1:])) * 1000, 1),
        # tcpi_total_retrans, tcpi_dsack_dups
        "retransmits": struct.unpack_from("=I", info, 100)[0], "spurious": struct.unpack_from("=I", info, 208)[0],
        "command_ms": round((done - at) * 1000, 1), "sent": sent, "lost": sent - got["total"],
        "wrong": got["wrong"]}))


main()
