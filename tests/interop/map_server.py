#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Foreign ETRs register at our Map-Server (RFC 9301 5.6, 5.7, 8.2, 8.3), in every dialect that is known."""
from peer import *  # noqa: F403

MS, MS6 = "172.16.0.1", "2001:db8::1"
KEYS = {0: (1, b"odl secret"), 1: (2, b"oor secret"), 2: (3, b"rfc secret")}
ID_A, ID_B = bytes(15) + b"A" + bytes(8), bytes(15) + b"B" + bytes(8)

v = Verdicts()
ms = Daemon("ms")
A, B, A6 = Ear("f", "172.16.0.11"), Ear("f", "172.16.0.12"), Ear("f", "2001:db8::11")
A_any, A_itr = Ear("f", "172.16.0.11", 0), Ear("f", "172.16.0.11", 0)


def reg(records, key_id=0, nonce=None, **more):
    nonce = random64() if nonce is None else nonce
    alg, secret = KEYS[key_id]
    return nonce, register(nonce, records, secret, **{"key_id": key_id, "alg": alg, "flags": "M",
            **more})


def notified(ear, nonce, key_id=0, kind=NOTIFY):
    """The next message at the ear has to be this Map-Notify, with a right MAC, from port 4342."""
    m, a, p = ear.recv()
    if m is None:
        raise Bad("no Map-Notify")
    n = read_signed(m, KEYS[key_id][1])
    if n.kind != kind or n.nonce != nonce or p != CONTROL or a not in (MS, MS6):
        raise Bad("%s from %s port %d" % (n, a, p))
    return n


def accepted(what, records, eids=None, frm=None, to=MS, at=None, key_id=0, **more):
    """Sent, confirmed, and shown. eids: the EID-prefixes confirmed."""
    frm, at = frm or A, at or frm or A
    nonce, m = reg(records, key_id, **more)
    frm.send(to, m)
    n = notified(at, nonce, key_id)
    got = [r.eid for r in n.records if r.locs]
    v.same(what, got, eids if eids is not None else [r.eid for r in n.records])
    return n


def refused(what, msg, counter, count=1, frm=None):
    """No answer, one drop for exactly that reason, and the Map-Server goes on."""
    before = ms.control()
    (frm or A).send(MS, msg)
    nonce, m = reg([record("20.9.255.0", 24, [loc("172.16.0.11")])])
    (frm or A).send(MS, m)
    notified(frm or A, nonce)
    now = ms.control()
    drops = {k: now[k] - before[k] for k in now if k.startswith("drop-") and now[k] != before[k]}
    v.same(what, drops, {counter: count})


def site_row(eid):
    return next((s for s in ms.ask("site", "show") if s["eid"] == eid and s["registered"]), None)


def ask(eid, mask=32, flags="", iid_=None, src=None):
    """A proxied answer, raw."""
    nonce = random64()
    a = ip(eid) if iid_ is None else iid(iid_, ip(eid))
    inner = ("2001:db8::11", eid) if ":" in eid else ("172.16.0.11", eid)
    A_itr.send(MS, ecm(*inner, A_itr.port, request(nonce, [(a, mask)], ["172.16.0.11"],
            flags=flags)))
    m, _, p = A_itr.recv()
    if m is None:
        raise Bad("no Map-Reply")
    r = read_reply(m)
    if r.nonce != nonce or p != CONTROL:
        raise Bad("Map-Reply %s from port %d" % (r, p))
    return r


L1 = [loc("172.16.0.11")]


def ports_and_nonces():
    accepted("Map-Register from 4342", [record("20.9.1.0", 24, L1)], nonce=0xffffffffffffff00)
    accepted("Map-Register from a random port: Map-Notify comes to 4342 all the same (RFC 9301 8.2)",
             [record("20.9.1.0", 24, L1)], frm=A_any, at=A, nonce=5)
    v.same("... and not to the random port", A_any.drain(), 0)
    accepted("replay: off takes the random, smaller and equal nonces of others",
            [record("20.9.1.0", 24, L1)], nonce=5)
    accepted("... and nonce 0", [record("20.9.1.0", 24, L1)], nonce=0)
    accepted("over IPv6", [record("fd09:0:0:1::", 64, [loc("2001:db8::11")])], frm=A6, to=MS6)


def algorithms():
    for key_id, lengths in ((0, (20, 12)), (1, (32, 16)), (2, (32, 16))):
        for n in lengths:
            got = accepted("key %d, algorithm %d, MAC of %d octets" % (key_id, KEYS[key_id][0], n),
                           [record("20.9.2.0", 24, L1)], key_id=key_id, length=n)
            v.same("... and the Map-Notify's is as long (fields are copied, RFC 9301 5.7)",
                    got.mac_len, n)
    for n in (0, 8, 16, 24, 64):
        refused("algorithm 1 with %d octets of MAC" % n, reg([record("20.9.2.0", 24, L1)],
                length=n)[1],
                "drop-authentication")
    refused("a MAC of 65535 octets", register(1, [], b"", length=0)[:14] + b"\xff\xff" + bytes(300),
            "drop-malformed")
    refused("downgrade to algorithm 0", reg([record("20.9.2.0", 24, L1)], alg=0)[1],
            "drop-algorithm")
    refused("... also with 20 octets of authentication data", reg([record("20.9.2.0", 24, L1)],
            alg=0, length=20)[1],
            "drop-algorithm")
    refused("algorithm 2 with the key of algorithm 1", reg([record("20.9.2.0", 24, L1)], alg=2)[1],
            "drop-algorithm")
    refused("unknown key ID", reg([record("20.9.2.0", 24, L1)], key_id=0)[1][:12] + b"\x63" +
            reg([record("20.9.2.0", 24, L1)])[1][13:], "drop-authentication")
    refused("wrong secret", register(random64(), [record("20.9.2.0", 24, L1)], b"wrong", flags="M"),
            "drop-authentication")
    m = bytearray(reg([record("20.9.2.0", 24, L1)])[1])
    m[-1] ^= 1
    refused("one bit changed", bytes(m), "drop-authentication")
    m = register(random64(), [record("20.9.2.0", 24, L1)], KEYS[0][1], flags="MI", ids=b"")
    refused("I bit without xTR-ID and Site-ID, MAC right", m, "drop-malformed")


def header_bits():
    accepted("reserved bits set are ignored (RFC 9301 5)",
            [record("20.9.3.0", 24, L1, reserved=0xffff)],
             reserved=0x01ffe000 & ~0x00001000 | 0x200)
    accepted("S and E bits", [record("20.9.3.0", 24, L1)], flags="MSE")
    n = accepted("I bit: xTR-ID and Site-ID", [record("20.9.3.0", 24, L1)], flags="MI", ids=ID_A)
    row = site_row("20.9.3.0/24")
    v.ok("... are shown", ID_A[:16].hex() in json.dumps(ms.ask("site", "show")).replace(":", ""),
            row)
    v.ok("... Map-Notify without, or with the same IDs", n.ids in (b"", ID_A), n)
    before = ms.control()["register-accepted"]
    nonce, m = reg([record("20.9.3.0", 24, L1)], flags="")
    A.send(MS, m)
    nonce, m = reg([record("20.9.3.0", 24, L1)])
    A.send(MS, m)
    notified(A, nonce)
    v.same("no M bit: accepted without a Map-Notify", ms.control()["register-accepted"] - before, 2)
    accepted("T bit", [record("20.9.3.0", 24, L1, ttl=7)], flags="MT")
    left = [s["expires"] for s in ms.ask("site", "show") if s["eid"] == "20.9.3.0/24" and
            s["registered"]]
    v.ok("... the TTL is the timeout", 410 < max(left) <= 420, left)
    refused("no record at all", reg([])[1], "drop-malformed")
    refused("record count 255, one record", reg([record("20.9.3.0", 24, L1)], count=255)[1],
            "drop-malformed")


def records():
    many = [record("20.9.4.0", 24, L1), record("fd09:0:0:4::", 64, [loc("172.16.0.11"),
            loc("2001:db8::11")]),
            record(iid(100, ip("20.9.4.0"), 0), 24, L1), record(iid(100, ip("20.9.5.0"), 32), 24,
            L1),
            record(iid(11259375, ip("fd09:0:0:5::"), 24), 64, L1)]
    accepted("five records, instance-ID LCAF with IID mask-len 0, 32 and 24", many,
             ["20.9.4.0/24", "fd09:0:0:4::/64", "[100]20.9.4.0/24", "[100]20.9.5.0/24",
             "[11259375]fd09:0:0:5::/64"])
    accepted("host bits in the EID-prefix are masked", [record("20.9.6.77", 24, L1)],
            ["20.9.6.0/24"])
    accepted("... also with an instance ID", [record(iid(100, ip("20.9.6.77")), 24, L1)],
            ["[100]20.9.6.0/24"])
    accepted("one record outside the site: refused alone, and the Map-Notify says so",
             [record("20.9.7.0", 24, L1), record("20.77.0.0", 16, L1), record("20.9.8.0", 24, L1)],
             ["20.9.7.0/24", "20.9.8.0/24"])
    accepted("a record of another site: refused alone", [record("20.9.7.0", 24, L1),
            record("20.8.0.0", 16, L1)],
             ["20.9.7.0/24"])
    refused("an instance nobody configured", reg([record(iid(101, ip("20.9.4.0")), 24, L1)])[1],
            "drop-no-site")
    refused("an instance ID of 32 bits", reg([record(iid(0xfffffff0, ip("20.9.4.0")), 24, L1)])[1],
            "drop-no-site")
    refused("a MAC as EID", reg([record(mac("02:00:00:00:00:01"), 48, L1)])[1], "drop-no-site")
    refused("a MAC of AFI 6", reg([record(mac("02:00:00:00:00:01", 6), 48, L1)])[1], "drop-no-site")
    refused("a name as EID, mask-len 0", reg([record(name("host-1"), 0, L1)])[1], "drop-no-site")
    refused("a name as EID, mask-len with the NUL", reg([record(name("host-1"), 56, L1)])[1],
            "drop-no-site")
    refused("mask-len 33", reg([record("20.9.4.0", 33, L1)])[1], "drop-malformed")
    refused("an EID of an unknown LCAF type", reg([record(lcaf(200, bytes(6)), 32, L1)])[1],
            "drop-malformed")
    n = accepted("unsorted locators, R = 0, priority 255, p bit", [record("20.9.9.0", 24, [
        loc("2001:db8::11", 1), loc("172.16.0.12", 255, flags=R), loc("172.16.0.11", 2, 50, 3, 4,
        flags=PROBED)])])
    got = [(x.addr, x.prio, x.weight, x.mprio, x.mweight, x.p, x.R) for x in n.records[0].locs]
    v.same("... come back sorted, without the p bit", got, [
        ("172.16.0.11", 2, 50, 3, 4, False, False), ("172.16.0.12", 255, 100, 255, 0, False, True),
        ("2001:db8::11", 1, 100, 255, 0, False, True)])
    accepted("Locator Count 0 withdraws", [record("20.9.9.0", 24)], [])
    v.ok("... and it is gone", not site_row("20.9.9.0/24"), "")
    accepted("registered again", [record("20.9.9.0", 24, L1)])
    accepted("TTL 0 withdraws", [record("20.9.9.0", 24, L1, ttl=0)], [])
    v.ok("... and it is gone", not site_row("20.9.9.0/24"), "")


def lcaf_locators():
    locs = [loc("172.16.0.11"), loc(afi_list(name("tor-1"), ip("172.16.0.12"))), loc(geo()),
            loc(elp(("172.16.0.13", 2), ("172.16.0.14", 5))),
            loc(rle(("172.16.0.11", 128), ("172.16.0.12", 0))), loc(js('{"rack":7}')),
            loc(lcaf(16, struct.pack("!I", 5) + ip("172.16.0.15")))]
    accepted("locators as AFI list, geo, ELP, RLE, JSON, encapsulation format",
            [record("20.9.10.0", 24, locs)], flags="MP")
    r = ask("20.9.10.5").records[0]
    v.same("... are handed out again octet for octet", [x.raw for x in r.locs],
            [x[6:] for x in locs])
    v.ok("a proxied answer has neither A nor L (RFC 9301 5.4)", not r.A and
            not any(x.L for x in r.locs), r)
    named = rle_named(("172.16.0.11", 128, "tor-1"), ("172.16.0.12", 0, ""), ("172.16.0.13", 0, "tor-3"))
    locs = [loc("172.16.0.11"), loc(afi_list(ip("172.16.0.12"), name("tor-1"), geo_draft(), named)), loc(geo_draft())]
    accepted("lispers.net: geo of the draft, names in a replication list", [record("20.9.10.0", 24, locs)], flags="MP")
    v.same("... are handed out again octet for octet", [x.raw for x in ask("20.9.10.5").records[0].locs],
            [x[6:] for x in locs])
    accepted("an unknown LCAF type among the locators is skipped (RFC 9306 3)",
             [record("20.9.10.0", 24, [loc(lcaf(200, b"x" * 9)), loc("172.16.0.11")])], flags="MP")
    v.same("... and only that", [x.addr for x in ask("20.9.10.5").records[0].locs], ["172.16.0.11"])
    n = accepted("only unknown LCAFs: the record is refused, it is no withdrawal",
            [record("20.9.10.0", 24, [loc(lcaf(200, b""))])], [])
    v.ok("... the registration stays", site_row("20.9.10.0/24"), n)
    v.same("... with its locator", [x.addr for x in ask("20.9.10.5").records[0].locs],
            ["172.16.0.11"])
    refused("a vendor LCAF drops the message (RFC 9306 4)",
            reg([record("20.9.10.0", 24, [loc(lcaf(255, b"\0\0\0\1abc")), loc("172.16.0.11")])])[1],
            "drop-malformed")
    refused("an unknown AFI drops the message",
            reg([record("20.9.10.0", 24, [loc(b"\x40\x08" + bytes(6))])])[1], "drop-unknown-afi")
    deep = ip("172.16.0.11")
    for _ in range(4):
        deep = afi_list(deep)
    accepted("LCAF nested four deep", [record("20.9.11.0", 24, [loc(deep)])])
    for _ in range(96):
        deep = afi_list(deep)
    refused("LCAF nested a hundred deep", reg([record("20.9.11.0", 24, [loc(deep)])])[1],
            "drop-malformed")


def merging():
    rec = "20.9.20.0"
    accepted("merge: first ETR", [record(rec, 24, [loc("172.16.0.11")])], flags="MIaP", ids=ID_A)
    nonce, m = reg([record(rec, 24, [loc("172.16.0.12", flags=L | R)])], flags="MIaP", ids=ID_B)
    B.send(MS, m)
    n = notified(B, nonce)
    both = ["172.16.0.11", "172.16.0.12"]
    v.same("merge: the second ETR's Map-Notify has the locators of both",
            [x.addr for x in n.records[0].locs], both)
    m, a, p = A.recv()
    u = read_signed(m, KEYS[0][1])
    v.same("merge: the first ETR is told (unsolicited Map-Notify)",
            (u.kind, [x.addr for x in u.records[0].locs], p),
           (NOTIFY, both, CONTROL))
    again = A.recv(1)[0]
    v.same("... again, until it acknowledges", again, m)
    A.send(MS, signed(ACK, u.nonce, [], KEYS[0][1]))
    time.sleep(0.05)
    A.drain()
    v.same("a Map-Notify-Ack with Record Count 0 ends it", A.recv(0.5)[0], None)
    v.same("proxied answer: the union", [x.addr for x in ask("20.9.20.1").records[0].locs], both)
    B.send(MS, reg([record(rec, 24)], flags="MIa", ids=ID_B)[1])
    B.recv()
    m = A.find(lambda m, a, p: read_signed(m, KEYS[0][1]))
    v.same("one withdraws its part: the other is told", m and [x.addr for x in m.records[0].locs],
            ["172.16.0.11"])
    A.send(MS, signed(ACK, m.nonce, [record(rec, 24, L1)], KEYS[0][1]))
    time.sleep(0.05)
    A.drain()
    v.same("... an acknowledgement with the same records ends it too", A.recv(0.5)[0], None)
    before = ms.control()
    A.send(MS, signed(ACK, 12345, [], KEYS[0][1]))
    v.same("a Map-Notify-Ack nobody waits for is counted",
            until(1, lambda: ms.control()["drop-unknown-nonce"] -
                                                                 before["drop-unknown-nonce"]), 1)


def strict():
    secret = b"strict secret"

    def send(nonce, **more):
        A.send(MS, register(nonce, [record("20.8.1.0", 24, L1)], secret, alg=2, flags="M" +
                more.pop("flags", ""), **more))

    send(100)
    v.same("strict: first nonce", read_signed(A.recv()[0], secret).nonce, 100)
    for n in (100, 99, 1):
        refused("strict: nonce %d after 100 is a replay" % n,
                register(n, [record("20.8.1.0", 24, L1)], secret, alg=2, flags="M"),
                "drop-replayed-nonce")
    send(101)
    v.same("strict: nonce 101 is not", read_signed(A.recv()[0], secret).nonce, 101)
    copy = register(102, [record("20.8.1.0", 24, L1)], secret, alg=2, flags="M")
    refused("strict: a copy sent from another address is no new xTR, whatever its nonce", copy, "drop-replayed-nonce",
            frm=B)
    v.same("... nor is it confirmed there", B.recv(0.1)[0], None)
    send(50, flags="I", ids=ID_A)
    v.same("strict: another xTR-ID has nonces of its own", read_signed(A.recv()[0], secret).nonce,
            50)


for case in (ports_and_nonces, algorithms, header_bits, records, lcaf_locators, merging, strict):
    v.run(case.__name__, case)
v.end()
