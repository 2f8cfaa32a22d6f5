#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Malformed messages of every kind against a node with all roles (its process is the argument). Every message is counted as
received, and as a drop where nothing else can come of it."""
import random

from peer import *  # noqa: F403

N, N6, SECRET = "172.16.0.1", "2001:db8::1", b"odl secret"
OWN_SECRET = b"secret of n"
PROCESS = int(sys.argv[1])

v = Verdicts()
n = Daemon("n")
A, A6, SERVER, RESOLVER = Ear("f", "172.16.0.11"), Ear("f", "2001:db8::11"), Ear("f",
        "172.16.0.13"), Ear("f", "172.16.0.14")
A_any = Ear("f", "172.16.0.11", 0)
HOST = Ear("n", "20.1.0.1", 0)
rng = random.Random(4342)
TYPES = {1: "map-request", 2: "map-reply", 3: "map-register", 4: "map-notify", 5: "map-notify-ack",
        7: "info", 8: "ecm"}
L1 = [loc("172.16.0.11")]


def memory():
    with open("/proc/%d/status" % PROCESS, encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))


def pour(messages, ear=None):
    """Sends them, in portions the socket of a slow build can hold, and gives what the counters say when all have been read."""
    before = now = n.control()
    for at in range(0, len(messages), 2000):
        part = messages[at:at + 2000]
        for i, m in enumerate(part):
            e = ear or (A6 if i % 2 else A)
            e.send(N6 if ":" in e.addr else N, m)
        now = until(20, lambda: (c := n.control())["rx"] - before["rx"] >= at + len(part) and
                c) or n.control()
    return collections.Counter({k: now[k] - before[k] for k in now})


def drops(d):
    return sum(d[k] for k in d if k.startswith("drop-"))


def outcomes(d):
    """What became of messages: each has to end as one of these."""
    return drops(d) + sum(d[k] for k in ("register-accepted", "tx-map-reply",
            "tx-forwarded-request", "tx-map-notify-ack", "tx-failed"))


def accounted(what, messages, d, all_dropped=True):
    """Received = sent; each of its type; each dropped exactly once, or (a message can be partly refused) with some outcome."""
    v.same(what + ": every message was received and counted", d["rx"], len(messages))
    inside = d["rx-map-request"] - sum(1 for m in messages if m and m[0] >> 4 == REQUEST)
    want = {t: sum(1 for m in messages if m and m[0] >> 4 == k) for k, t in TYPES.items()}
    got = {t: d["rx-" + t] - (inside if t == "map-request" else 0) for t in TYPES.values()}
    v.same(what + ": ... by its type", got, want)
    v.ok(what + ": ... Map-Requests out of ECMs besides", 0 <= inside <= d["rx-ecm"],
            (inside, d["rx-ecm"]))
    if all_dropped:
        v.same(what + ": ... and as one drop each", (drops(d), d["register-accepted"],
                d["tx-map-reply"]), (len(messages), 0, 0))
    else:
        v.ok(what + ": ... and none vanished", outcomes(d) >= len(messages),
                (outcomes(d), len(messages)))


def valid():
    """One of each, well-formed."""
    rec = record("20.9.1.0", 24, [loc("172.16.0.11"),
            loc(afi_list(name("tor"), ip("172.16.0.12")))])
    six = record("fd09:0:0:1::", 64, [loc("2001:db8::11")])
    ids = bytes(range(24))
    q = request(77, [("20.9.1.1", 32)], ["172.16.0.11", "2001:db8::11"],
            src=iid(3, ip("20.66.0.1")))
    return {
        "request": q,
        "request-m": request(78, [("20.9.1.1", 32)], ["172.16.0.11"], flags="M", attached=rec),
        "request-i": request(79, [(iid(7, ip("20.9.1.1")), 32)], ["172.16.0.11"], flags="I",
        ids=ids),
        "reply": reply(80, [rec, six]),
        "reply-s": reply(81, [rec], flags="S", tail=struct.pack("!IHHHH", 1 << 24, 4, 2, 20, 2) +
        bytes(16)),
        "register": register(1 << 40, [rec, six], SECRET, flags="M"),
        "register-i": register(1 << 41, [rec], b"oor secret", key_id=1, alg=2, flags="MI", ids=ids),
        "notify": signed(NOTIFY, 1 << 42, [rec], OWN_SECRET, alg=2),
        "ack": signed(ACK, 5, [rec], SECRET),
        "info": info_request(82, eid=ip("20.9.1.0"), mask=24, auth_len=20),
        "info-reply": b"\x78" + info_request(83)[1:-2] + lcaf(7, struct.pack("!HH", 4342, 4342) +
        ip("172.16.0.1") + ip(N) + NONE + NONE),
        "ecm": ecm("172.16.0.11", "20.9.1.1", 4342, q),
        "ecm6": ecm("2001:db8::11", "fd09:0:0:1::1", 4342, q),
        "ecm-s": ecm("172.16.0.11", "20.9.1.1", 4342, q, word=0x08000000,
                     auth=struct.pack("!BBHHBB", 1, 0, 2, 24, 0, 1) + bytes(24) + struct.pack("!HH",
                     4, 2)),
    }


def evil_addresses():
    """Octets in the place of an address."""
    deep = ip("172.16.0.11")
    for i in range(100):
        deep = (afi_list, lambda a: iid(1, a), lambda a: lcaf(12, bytes(4) + a + a[:0] + NONE),
                lambda a: js("{}", a))[i % 4](deep)
    yield deep
    yield afi_list(*[afi_list(*[afi_list() for _ in range(16)]) for _ in range(16)])
    yield lcaf(1, b"", length=0xffff)
    yield lcaf(1, ip("172.16.0.11"), length=5)
    yield lcaf(1, ip("172.16.0.11"), length=7)
    yield afi_list(*[NONE] * 300)
    yield afi_list(*[ip("172.16.0.11")] * 17)
    yield iid(1, iid(2, iid(3, ip("172.16.0.11"))))
    yield lcaf(2, b"\0\0\0\1")
    yield lcaf(2, b"\0\0\0")
    yield iid(0xffffffff, NONE, 255)
    yield name("x" * 300)
    yield name("")
    yield b"\0\x11" + b"no end" * 20
    yield lcaf(14, struct.pack("!H", 0xffff) + b"{}")
    yield lcaf(14, struct.pack("!H", 5000) + b"x" * 5000)
    yield elp(*[("172.16.0.11", 7)] * 17)
    yield rle(*[("172.16.0.11", 255)] * 600)
    yield lcaf(10, b"\0")
    yield lcaf(13, bytes(5))
    yield lcaf(11, b"\xff\0\0\0" + b"\xff\xff" * 40)
    yield lcaf(11, b"\0\0\0\0" + ip("172.16.0.11"))
    yield lcaf(7, bytes(4) + NONE * 3 + ip("172.16.0.9") * 40)
    yield lcaf(9, bytes(6) + b"\xff\xff" + ip("172.16.0.11") + ip("224.0.0.1"))
    yield lcaf(9, bytes(6) + b"\x20\x20" + ip("172.16.0.11") + ip("ff02::1"))
    yield lcaf(12, b"\0\0\x21\x21" + ip("172.16.0.11") * 2)
    yield lcaf(5, b"\xff" * 12 + NONE)
    yield geo_draft()[:-2]
    yield lcaf(5, geo_draft(ip("172.16.0.11"))[8:-1])
    yield rle_named(("172.16.0.11", 0, "x" * 255), ("172.16.0.12", 0, "no end"))[:-1]
    yield lcaf(13, struct.pack("!HBB", 0, 0, 0) + ip("172.16.0.11") + name("a") * 40)
    yield lcaf(6, b"\xff" * 40)
    yield lcaf(255, b"\0\0\0\x09" + bytes(3))
    yield lcaf(0, b"not empty")
    yield lcaf(200, bytes(20000))
    yield b"\x40\x03"
    yield b"\xff\xff"
    yield mac("02:00:00:00:00:01")[:5]


def signed_short(kind, tail, alg=1, secret=SECRET, count=1, length=None):
    """A signed message whose records are any octets."""
    return signed(kind, random64(), [tail], secret, alg=alg, count=count, length=length)


def crashers():
    """Messages that brought one or another implementation down, or would."""
    out = [b"", b"\0", bytes(4)]
    for t in range(16):
        out += [bytes([t << 4]), bytes([t << 4, 0, 0, 0]), bytes([t << 4 | 15, 255, 255, 255]),
                bytes([t << 4, 0, 0, 255]) + bytes(8),
                bytes([t << 4, 0, 0, 255]) + bytes(60), bytes([t << 4 | 15]) + b"\xff" * 1399]
    head = struct.pack("!IQ", REGISTER << 28 | 0x101, 9)
    for n_, have in ((65535, 0), (65535, 1400), (21, 20), (64, 63), (65, 65), (20, 19), (0, 0)):
        out.append(head + struct.pack("!BBH", 0, 1, n_) + bytes(have))
    for kind in (REGISTER, NOTIFY, ACK):
        for count in (0, 1, 2, 255):
            out.append(signed_short(kind, b"", count=count))
            out.append(signed_short(kind, record("20.9.1.0", 24, L1)[:-1], count=count))
        out.append(signed_short(kind, record("20.9.1.0", 24, L1, count=255)))
        out.append(signed_short(kind, record("20.9.1.0", 255, L1)))
        out.append(signed_short(kind, record("20.9.1.0", 24, L1) + bytes(7)))
    q = valid()["request"]
    out.append(q[:3] + b"\xff" + q[4:])
    out.append(q[:2] + b"\x1f" + q[3:])
    once = ecm("172.16.0.11", "20.9.1.1", 4342, q)
    twice = once
    for _ in range(30):
        twice = ecm("172.16.0.11", "20.9.1.1", 4342, twice)
    out += [twice, ecm("172.16.0.11", "20.9.1.1", 4342, once), ecm("172.16.0.11", "20.9.1.1", 4342,
            b""), once[:4],
            once[:4] + b"\x4f" + once[5:], once[:4] + b"\x40" + once[5:], once[:4] + b"\x60" +
            once[5:], once[:4] + b"\0" + once[5:],
            once[:6] + b"\xff\xff" + once[8:], once[:6] + b"\0\0" + once[8:], once[:28] + b"\0\0" +
            once[30:], once[:28] + b"\xff\xff" + once[30:],
            once[:10] + b"\x20\0" + once[12:], once[:13] + b"\x06" + once[14:],
            struct.pack("!I", ECM << 28 | 0x08000000) + b"\1\0\0\2\xff\xff", struct.pack("!I",
            ECM << 28 | 0x08000000) + b"\2" + b"\xff" * 40,
            struct.pack("!I", ECM << 28 | 0x08000000) + struct.pack("!BBHHBB", 1, 0, 2, 24, 0, 1) +
            bytes(24) + b"\0\0\0\2"]
    out += [b"\x70\0\0\0" + bytes(8) + b"\0\0\xff\xff", b"\x78\0\0\0" + bytes(18) +
            lcaf(7, bytes(4)), b"\x78\0\0\0" + bytes(18) + lcaf(7, b"\0" * 16 + b"\x40\3" * 400)]
    return out


def evil_messages():
    """Every evil address in every place of a message that has addresses; signed ones with a right MAC."""
    for a in evil_addresses():
        yield request(90, [("20.9.1.1", 32)], ["172.16.0.11"], src=a)
        yield request(91, [("20.9.1.1", 32)], [a])
        yield request(92, [(a, 32)], ["172.16.0.11"])
        yield ecm("172.16.0.11", "20.9.1.1", 4342, request(93, [(a, 0)], ["172.16.0.11"]))
        for rec in (record(a, 24, L1), record("20.9.1.0", 24, [loc(a)])):
            yield reply(94, [rec])
            yield signed_short(REGISTER, rec)
            yield signed_short(ACK, rec)
            yield request(95, [("20.9.1.1", 32)], ["172.16.0.11"], flags="M", attached=rec)
        yield b"\x70\0\0\0" + bytes(8) + bytes(10) + a + NONE


def off_by_one():
    """Every octet of every valid message one more and one less, those with a MAC signed again."""
    for what, m in valid().items():
        for i in range(len(m)):
            for step in (1, 255):
                x = m[:i] + bytes([(m[i] + step) & 255]) + m[i + 1:]
                kind, alg, length = x[0] >> 4, x[13] if len(x) > 13 else 0, len(x)
                if kind in SALT and alg in (1, 2):
                    size = struct.unpack_from("!H", x, 14)[0]
                    if 16 + size <= length:
                        secret = OWN_SECRET if what == "notify" else b"oor secret" if what == "register-i" else SECRET
                        nonce, = struct.unpack_from("!Q", x, 4)
                        x = x[:16] + mac_of(kind, alg, nonce, secret, x[:16] + bytes(size) +
                                x[16 + size:])[:size].ljust(size, b"\0") + x[16 + size:]
                yield x


def control_storm():
    cut = [m[:i] for m in valid().values() for i in range(len(m))]
    d = pour(cut)
    accounted("truncated at each octet", cut, d)
    bad = crashers()
    accounted("known crashers", bad, pour(bad))
    evil = list(evil_messages())
    accounted("evil addresses in every place", evil, pour(evil), False)
    evil = list(off_by_one())
    accounted("every octet off by one", evil, pour(evil), False)
    d = pour([signed(NOTIFY, random64(), [record(a, 24, L1)], OWN_SECRET, alg=2)
            for a in evil_addresses()] +
             [signed(NOTIFY, random64(), [record("20.1.0.0", 24, [loc(a)])], OWN_SECRET, alg=2)
             for a in evil_addresses()], SERVER)
    v.same("authentic but malformed Map-Notify", d["rx"], 2 * len(list(evil_addresses())))
    RESOLVER.drain()
    eid = "20.99.%d.1" % rng.randrange(256)
    HOST.send(eid, b"x", 9)
    nonce = read_request(RESOLVER.find(lambda m, a, p: (e := read_ecm(m)).dst == eid and
            e).msg).nonce
    d = pour([reply(nonce, [record(a, 24, L1), record("20.99.0.0", 24, L1)])
            for a in evil_addresses() if a[4:5] != b"\x02"] +
             [reply(nonce, [record("20.99.0.0", 24, L1, count=2)]),
             reply(nonce, [record("20.99.0.0", 24, L1)], count=255)], RESOLVER)
    v.ok("malformed Map-Replies with a right nonce", drops(d) > 10, d)
    sizes = [rng.choice((4, 12, 16, 28, 36, 44, 60, 100, 300, 1400)) for _ in range(20000)]
    noise = [rng.randbytes(s + rng.randrange(4)) for s in sizes]
    d = pour(noise)
    accounted("20000 random messages", noise, d)


def data_drops():
    d = collections.Counter(n.ask("stats", "drops", "all"))
    return sum(d[k] for k in d if k.startswith("decap-")), d


def data_storm():
    """To port 4341: everything of the control storm, noise, and LISP headers before noise."""
    sent = [m for m in crashers() + list(evil_messages())[:200] if len(m) < 1400]
    sent += [rng.randbytes(rng.randrange(200)) for _ in range(10000)]
    sent += [lisp(rng.choice(("", "N", "NLE", "I", "V", "R", "L"))) + b"\x45" +
            rng.randbytes(rng.randrange(19, 100)) for _ in range(5000)]
    sent += [lisp() + packet("20.160.0.1", "20.1.0.1", 17, rng.randbytes(60))[:i]
            for i in range(80)]
    sent += [lisp() + packet("fd60::1", "fd01::1", 17, rng.randbytes(60))[:i] for i in range(100)]
    before, was = data_drops()
    for i, m in enumerate(sent):
        e = A6 if i % 2 else A
        e.send(N6 if i % 2 else N, m, DATA)
    count, now = until(10, lambda: (c := data_drops())[0] - before >= len(sent) and
            c) or data_drops()
    v.same("%d malformed data packets: every one is a counted drop" % len(sent), count - before,
            len(sent))
    v.ok("... of several reasons", sum(1 for k in now if now[k] != was[k]) >= 4, now)


def serves():
    nonce = random64()
    SERVER.drain(), A.drain(), A_any.drain()
    A.send(N, register(nonce, [record("20.9.200.0", 24, L1)], SECRET, flags="MP"))
    r = A.find(lambda m, a, p: m[0] >> 4 == NOTIFY and read_signed(m, SECRET))
    v.same("afterwards: a registration", r and (r.nonce, [x.eid for x in r.records]),
            (nonce, ["20.9.200.0/24"]))
    for what, eid, want in (("the Map-Server", "20.9.200.1", "20.9.200.0/24"),
            ("the ETR", "20.1.0.9", "20.1.0.0/24")):
        A_any.drain()
        nonce = random64()
        A_any.send(N, ecm("172.16.0.11", eid, A_any.port, request(nonce, [(eid, 32)],
                ["172.16.0.11"])))
        r = A_any.find(lambda m, a, p: read_reply(m))
        v.same("afterwards: %s answers" % what, r and (r.nonce, [x.eid for x in r.records]),
                (nonce, [want]))
    RESOLVER.drain()
    HOST.send("20.98.0.1", b"x", 9)
    q = RESOLVER.find(lambda m, a, p: (e := read_ecm(m)).dst == "20.98.0.1" and e)
    v.ok("afterwards: the ITR asks", q, "")
    A.send(N, lisp() + packet("20.160.0.1", "20.1.0.1", 17, udp("20.160.0.1", "20.1.0.1", 9,
            HOST.port, b"data")), DATA)
    v.same("afterwards: data arrives", HOST.recv()[0], b"data")


def storm_twice():
    control_storm()
    data_storm()
    first = memory()
    global v
    keep, v = v, Verdicts()
    silent = os.dup(1)
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, 1)
    try:
        control_storm()
        data_storm()
    finally:
        os.dup2(silent, 1)
        keep.ok("the same storm again", not v.failed, "%d verdicts were not met" % v.failed)
        v = keep
    second = memory()
    v.ok("the second storm takes no more memory than the first", second - first < 4096,
            "%d kB, then %d kB" % (first, second))


v.run("storm", storm_twice)
v.run("serves", serves)
v.end()
