#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""How long the daemon lets others wait: asks it a small question again and again over its control socket until it is told to stop
(SIGTERM), then prints {"asked": N, "longest_ms": X, "mean_ms": Y}.

ctl_latency.py SOCKET"""
import json
import signal
import socket
import sys
import time

stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rb")
took = []
print("ready", flush=True)
while not stopped or not took:
    at = time.monotonic()
    s.sendall(b'{"object":"config","command":"path"}\n')
    if not f.readline():
        break
    took.append(time.monotonic() - at)
    time.sleep(0.005)
print(json.dumps({"asked": len(took), "longest_ms": round(max(took) * 1000, 1), "mean_ms": round(sum(took) / len(took) * 1000, 2)}))
