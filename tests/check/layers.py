#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The layers of the README, checked by reading #include lines. Prints one line per violation.

    daemon -> roles -> core -> codec -> util     the protocol: no I/O, no sockets, no BPF, no clock
    daemon -> loop, ctl, dp -> net -> util       the world (dp keeps its routes and templates by netlink)
    cli    -> codec, util, dp, ctl               (dp: its read-only view of the pins, which has one reader)
    everything -> headers/; headers -> nothing but <linux/types.h>; bpf -> headers only
"""
import os
import re
import sys

ALLOWED = {
    "util": {"util"},
    "codec": {"codec", "util"},
    "core": {"core", "codec", "util"},
    "roles": {"roles", "core", "codec", "util"},
    "net": {"net", "util"},
    "loop": {"loop", "util"},
    "dp": {"dp", "net", "util"},
    "ctl": {"ctl", "util"},
    "daemon": {"daemon", "roles", "core", "codec", "net", "loop", "dp", "ctl", "util"},
    "cli": {"cli", "codec", "util", "dp", "ctl"},
}
# The protocol column knows nothing of the world.
PURE = {"codec", "core", "roles"}
WORLD_HEADERS = re.compile(
    r"^(sys/(socket|epoll|select|poll|un|ioctl|time|timerfd|mman|stat)\.h|poll\.h|net/|netinet/|netdb\.h|arpa/|"
    r"linux/(bpf|if|netlink|rtnetlink|sockios)|bpf/|uv\.h|libmnl/|pthread\.h|time\.h|unistd\.h|fcntl\.h|dirent\.h|"
    r"signal\.h|yaml\.h|sys/capability\.h)")
WORLD_CALLS = re.compile(
    r"(?<![\w.>])(time|gettimeofday|clock_gettime|socket|sendto|sendmsg|recvfrom|recvmsg|open|fopen|read|write|close|"
    r"sleep|usleep|nanosleep|getrandom|rand|random|printf|system|fork)\s*\(")
HEAP_CALLS = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|strdup|strndup|asprintf|alloca)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def without_comments(text):
    """Comments and strings blanked, line numbers kept. Include lines are read from the original."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_file(path, rel, room):
    text = open(path, encoding="utf-8", errors="replace").read()
    for no, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        quoted, name = m.group(1) == '"', m.group(2)
        top = name.split("/")[0]
        if room == "headers":
            if name not in ("linux/types.h",) and os.path.basename(name) not in HEADERS:
                yield no, f"headers/ may include nothing but <linux/types.h> and itself, not {name}"
        elif room == "bpf":
            if quoted and top in ALLOWED:
                yield no, f"bpf/ may not include user space: {name}"
        else:
            if quoted and top in ALLOWED and top not in ALLOWED[room]:
                yield no, f"{room} may not include {name} (allowed: {', '.join(sorted(ALLOWED[room]))}, xtr)"
            if quoted and ".." in name:
                yield no, f"includes are written from user/: {name}"
            if not quoted and room in PURE and WORLD_HEADERS.match(name):
                yield no, f"{room} does no I/O and reads no clock: <{name}>"
    if room in PURE:
        for no, line in enumerate(without_comments(text).splitlines(), 1):
            m = WORLD_CALLS.search(line)
            if m and not re.match(r"^\s*(\w+\s+)*\(\*", line) and "(*" + m.group(1) not in line:
                yield no, f"{room} does no I/O and reads no clock: {m.group(1)}()"
            if room == "codec":
                m = HEAP_CALLS.search(line)
                if m:
                    yield no, f"codec allocates nothing: {m.group(1)}()"


def main(top):
    global HEADERS
    HEADERS = set()
    for _, _, names in os.walk(os.path.join(top, "headers")):
        HEADERS.update(names)
    seen = 0
    for base, room_of in (("user", None), ("bpf", "bpf"), ("headers", "headers")):
        for folder, _, names in os.walk(os.path.join(top, base)):
            for n in sorted(names):
                if not n.endswith((".c", ".h")):
                    continue
                path = os.path.join(folder, n)
                rel = os.path.relpath(path, top)
                room = room_of or rel.split("/")[1]
                seen += 1
                if room_of is None and room not in ALLOWED:
                    print(f"{rel}:1: user/{room} has no place in the layers yet: give it one in tests/check/layers.py")
                    continue
                for no, what in check_file(path, rel, room):
                    print(f"{rel}:{no}: {what}")
    if not seen:
        print(f"{top}: no sources found")


main(sys.argv[1])
