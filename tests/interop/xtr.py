#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Our xTR x1 between a foreign Map-Server (172.16.0.13), a foreign Map-Resolver (172.16.0.14) and foreign ETRs.
RFC 9301 5.3-5.7, 6.1, 8.1, 8.2."""
from peer import *  # noqa: F403

X1, X1_6, MS = "172.16.0.2", "2001:db8::2", "172.16.0.1"
SECRET = b"secret of x1"
RLOCS = [X1, X1_6]

v = Verdicts()
x1 = Daemon("x1")
SERVER, RESOLVER, ETR = Ear("f", "172.16.0.13"), Ear("f", "172.16.0.14"), Ear("f", "172.16.0.12")
STRANGER = Ear("f", "172.16.0.15", 0)
HOST = Ear("x1", "20.1.0.1", 0)
HOST6 = Ear("x1", "fd01::1", 0)


# ---- our ETR registers

def heard(timeout=5):
    """The next Map-Register, read and verified."""
    m, a, p = SERVER.recv(timeout)
    if m is None:
        raise Bad("no Map-Register")
    r = read_signed(m, SECRET)
    if r.kind == REGISTER and (a, p) != (X1, CONTROL):
        raise Bad("Map-Register from %s port %d" % (a, p))
    return r


def latest():
    """What is sent from now on: of older ones only the last few can still be acknowledged."""
    SERVER.drain()
    return heard()


def confirm(nonce, records, frm=None, **more):
    more = {"key_id": 1, "alg": 2, **more}
    (frm or SERVER).send(X1, signed(NOTIFY, nonce, records, more.pop("secret", SECRET), **more))


def acked():
    return [d["eid"] for d in x1.ask("eid", "show") if d["acked"]]


OURS = [record("20.1.0.0", 24, [loc(X1), loc(X1_6)]), record("fd01::", 64, [loc(X1), loc(X1_6)])]
BOTH = ["20.1.0.0/24", "fd01::/64"]


def registers():
    SERVER.drain()
    first, second = heard(), heard()
    v.same("Map-Register: key ID, algorithm, MAC", (first.key_id, first.alg, first.mac_len),
            (1, 2, 32))
    v.same("... our EID-prefixes, authoritative, with both locators, local and reachable",
           [(r.eid, r.ttl, r.A, [(x.addr, x.L, x.R) for x in r.locs]) for r in first.records],
           [(e, 1440, True, [(X1, True, True), (X1_6, True, True)]) for e in BOTH])
    v.ok("... M and I bits, xTR-ID, Site-ID 7", {"M", "I"} <= set(first.flags) and first.ids[16:]
            == bytes(7) + b"\7" and
         any(first.ids[:16]), first)
    v.ok("... unanswered it comes again with a greater nonce (RFC 9301 5.6)",
            second.nonce > first.nonce and
         second.records == first.records, (first.nonce, second.nonce))
    v.same("... and is not shown as acknowledged", acked(), [])


def acknowledgements():
    before = x1.control()
    r = latest()
    confirm(r.nonce, OURS, secret=b"other")
    confirm(r.nonce, OURS, alg=1, secret=SECRET)
    confirm(r.nonce, OURS, key_id=2)
    confirm(r.nonce, [], alg=0)
    v.same("a Map-Notify with a wrong MAC, algorithm or key ID, or without",
            until(3, lambda: x1.control()["drop-authentication"] -
                                                                            before["drop-authentication"] == 4) and acked(), [])
    confirm(random64() | 1 << 63, OURS, frm=STRANGER)
    v.same("a Map-Notify nobody waits for, from a stranger",
            until(3, lambda: x1.control()["drop-unknown-nonce"] -
                                                                   before["drop-unknown-nonce"]), 1)
    older = latest().nonce
    latest()
    confirm(older, OURS)
    v.same("a Map-Notify for the last but one Map-Register counts", until(3, acked), BOTH)
    for what, kw in (("with xTR-ID and Site-ID (I bit)", {"flags": "I", "ids": r.ids}),
            ("with the R bit of NAT-E", {"flags": "R"}),
                     ("with a MAC of 16 octets", {"length": 16}), ("with reserved bits set",
                     {"reserved": 0x03ffff00}),
                     ("from another address and port", {"frm": STRANGER})):
        r = latest()
        n = x1.ask("eid", "show")[0]["notifies"]
        confirm(r.nonce, OURS, **kw)
        v.ok("Map-Notify " + what, until(3, lambda: x1.ask("eid", "show")[0]["notifies"] == n + 1),
                x1.ask("eid", "show"))
    merged = [record("20.1.0.0", 24, [loc(X1), loc("172.16.0.99"),
            loc(afi_list(name("other"), ip("172.16.0.98"))), loc(X1_6)],
                     reserved=0xffff), OURS[1]]
    r = latest()
    confirm(r.nonce, merged)
    v.same("Map-Notify with the locators of other ETRs merged in", until(3, lambda: acked()
            == BOTH) and acked(), BOTH)
    r = latest()
    confirm(r.nonce, OURS[1:])
    v.same("Map-Notify without one of the EID-prefixes: that one is not registered",
            until(3, lambda: acked() == BOTH[1:]) and acked(), BOTH[1:])
    v.ok("... and people are told why", any(d["problem"] for d in x1.ask("eid", "show") if d["eid"]
            == BOTH[0]), "")
    r = latest()
    confirm(r.nonce, [record("20.1.0.0", 24, []), OURS[1]])
    v.same("... also when it comes without locators", until(3, lambda: acked() == BOTH[1:]) and
            acked(), BOTH[1:])
    r = latest()
    confirm(r.nonce, OURS)
    v.same("all well again", until(3, lambda: acked() == BOTH) and acked(), BOTH)


def unsolicited():
    base = 1 << 62

    def ack(nonce, **more):
        SERVER.drain()
        confirm(nonce, OURS[:1], **more)
        return SERVER.find(lambda m, a, p: (r := read_signed(m, SECRET)).kind == ACK and r.nonce == nonce
                and (a, p) == (X1, CONTROL) and r, 1)

    a = ack(base)
    v.ok("unsolicited Map-Notify: Map-Notify-Ack, same nonce and records, own MAC", a and a.nonce
            == base and
         [r.eid for r in a.records] == BOTH[:1] and (a.key_id, a.alg) == (1, 2), a)
    v.ok("... again, when it is repeated", ack(base), "")
    a = ack(base + 1, flags="I", ids=bytes(24))
    v.ok("... with xTR-ID and Site-ID", a and a.nonce == base + 1, a)
    a = ack(base + 2, length=16)
    v.ok("... with a MAC of 16 octets, answered by one of 16", a and a.mac_len == 16, a)
    a = ack(base + 3, reserved=0x03ffff00)
    v.ok("... with reserved bits set, answered with none", a and a.nonce == base + 3, a)
    r = latest()
    confirm(r.nonce, OURS)
    confirm(r.nonce, OURS)
    a = ack(base + 4)
    v.ok("an acknowledgement that comes twice does not hide it", r.nonce > base and a, a)
    for nonce in (base - 5, 1 << 63, 2):
        a = ack(nonce)
        v.ok("... nor does its nonce matter: others draw them at random", a and a.nonce == nonce, a)


# ---- our ITR asks

def miss(eid):
    """A packet of a host of ours, and the Map-Request it makes."""
    RESOLVER.drain()
    (HOST6 if ":" in eid else HOST).send(eid, b"first packet", 7777)
    return question()


def question(timeout=2):
    m, a, p = RESOLVER.recv(timeout)
    if m is None:
        raise Bad("no Map-Request")
    if (a, p) != (X1, CONTROL):
        raise Bad("Map-Request from %s port %d" % (a, p))
    e = read_ecm(m)
    return e, read_request(e.msg)


def tell(q, records, frm=None, nonce=None, **more):
    e, r = q
    (frm or ETR).send(X1, reply(r.nonce if nonce is None else nonce, records, **more), e.sport)


def entry(eid, iid_=0):
    return next((c for c in x1.ask("cache", "show") if c["eid"] == eid and c["iid"] == iid_), None)


def cached(eid):
    return until(3, lambda: entry(eid))


def usable(e):
    return [x["address"] for x in e["locators"] if x["usable"]] if e else None


def fresh():
    """Another EID-prefix each time: address in it, its first address."""
    fresh.n += 1
    return "20.%d.%d.1" % (20 + fresh.n // 200, fresh.n % 200), "20.%d.%d.0" % (20 + fresh.n // 200,
            fresh.n % 200)


fresh.n = 0
GOOD = [loc("172.16.0.12")]


def map_request():
    eid, net = fresh()
    e, r = q = miss(eid)
    v.same("ECM to the Map-Resolver: inner addresses and ports", (e.src in RLOCS, e.dst, e.sport,
            e.dport), (True, eid, CONTROL, CONTROL))
    v.same("Map-Request: no flags, Source-EID, our RLOCs, one record", (r.flags, r.src, r.rlocs,
            r.eids), ("", "20.1.0.1", RLOCS, [eid + "/32"]))
    e2, r2 = question()
    v.same("unanswered it is repeated, unchanged (RFC 9301 5.2)", r2.raw, r.raw)
    tell(q, [record(net, 24, GOOD)])
    v.same("answered", usable(cached(net + "/24")), ["172.16.0.12"])
    e, r = q = miss("fd20::1")
    v.same("IPv6 EID: inner IPv6, Source-EID", (e.dst, r.src, r.eids), ("fd20::1", "fd01::1",
            ["fd20::1/128"]))
    tell(q, [record("fd20::", 64, [loc("172.16.0.12"), loc("2001:db8::12")])])
    v.same("... answered", usable(cached("fd20::/64")), ["172.16.0.12", "2001:db8::12"])


def answers():
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, GOOD)], frm=STRANGER)
    v.same("from an address and port never asked", usable(cached(net + "/24")), ["172.16.0.12"])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, GOOD, reserved=0xffff)], reserved=0x01ffff00, flags="E")
    v.same("reserved bits and the E bit set", usable(cached(net + "/24")), ["172.16.0.12"])
    eid, net = fresh()
    tell(miss(eid), [record(eid, 24, GOOD)])
    v.same("host bits in the EID-prefix", usable(cached(net + "/24")), ["172.16.0.12"])
    eid, net = fresh()
    tell(miss(eid), [record("20.250.9.0", 24, GOOD), record(net, 28, [loc("172.16.0.16")]),
            record(net, 24, GOOD),
                     record(iid(9, ip(net)), 24, GOOD), record(mac("02:00:00:00:00:01"), 48, GOOD),
                     record(name("x"), 16, GOOD)])
    v.same("many records: the match", usable(cached(net + "/28")), ["172.16.0.16"])
    v.ok("... what is beside it is not cached", not entry("20.250.9.0/24") and not entry(net +
            "/24", 9), "")
    eid, net = fresh()
    host = net[:-1]
    tell(miss(host + "200"), [record(net, 24, GOOD), record(net, 26, [loc("172.16.0.16")])])
    v.same("... the more-specific ones inside it are (RFC 9301 5.5)", (usable(cached(net + "/24")),
            usable(cached(net + "/26"))),
           (["172.16.0.12"], ["172.16.0.16"]))
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc("2001:db8::12", 2), loc("172.16.0.14", 1, flags=L),
            loc("172.16.0.16", 255), loc("172.16.0.13", 2, 30),
                                      loc("172.16.0.12", 2, 70)])])
    v.same("unsorted locators, R = 0, priority 255: none of these is used",
            sorted(usable(cached(net + "/24"))),
           ["172.16.0.12", "172.16.0.13", "2001:db8::12"])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc(lcaf(200, b"new")), loc(js('{"a":1}')), loc(geo()),
            loc(elp(("172.16.0.11", 5))), loc(rle(("172.16.0.11", 0))),
                                      loc(afi_list(name("tor"), ip("172.16.0.13"))),
                                      loc("172.16.0.12")])])
    v.same("LCAF locators: those with an address are used, the rest is no harm",
            sorted(usable(cached(net + "/24"))), ["172.16.0.12", "172.16.0.13"])
    for path, want in (([("172.16.0.14", 0), ("172.16.0.12", 1)], ["172.16.0.14"]),
            ([("172.16.0.16", 4), ("127.0.0.1", 0), ("172.16.0.14", 3)], ["172.16.0.14"]),
            ([("172.16.0.16", 5), ("172.16.0.14", 0)], []),
            ([("172.16.0.15", 0), (X1, 0), ("172.16.0.14", 1)], ["172.16.0.14"]),
            ([("172.16.0.15", 0), (X1, 0)], [])):
        eid, net = fresh()
        tell(miss(eid), [record(net, 24, [loc(elp(*path))])])
        v.same("RFC 8060 4.6: an explicit locator path, its first hop: %s" % path, usable(cached(net + "/24")), want)
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc(afi_list(NONE, name("te"), elp(("172.16.0.14", 2), ("172.16.0.12", 0))))])])
    v.same("... in a list, as lispers.net has it", usable(cached(net + "/24")), ["172.16.0.14"])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc(geo_draft()), loc(rle_named(("172.16.0.11", 0, "tor"), ("172.16.0.14", 1, ""))),
            loc(afi_list(ip("172.16.0.13"), name("tor"), geo_draft())), loc("172.16.0.12")])])
    v.same("... as lispers.net has them: geo of the draft, names in a replication list",
            sorted(usable(cached(net + "/24"))), ["172.16.0.12", "172.16.0.13"])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc(lcaf(200, b"new"))])])
    v.same("only an unknown LCAF type: nothing to encapsulate to", usable(cached(net + "/24")), [])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc("127.0.0.1"), loc("224.0.0.9"), loc("0.0.0.0"),
            loc("255.255.255.255"), loc(X1), loc("::1"), loc("ff02::1"), loc("fe80::1"), loc("::ffff:172.16.0.13"),
                                      loc("172.16.0.12")])])
    v.same("locators that can be none: loopback, multicast, our own", usable(cached(net + "/24")),
            ["172.16.0.12"])
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [loc("2001:db8::1:%x" % i, 1 + i // 4) for i in range(200)])])
    v.same("a Map-Reply of 5.6 kB in fragments", len(usable(cached(net + "/24"))), 4)
    for ttl, want in ((0xffffffff, 1440 * 60), (0x7fffffff, 10080 * 60), (3, 180), (0x80000000 | 45, 45),
            (0x80000000, 60), (0xfffffffe, 10080 * 60)):
        eid, net = fresh()
        tell(miss(eid), [record(net, 24, GOOD, ttl=ttl)])
        e = cached(net + "/24")
        v.ok("TTL 0x%x" % ttl, e and want - 5 < e["ttl_left"] <= want, e)
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, GOOD)], flags="S", tail=struct.pack("!I", 1 << 24) +
            struct.pack("!HHHH", 4, 2, 20, 2) + bytes(16))
    v.same("with LISP-SEC data nobody asked for", usable(cached(net + "/24")), ["172.16.0.12"])


def refused_answers():
    cases = (
        ("drop-unknown-nonce", "a nonce nobody sent", {"nonce": 12345}, None),
        ("drop-reply-does-not-match", "P bit: no answer to this question", {"flags": "P"}, None),
        ("drop-reply-does-not-match", "no record", {}, []),
        ("drop-reply-does-not-match", "another EID", {}, [record("20.250.1.0", 24, GOOD)]),
        ("drop-reply-does-not-match", "another instance", {}, "iid"),
        ("drop-reply-overclaims", "a prefix of 7 bits", {}, [record("20.0.0.0", 7, GOOD)]),
        ("drop-unknown-afi", "an unknown AFI as locator", {},
        [record("20.250.1.0", 24, [loc(b"\x12\x34" + bytes(4))])]),
        ("drop-unknown-type", "a vendor LCAF (RFC 9306 4)", {},
        [record("20.250.1.0", 24, [loc(lcaf(255, bytes(8)))])]),
        ("drop-unknown-type", "an EID of an unknown LCAF type", {},
        [record(lcaf(200, b""), 24, GOOD)]),
        ("drop-malformed", "mask-len 33", {}, [record("20.250.1.0", 33, GOOD)]),
        ("drop-malformed", "Record Count 2, one there", {"count": 2}, None),
        ("drop-malformed", "Locator Count 2, one there", {}, [record("20.250.1.0", 24, GOOD,
        count=2)]),
        ("drop-malformed", "octets after it", {"tail": b"\0\0\0\0"}, None),
    )
    eid, net = fresh()
    q = miss(eid)
    good = [record(net, 24, GOOD)]
    for counter, what, kw, records in cases:
        before = x1.control()
        tell(q, good if records is None else [record(iid(5, ip(net)), 24, GOOD)] if records
                == "iid" else records, **kw)
        v.same("Map-Reply dropped: " + what,
                until(3, lambda: x1.control()[counter] - before[counter]), 1)
    v.ok("... none of them cancels the question", not entry(net + "/24"), "")
    tell(q, good)
    v.same("... which is answered at last", usable(cached(net + "/24")), ["172.16.0.12"])
    before = x1.control()
    tell(q, good)
    v.same("a second answer finds its nonce used up",
            until(3, lambda: x1.control()["drop-unknown-nonce"] - before["drop-unknown-nonce"]), 1)


ACTIONS = {0: "no-action", 1: "natively-forward", 2: "send-map-request", 3: "drop",
        4: "drop-policy", 5: "drop-auth", 6: "no-action", 7: "no-action"}


def asks_again(m, eid, q):
    """Is it about this EID, and no repetition?"""
    r = read_request(read_ecm(m).msg)
    return r.eids == [eid + "/32"] and r.nonce != q[1].nonce and r


def negative():
    for act, want in ACTIONS.items():
        eid, net = fresh()
        q = miss(eid)
        tell(q, [record(net, 24, [], act=act, ttl=15, a=False)])
        e = cached(net + "/24")
        v.ok("negative, ACT %d" % act, e and not e["locators"] and
                want.split("-")[0] in json.dumps(e), e)
        RESOLVER.drain()
        HOST.send(eid, b"again", 7777)
        if act == 2:
            q = question()
            v.same("... the next packet asks again", q[1].eids, [eid + "/32"])
            tell(q, [record(net, 24, GOOD)]) # or it is repeated in between the others
            cached(net + "/24")
        else:
            new = RESOLVER.find(lambda m, a, p: asks_again(m, eid, q), 0.05)
            v.same("... the next packet does not ask", new, None)
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, [], act=1, ttl=1, a=False)])
    v.ok("negative, 1 minute", cached(net + "/24")["ttl_left"] <= 60, "")
    eid, net = fresh()
    tell(miss(eid), [record(net, 24, GOOD)])
    cached(net + "/24")


def smr():
    """Both readings of RFC 9301 6.1, and the one for routers without EIDs."""
    for what, src, rec in (("Source-EID = what changed, record = ours (ODL, OOR)", 1, 0),
            ("no Source-EID, record = what changed", None, 1),
                           ("both = what changed", 1, 1),
                           ("Source-EID = an EID of the sender, record = what changed", 2, 1)):
        eid, net = fresh()
        tell(miss(eid), [record(net, 24, GOOD)])
        cached(net + "/24")
        RESOLVER.drain()
        sources = {None: NONE, 1: ip(net), 2: ip("20.251.0.1")}
        ETR.send(X1, request(random64(), [(net, 24) if rec else ("20.1.0.0", 24)], ["172.16.0.12"],
                src=sources[src], flags="SD"))
        e, r = q = question()
        v.same("SMR: " + what, (r.flags, r.eids), ("s", [net + "/24"]))
        tell(q, [record(net, 24, [loc("172.16.0.16")])])
        v.same("... the new locators are used", until(3, lambda: usable(entry(net + "/24"))
                == ["172.16.0.16"]), True)
    eid, net = fresh()
    before = x1.control()
    ETR.send(X1, request(random64(), [(net, 24)], ["172.16.0.12"], src=ip(net), flags="S"))
    v.same("SMR for what is not in the map-cache asks nothing",
            until(3, lambda: x1.control()["drop-smr"] - before["drop-smr"]), 1)


def forwarded():
    """The foreign Map-Resolver passes the question on to our Map-Server, whose ETR x2 answers x1 itself."""
    far = Ear("x2", "20.2.0.1", 7777)
    RESOLVER.drain()
    HOST.send("20.2.0.1", b"first packet", 7777)
    m, _, _ = RESOLVER.recv()
    STRANGER.send(MS, m)
    e = cached("20.2.0.0/24")
    v.same("through a foreign Map-Resolver, our Map-Server and our ETR", usable(e), ["172.16.0.3",
            "2001:db8::3"])
    v.same("... and the packet that waited arrives", far.recv()[0], b"first packet")


for case in (registers, acknowledgements, unsolicited, map_request, answers, refused_answers,
        negative, smr, forwarded):
    v.run(case.__name__, case)
v.end()
