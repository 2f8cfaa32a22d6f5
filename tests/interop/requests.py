#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Foreign ITRs ask: our Map-Resolver by ECM, our Map-Server without, our ETR directly. Foreign ETRs are asked by our
Map-Server. RFC 9301 5.2-5.5, 5.8, 7.1, 8.2-8.4."""
from peer import *  # noqa: F403

MS, X2 = "172.16.0.1", "172.16.0.3"
SECRET = b"odl secret"

v = Verdicts()
ms, x2 = Daemon("ms"), Daemon("x2")
ITR, ITR6 = Ear("f", "172.16.0.11", 0), Ear("f", "2001:db8::11", 0)
ETR, ETR6, OTHER = Ear("f", "172.16.0.12"), Ear("f", "2001:db8::12"), Ear("f", "172.16.0.15", 0)


def answer(ear, nonce, frm=None):
    """The next message at the ear: a Map-Reply with this nonce, from port 4342."""
    m, a, p = ear.recv()
    if m is None:
        raise Bad("no Map-Reply")
    r = read_reply(m)
    if r.nonce != nonce or p != CONTROL or (frm and a != frm):
        raise Bad("%s from %s port %d" % (r, a, p))
    return r


def brief(r):
    return [(x.eid, x.ttl, x.act, x.A, [y.addr for y in x.locs]) for x in r.records]


def by_ecm(eids, rlocs=("172.16.0.11",), ear=None, to=MS, inner=None, sport=None, checksum=None,
        word=0, bad_sum=False, **more):
    """Sends and gives the nonce. eids: as request() takes them."""
    nonce, ear = random64(), ear or ITR
    first = eids[0][0]
    if inner is None:
        six = isinstance(first, str) and ":" in first
        inner = ("2001:db8::11" if six else "172.16.0.11", first if isinstance(first, str)
                else "20.9.1.1")
    ear.send(to, ecm(*inner, sport or ear.port, request(nonce, eids, list(rlocs), **more),
            checksum=checksum, word=word,
                     bad_sum=bad_sum))
    return nonce


def asked(what, want, ear=None, **more):
    nonce = by_ecm(ear=ear, **more)
    r = answer(ear or ITR, nonce, MS)
    return v.same(what, brief(r), want)


def dropped(what, send, counter, fence=None):
    """No answer, one drop for that reason; the next question is answered."""
    before = ms.control()
    send()
    nonce = by_ecm([("20.9.128.1", 32)])
    answer(ITR, nonce, MS)
    now = ms.control()
    v.same(what, {k: now[k] - before[k] for k in now if k.startswith("drop-") and now[k]
            != before[k]}, {counter: 1})


def register_all():
    """What is asked for: a proxied site, and one whose ETR answers itself."""
    for rec, flags in ((record("20.9.128.0", 24, [loc("172.16.0.12")]), "MP"),
                             (record("fd09:0:0:80::", 64, [loc("172.16.0.12"),
                             loc("2001:db8::12")]), "MP"),
                             (record(iid(100, ip("20.9.128.0")), 24, [loc("172.16.0.12")], ttl=33),
                             "MP"),
                             (record("20.9.129.0", 24, [loc("172.16.0.12"), loc("2001:db8::12")]),
                             "M"),
                             (record("20.9.130.0", 24, [loc("2001:db8:dead::1"),
                             loc("172.16.0.12")]), "M"),
                             (record("fd09:0:0:81::", 64, [loc("172.16.0.12")]), "M")):
        nonce = random64()
        ETR.send(MS, register(nonce, [rec], SECRET, flags=flags))
        if not ETR.find(lambda m, a, p: read_signed(m, SECRET).nonce == nonce):
            raise Bad("not registered")


PROXIED = [("20.9.128.0/24", 1440, 0, False, ["172.16.0.12"])]
PROXIED6 = [("fd09:0:0:80::/64", 1440, 0, False, ["172.16.0.12", "2001:db8::12"])]


def resolver():
    asked("ECM, reply to the inner source port at the ITR-RLOC", PROXIED, eids=[("20.9.128.1", 32)])
    asked("IPv6 EID, inner IPv6", PROXIED6, eids=[("fd09:0:0:80::1", 128)])
    asked("inner source is an EID of the ITR", PROXIED, eids=[("20.9.128.1", 32)],
            inner=("20.66.0.1", "20.9.128.1"))
    asked("Source-EID set", PROXIED, eids=[("20.9.128.1", 32)], src=ip("20.66.0.1"))
    asked("Source-EID in an instance", PROXIED, eids=[("20.9.128.1", 32)],
            src=iid(100, ip("20.66.0.1")))
    asked("Source-EID a name", PROXIED, eids=[("20.9.128.1", 32)], src=name("host-7"))
    asked("inner UDP checksum 0 over IPv4", PROXIED, eids=[("20.9.128.1", 32)], checksum=0)
    asked("inner UDP checksum 0 over IPv6", PROXIED6, eids=[("fd09:0:0:80::1", 128)], checksum=0)
    nonce = by_ecm([("20.9.128.1", 32)], ear=ITR6, to="2001:db8::1", rlocs=["2001:db8::11"])
    v.same("outer IPv6, ITR-RLOC IPv6", brief(answer(ITR6, nonce, "2001:db8::1")), PROXIED)
    nonce = by_ecm([("20.9.128.1", 32)], ear=ITR, to=MS, rlocs=["2001:db8::11"], sport=ITR6.port)
    v.same("asked over IPv4, answered over IPv6", brief(answer(ITR6, nonce, "2001:db8::1")),
            PROXIED)
    asked("reserved bits of ECM and Map-Request set", PROXIED, eids=[("20.9.128.1", 32)],
            word=0x00ffffff, reserved=0x002f8000)
    asked("ECM bits E and M", PROXIED, eids=[("20.9.128.1", 32)], word=0x03000000)
    asked("ECM bit D (DDT)", PROXIED, eids=[("20.9.128.1", 32)], word=0x04000000)
    asked("p bit (PITR) and s bit", PROXIED, eids=[("20.9.128.1", 32)], flags="ps")
    asked("L bit", PROXIED, eids=[("20.9.128.1", 32)], flags="L")
    asked("mapping of the ITR attached (M)", PROXIED, eids=[("20.9.128.1", 32)], flags="M",
          attached=record("20.66.0.0", 24, [loc("172.16.0.11")]))
    before = ms.control()
    by_ecm([("20.9.128.1", 32)], flags="I", ids=bytes(24), subscribe=True)
    answer(ITR, by_ecm([("20.9.128.1", 32)]), MS)
    now = ms.control()
    v.same("RFC 9437 5: subscription wanted (I, N): confirmed by a Map-Notify, not a Map-Reply",
            [now["tx-map-notify"] > before["tx-map-notify"], now["tx-map-reply"] - before["tx-map-reply"]],
            [True, 1]) # one or more: nobody acknowledges it, so it comes again
    asked("host bits in the EID asked for", PROXIED, eids=[("20.9.128.77", 24)])
    ETR.drain(), ETR6.drain()
    nonce = by_ecm([("20.9.128.1", 32), ("20.200.1.1", 32), ("20.9.129.1", 32), ("fd09:0:0:80::1", 128)])
    got = [brief(answer(ITR, nonce, MS)) for _ in range(3)]
    v.same("four records (RFC 9301 5.2): each gets the answer it would get alone", got,
            [PROXIED, [("20.128.0.0/9", 15, 1, False, [])], PROXIED6])
    m = ETR.recv(0.5)[0] or ETR6.recv(0.5)[0]
    r = read_request(read_ecm(m).msg)
    v.same("... and the ETR that is to answer itself gets its record", (r.nonce, r.eids), (nonce, ["20.9.129.1/32"]))
    asked("instance ID, IID mask-len 32", [("[100]20.9.128.0/24", 33, 0, False, ["172.16.0.12"])],
          eids=[(iid(100, ip("20.9.128.9"), 32), 32)])
    asked("instance ID, IID mask-len 0", [("[100]20.9.128.0/24", 33, 0, False, ["172.16.0.12"])],
          eids=[(iid(100, ip("20.9.128.9"), 0), 32)])


def itr_rlocs():
    good = "172.16.0.11"
    asked("several ITR-RLOCs, the first in a family without a route", PROXIED,
            eids=[("20.9.128.1", 32)],
          rlocs=["2001:db8:dead::1", good])
    asked("... also when the answer is negative", [("20.10.0.0/15", 15, 1, False, [])],
            eids=[("20.10.1.1", 32)], rlocs=["2001:db8:dead::1", good])
    asked("thirty-two ITR-RLOCs", PROXIED, eids=[("20.9.128.1", 32)], rlocs=[good] * 32)
    asked("ITR-RLOC of AFI 0 first", PROXIED, eids=[("20.9.128.1", 32)], rlocs=[NONE, good])
    asked("ITR-RLOC of an unknown LCAF type first", PROXIED, eids=[("20.9.128.1", 32)],
            rlocs=[lcaf(201, b"abc"), good])
    asked("ITR-RLOC in a key exchange (RFC 8061)", PROXIED, eids=[("20.9.128.1", 32)],
            rlocs=[keyed(ip(good))])
    asked("ITR-RLOC as AFI list with a name", PROXIED, eids=[("20.9.128.1", 32)],
            rlocs=[afi_list(name("itr"), ip(good))])
    asked("ITR-RLOC loopback first", PROXIED, eids=[("20.9.128.1", 32)], rlocs=["127.0.0.1",
            "224.0.0.1", good])
    dropped("no ITR-RLOC that can be used", lambda: by_ecm([("20.9.128.1", 32)],
            rlocs=["127.0.0.1"]), "drop-no-usable-itr-rloc")
    dropped("ITR-RLOC AFI 0 alone", lambda: by_ecm([("20.9.128.1", 32)], rlocs=[NONE]),
            "drop-malformed")


def negative():
    asked("not in the mapping system: ACT 1, 15 minutes", [("20.128.0.0/9", 15, 1, False, [])],
            eids=[("20.200.1.1", 32)])
    asked("in a site, not registered: 1 minute", [("20.9.192.0/19", 1, 1, False, [])],
            eids=[("20.9.200.1", 32)])
    asked("instance ID", [("[100]20.128.0.0/9", 15, 1, False, [])],
            eids=[(iid(100, ip("20.200.1.1")), 32)])
    asked("an instance nobody has", [("[77]0.0.0.0/0", 15, 1, False, [])],
            eids=[(iid(77, ip("20.200.1.1")), 32)])
    nonce = by_ecm([(mac("02:00:00:00:00:01"), 48)])
    r = answer(ITR, nonce).records[0]
    v.same("a MAC: negative", (r.ttl, r.act, r.locs), (15, 1, []))
    nonce = by_ecm([(name("host-1"), 56)])
    r = answer(ITR, nonce).records[0]
    v.same("a name: negative", (r.ttl, r.act, r.locs), (15, 1, []))
    dropped("an EID of an unknown LCAF type", lambda: by_ecm([(lcaf(200, b""), 32)]),
            "drop-unknown-type")
    dropped("an EID of an unknown AFI", lambda: by_ecm([(b"\x40\x08abcdef", 32)]),
            "drop-unknown-afi")


def refused():
    dropped("P bit in an ECM (RFC 9301 5.8)", lambda: by_ecm([("20.9.128.1", 32)], flags="P"),
            "drop-probe-in-mapping-system")
    dropped("S bit in an ECM", lambda: by_ecm([("20.9.128.1", 32)], flags="S"), "drop-smr")
    dropped("wrong inner UDP checksum", lambda: by_ecm([("20.9.128.1", 32)], checksum=0x1234),
            "drop-malformed")
    dropped("wrong inner IPv4 checksum", lambda: by_ecm([("20.9.128.1", 32)], bad_sum=True),
            "drop-malformed")
    q = request(random64(), [("20.9.128.1", 32)], ["172.16.0.11"])
    inner = ecm("172.16.0.11", "20.9.128.1", ITR.port, q)
    dropped("ECM in ECM", lambda: ITR.send(MS, ecm("172.16.0.11", "20.9.128.1", ITR.port, inner)),
            "drop-malformed")
    dropped("inner port 4341 (RFC 9301 5.8)", lambda: ITR.send(MS, ecm("172.16.0.11", "20.9.128.1",
            DATA, q)), "drop-malformed")
    dropped("Map-Register in an ECM (only behind NAT)", lambda: ITR.send(MS, ecm("172.16.0.11", MS,
            CONTROL, register(
        1, [record("20.9.130.0", 24, [loc("172.16.0.11")])], SECRET))), "drop-role-off")
    dropped("LISP-SEC wanted, which is not there", lambda: ITR.send(MS, ecm("172.16.0.11",
            "20.9.128.1", ITR.port, q, word=0x08000000,
            auth=struct.pack("!BBHHBB", 1, 0, 2, 24, 0, 1) + bytes(24) + struct.pack("!HH", 4, 2))),
            "drop-lisp-sec-wanted")
    dropped("octets after the last record", lambda: ITR.send(MS, ecm("172.16.0.11", "20.9.128.1",
            ITR.port, q + b"\0")), "drop-malformed")
    dropped("M bit without a record", lambda: by_ecm([("20.9.128.1", 32)], flags="M"),
            "drop-malformed")
    dropped("I bit without IDs", lambda: by_ecm([("20.9.128.1", 32)], flags="I"), "drop-malformed")
    dropped("an Info-Request (NAT-E) is counted, not answered", lambda: ITR.send(MS,
            info_request(random64(), auth_len=20,
            eid=ip("20.9.1.1"), mask=32)), "drop-role-off")
    dropped("an Info-Request (NAT-F) with a host name", lambda: ITR.send(MS,
            info_request(random64(), host="tor-1")), "drop-role-off")
    dropped("a Map-Reply is discarded by a Map-Server (RFC 9301 8.3)", lambda: ETR.send(MS,
            reply(random64(), [record("20.9.1.0", 24)])),
            "drop-unknown-nonce")
    dropped("a Map-Referral", lambda: ETR.send(MS, b"\x60\0\0\0" + bytes(20)), "drop-unknown-type")
    dropped("a trace message (type 9)", lambda: ETR.send(MS, b"\x90\0\0\0" + bytes(20)),
            "drop-unknown-type")


def ports():
    """An answer comes to the port that was asked from, but for one: a Map-Reply there would be taken for data."""
    data = Ear("f", "172.16.0.14", DATA)
    before = ms.control()
    data.send(MS, request(random64(), [("20.9.128.1", 32)], ["172.16.0.14"]))
    v.same("a Map-Request from the data port: no answer", until(1, lambda: ms.control()["drop-port"]
            - before["drop-port"]), 1)
    v.same("... nothing arrives there", data.recv(0.1)[0], None)
    for rloc in ("fe80::11", "::ffff:172.16.0.15"):
        dropped("ITR-RLOC " + rloc, lambda: by_ecm([("20.9.128.1", 32)], rlocs=[rloc]), "drop-no-usable-itr-rloc")


def map_server_plain():
    nonce = random64()
    ITR.send(MS, request(nonce, [("20.9.128.1", 32)], ["172.16.0.11"]))
    v.same("unencapsulated Map-Request: answered to its source port", brief(answer(ITR, nonce, MS)),
            PROXIED)
    itr = Ear("f", "172.16.0.14")
    itr.send(MS, request(nonce, [("20.9.128.1", 32)], ["172.16.0.14"]))
    v.same("... from port 4342, too", brief(answer(itr, nonce, MS)), PROXIED)
    before = ms.control()
    itr.send(MS, request(nonce, [("20.9.128.1", 32)], ["172.16.0.14"], flags="P"))
    itr.send(MS, request(nonce + 1, [("20.9.128.1", 32)], ["172.16.0.14"]))
    answer(itr, nonce + 1)
    now = ms.control()
    v.same("a probe of a Map-Server is dropped", sum(now[k] - before[k] for k in now
            if k.startswith("drop-")), 1)


def etr_asked():
    """The Map-Server passes the Map-Request on to the foreign ETR, unaltered, and the ETR answers the ITR itself."""
    for what, eid, word in (("", "20.9.129.1", 32), (" (A bit past a proxy)", "20.9.128.1", 32)):
        flags = "A" if what else ""
        ETR.drain(), ETR6.drain()
        nonce = random64()
        q = request(nonce, [(eid, word)], ["172.16.0.11"], src=ip("20.66.0.1"), flags=flags)
        OTHER.send(MS, ecm("20.66.0.1", eid, ITR.port, q))
        m, a, p = ETR.recv(0.3)
        if m is None:
            m, a, p = ETR6.recv(0.3)
        e = read_ecm(m)
        v.same("forwarded to the foreign ETR" + what, (e.msg, e.src, e.dst, e.sport, p),
                (q, "20.66.0.1", eid, ITR.port, CONTROL))
        v.ok("... with a smaller inner TTL, against loops", e.ttl == 63, e.ttl)
    for _ in range(2):
        nonce = by_ecm([("20.9.130.1", 32)])
        m, a, p = ETR.recv(1)
        v.ok("an ETR whose other locator has no route is asked all the same", m and
                read_request(read_ecm(m).msg).nonce == nonce, m)
    nonce = random64()
    OTHER.send(MS, request(nonce, [("20.9.129.1", 32)], ["172.16.0.11"]))
    m, a, p = ETR.recv(0.3)
    if m is None:
        m, a, p = ETR6.recv(0.3)
    e = read_ecm(m)
    v.same("an unencapsulated one is forwarded by ECM; the answer goes to its source port",
            (read_request(e.msg).nonce, e.sport),
           (nonce, OTHER.port))


def our_etr():
    want = [("20.2.0.0/24", 1440, 0, True, ["172.16.0.3", "2001:db8::3"])]
    nonce = random64()
    ITR.send(X2, request(nonce, [("20.2.0.9", 32)], ["172.16.0.11"]))
    r = answer(ITR, nonce, X2)
    v.same("our ETR answers a direct Map-Request", brief(r), want)
    v.ok("... all locators local and reachable", all(x.L and x.R and not x.p
            for x in r.records[0].locs), r)
    if not until(5, lambda: any(s["eid"] == "20.2.0.0/24" and s["registered"]
            for s in ms.ask("site", "show"))):
        raise Bad("x2 does not register")
    nonce = by_ecm([("20.2.0.9", 32)])
    m, a, p = ITR.recv()
    v.same("through our Map-Resolver and Map-Server", brief(read_reply(m)) if m else None, want)
    v.ok("... the answer comes from the ETR itself", a in (X2, "2001:db8::3") and p == CONTROL,
            (a, p))
    for probed, ear in ((X2, ITR), ("2001:db8::3", ITR6)):
        nonce = random64()
        ear.send(probed, request(nonce, [("20.2.0.0", 24)], [ear.addr], flags="P",
                src=ip("20.66.0.1")))
        r = answer(ear, nonce, probed)
        v.same("RLOC-probe of %s: P = 1, A = 1, nonce, p bit on the probed locator" % probed,
               (r.P, r.records[0].A, [x.addr for x in r.records[0].locs if x.p]),
               (True, True, [probed]))
    nonce = random64()
    ITR.send(X2, request(nonce, [("20.2.0.0", 24)], ["172.16.0.11"], flags="MP",
            attached=record("20.66.0.0", 24, [loc("172.16.0.11")])))
    v.same("a probe with the prober's mapping attached", answer(ITR, nonce).P, True)
    v.ok("... which is not taken into the map-cache (RFC 9301 5.3)", not any(c["eid"]
            == "20.66.0.0/24" for c in x2.ask("cache", "show")), "")
    nonce = random64()
    ITR.send(X2, request(nonce, [("20.2.0.9", 32), ("fd02::9", 128)], ["172.16.0.11"]))
    v.same("two records: one answer for each", [x[0] for x in brief(answer(ITR, nonce))],
            ["20.2.0.0/24", "fd02::/64"])
    before = x2.control()
    ITR.send(X2, request(random64(), [("20.3.0.1", 32)], ["172.16.0.11"]))
    ITR.send(X2, request(random64(), [("20.2.0.1", 32)], ["172.16.0.11"], flags="D"))
    ITR.send(X2, request(nonce + 2, [("20.2.0.1", 32)], ["172.16.0.11"]))
    v.ok("an EID that is not ours, or D set: no answer", answer(ITR, nonce + 2), "")
    v.same("... counted", x2.control()["drop-eid-not-ours"] - before["drop-eid-not-ours"], 1)


def whole_path():
    """A host of ours finds a host behind the foreign ETR: our Map-Resolver and Map-Server ask it, it answers our ITR."""
    host, tap = Ear("x2", "20.2.0.1", 0), Tap("f", "u0")
    sink = Ear("f", "172.16.0.12", DATA)
    ETR.drain()
    host.send("20.9.129.7", b"question", 7777)
    q = ETR.find(lambda m, a, p: (e := read_ecm(m)).dst == "20.9.129.7" and e) or \
        ETR6.find(lambda m, a, p: (e := read_ecm(m)).dst == "20.9.129.7" and e)
    r = read_request(q.msg)
    v.same("our ITR's Map-Request arrives at the foreign ETR", (r.src, r.eids, r.rlocs),
           ("20.2.0.1", ["20.9.129.7/32"], [X2, "2001:db8::3"]))
    ETR.send(r.rlocs[0], reply(r.nonce, [record("20.9.129.0", 24, [loc("172.16.0.12")])]), q.sport)
    f = tap.find(DATA)
    src, dst, _, _, _, p, _ = read_packet(f.payload[8:])
    v.same("... the packet that waited arrives there", (f.src, f.dst, src, dst, p[8:]),
           (X2, "172.16.0.12", "20.2.0.1", "20.9.129.7", b"question"))
    sink.send(X2, lisp() + packet(dst, src, 17, udp(dst, src, 7777, host.port, b"answer")), DATA)
    v.same("... and its answer our host", host.recv()[0], b"answer")


for case in (register_all, resolver, itr_rlocs, negative, refused, ports, map_server_plain, etr_asked,
        our_etr, whole_path):
    v.run(case.__name__, case)
v.end()
