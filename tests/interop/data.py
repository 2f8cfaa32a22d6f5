#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""LISP data between one of our tunnel routers (argument: its number) and a foreign one (172.16.0.16, 2001:db8::16), header
by header. RFC 9300 4.2, 5.3, 6, RFC 6040 4."""
from peer import *  # noqa: F403

NUMBER = int(sys.argv[1])
XTR, XTR6, FAR, FAR6 = "172.16.0.%d" % (NUMBER + 1), "2001:db8::%d" % (NUMBER +
        1), "172.16.0.16", "2001:db8::16"
EID, EID6, THEIR, THEIR6 = "20.%d.0.1" % NUMBER, "fd0%d::1" % NUMBER, "20.160.0.1", "fd60::1"

v = Verdicts()
xtr = Daemon("x%d" % NUMBER)
TAP = Tap("f", "u0")
# Something has to listen there, or the kernel of the peer answers with port unreachable.
SINKS = [Ear("f", a, DATA) for a in (FAR, FAR6)]


class Host(Ear):
    """An end system behind our router: also sees TTL (IP_RECVTTL is 12) and TOS of what it gets."""

    def __init__(self, addr):
        super().__init__(xtr.node, addr, 0)
        v6 = ":" in addr
        self.level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
        for opt in ((socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS) if v6
                else (12, socket.IP_RECVTOS)):
            self.s.setsockopt(self.level, opt, 1)

    def get(self, timeout=1.0):
        """-> payload, TTL, TOS; None three times."""
        self.s.settimeout(timeout)
        try:
            m, anc, _, _ = self.s.recvmsg(65536, 256)
        except (socket.timeout, BlockingIOError):
            return None, None, None
        ttl = tos = None
        for level, kind, data in anc:
            value = int.from_bytes(data[:4], sys.byteorder)
            if kind in (socket.IP_TTL, socket.IPV6_HOPLIMIT) and level == self.level:
                ttl = value
            elif kind in (socket.IP_TOS, socket.IPV6_TCLASS) and level == self.level:
                tos = value
        return m, ttl, tos


H4, H6 = Host(EID), Host(EID6)


def mappings():
    """THEIR and THEIR6 are behind the foreign router, 20.161 and fd61 over the other family."""
    for eid, rloc in (("20.160.0.0/24", FAR), ("fd60::/64", FAR6), ("20.161.0.0/24", FAR6),
            ("fd61::/64", FAR)):
        xtr.ask("cache", "add", eid, "rloc", rloc)
    time.sleep(0.05)


def encapsulated():
    for host, eid, rloc, ours in ((H4, THEIR, FAR, XTR), (H6, THEIR6, FAR6, XTR6),
            (H4, "20.161.0.1", FAR6, XTR6), (H6, "fd61::1", FAR, XTR)):
        what = "%s over %s: " % ("IPv6" if ":" in eid else "IPv4", "IPv6" if ":" in rloc
                else "IPv4")
        TAP.drain()
        host.marks(ttl=37, tos=0xb9)
        host.send(eid, b"payload of a host", 5555)
        f = TAP.find(DATA)
        if f is None:
            raise Bad(what + "nothing came")
        v.same(what + "outer addresses, UDP checksum 0", (f.src, f.dst, f.checksum),
                (ours, rloc, 0))
        v.same(what + "LISP header without anything optional", f.payload[:8].hex(), "00" * 8)
        src, dst, proto, ttl, tos, inner, _ = read_packet(f.payload[8:])
        sport, dport, data = read_udp(src, dst, inner)
        v.same(what + "the inner packet, whole", (src, dst, proto, sport, dport, data),
                (host.addr, eid, 17, host.port, 5555, b"payload of a host"))
        v.ok(what + "inner TTL as the device decides, outer TTL as inner", ttl in (36, 37) and
                f.ttl == ttl, (ttl, f.ttl))
        v.same(what + "DSCP and ECN copied", (tos, f.tos), (0xb9, 0xb9))
        v.ok(what + "DF set on outer IPv4", f.df in (True, None), f.df)
    ports = set()
    for _ in range(2):
        for port in range(6000, 6016):
            H4.send(THEIR, b"flow", port)
            f = TAP.find(DATA)
            ports.add((port, f.sport))
    v.same("UDP source port: one for each flow", len(ports), 16)
    v.ok("... many in all, none below 49152", len({s for _, s in ports}) > 8 and
            min(s for _, s in ports) >= 49152, sorted(ports))
    H4.marks(ttl=64, tos=0)
    H6.marks(ttl=64, tos=0)


SEQ = iter(range(1 << 30))


def inner(to, payload, src=None, ttl=64, tos=0):
    src = src or (THEIR6 if ":" in to else THEIR)
    host = H6 if ":" in to else H4
    return packet(src, to, 17, udp(src, to, 4000, host.port, payload), ttl, tos)


def through(what, head, over=4, to=EID, sport=0, zero=True, payload=None):
    """A data packet that has to arrive. Gives what the host got: payload, TTL, TOS."""
    text = b"packet %d" % next(SEQ) if payload is None else payload
    ear = Ear("f", FAR if over == 4 else FAR6, sport)
    if zero:
        ear.no_checksum()
    ear.send(XTR if over == 4 else XTR6, head + inner(to, text), DATA)
    ear.s.close()
    host = H6 if ":" in to else H4
    got = host.get()
    if what:
        v.same(what, got[0], text)
    return got if got[0] == text else (None, None, None)


def drops():
    return collections.Counter(xtr.ask("stats", "drops", "all"))


def dropped(what, msg, reason, over=4):
    """Counted once for that reason, and nothing arrives; the next packet does."""
    before = drops()
    ear = Ear("f", FAR if over == 4 else FAR6, 0)
    ear.send(XTR if over == 4 else XTR6, msg, DATA)
    ear.s.close()
    after = through(None, lisp())
    now = drops()
    delta = {k: now[k] - before[k] for k in now if now[k] != before[k] and k.startswith("decap-")}
    v.same(what, (delta, after[0] is not None), ({reason: 1} if reason else {}, True))


def decapsulated():
    for flags in ("", "N", "L", "E", "V", "NE", "NL", "NLE", "NV", "LV", "LEV", "NLEV", "I", "NI",
            "LI", "NLEI", "VI", "R", "NLEVIR"):
        through("bits %s" % (flags or "none"), lisp(flags, 0xabcdef, 0, 0x5a))
    through("32 locator-status-bits", lisp("L", 0, 0, 0xffffffff))
    through("garbage in fields that no bit names", lisp("", 0xffffff, 0, 0xffffffff))
    for over in (4, 6):
        for to in (EID, EID6):
            through("IPv%d in IPv%d, UDP checksum 0" % (6 if ":" in to else 4, over), lisp(), over,
                    to)
            through("... with a real checksum", lisp(), over, to, zero=False)
    for sport in (DATA, CONTROL, 53, 1, 65535):
        through("from port %d" % sport, lisp("N", 7), sport=sport)
    through("an empty payload", lisp(), payload=b"")
    through("1400 octets", lisp(), payload=bytes(1400))


def marks():
    for over, to in ((4, EID), (6, EID6)):
        for inner_ttl, outer, want in ((64, 200, 64), (64, 9, 9), (9, 64, 9)):
            ear = Ear("f", FAR if over == 4 else FAR6, 0)
            ear.marks(ttl=outer)
            ear.send(XTR if over == 4 else XTR6, lisp() + inner(to, b"ttl", ttl=inner_ttl), DATA)
            got = (H6 if ":" in to else H4).get()[1]
            v.ok("TTL in %d, out %d: %d, never raised (IPv%d)" % (inner_ttl, outer, want, over),
                    got in (want, want - 1), got)
        # RFC 6040 4.2, rows inner, columns outer, in the order Not-ECT, ECT(1), ECT(0), CE; None: dropped
        table = {0: (0, 0, 0, None), 1: (1, 1, 1, 3), 2: (2, 1, 2, 3), 3: (3, 3, 3, 3)}
        got = {}
        for i, row in table.items():
            got[i] = tuple(ecn_of(over, to, i, o) for o in range(4))
        v.same("ECN, all sixteen cases (IPv%d)" % over, got, table)
        ear = Ear("f", FAR if over == 4 else FAR6, 0)
        ear.marks(tos=0x28)
        ear.send(XTR if over == 4 else XTR6, lisp() + inner(to, b"dscp", tos=0xb8), DATA)
        v.same("DSCP from the outer header (IPv%d)" % over, (H6 if ":" in to else H4).get()[2],
                0x28)


def ecn_of(over, to, i, o):
    ear = Ear("f", FAR if over == 4 else FAR6, 0)
    ear.marks(tos=o)
    ear.send(XTR if over == 4 else XTR6, lisp() + inner(to, b"ecn", tos=i), DATA)
    ear.s.close()
    m, _, tos = (H6 if ":" in to else H4).get(0.1)
    return None if m is None else tos & 3


def refused():
    good = inner(EID, b"must not arrive")
    dropped("key bits set: encrypted", lisp("1") + good, "decap-key")
    dropped("an instance nobody has", lisp("I", 0, 5) + good, "decap-iid")
    dropped("instance 0xffffff, a control message", lisp("I", 0, 0xffffff) + good, "decap-control")
    dropped("not an EID of ours", lisp() + inner("20.1.1.1", b"no"), "decap-not-local")
    dropped("no IP version", lisp() + b"\x50" + good[1:], "decap-inner")
    dropped("an Ethernet frame inside", lisp() + bytes(12) + b"\x08\x00" + good, "decap-inner")
    dropped("inner packet cut short", lisp() + good[:-3], "decap-inner")
    dropped("octets after the inner packet", lisp() + good + b"\0\0", "decap-inner")
    dropped("inner header of 16 octets", lisp() + b"\x44" + good[1:], "decap-inner")
    dropped("inner packet empty", lisp(), "decap-inner")
    dropped("LISP header cut short", lisp()[:7], "decap-truncated")
    dropped("no payload at all", b"", "decap-truncated")
    dropped("inner source multicast", lisp() + inner(EID, b"no", src="224.0.0.5"), "decap-address")
    dropped("inner source loopback", lisp() + inner(EID, b"no", src="127.0.0.1"), "decap-address")
    dropped("inner source link-local", lisp() + inner(EID6, b"no", src="fe80::1"), "decap-address")
    one = packet(THEIR, EID, 17, udp(THEIR, EID, 4000, DATA, lisp() + packet(THEIR, EID, 17,
            udp(THEIR, EID, 4000, DATA, lisp() + good))))
    dropped("three LISP headers", lisp() + one, "decap-nested")
    dropped("a GPE header with an NSH payload", b"\x04\0\0\4" + bytes(4) + b"\x0f" + bytes(40),
            "decap-inner")


def conversation():
    """The foreign router decapsulates and answers: ten requests, ten answers."""
    n = 0
    TAP.drain()
    for i in range(10):
        H4.send(THEIR, b"request %d" % i, 5555)
        f = TAP.find(DATA)
        src, dst, _, _, _, p, _ = read_packet(f.payload[8:])
        sport, dport, data = read_udp(src, dst, p)
        back = packet(dst, src, 17, udp(dst, src, dport, sport, data.upper()))
        Ear("f", FAR, 0).send(XTR, lisp("NL", 0x123456, 0, 1) + back, DATA)
        n += H4.get()[0] == b"REQUEST %d" % i
    v.same("a conversation", n, 10)


def told_of_change():
    """Our mapping changes: the foreign router, which gets our data, is told by SMR (RFC 9301 6.1)."""
    ears = [Ear("f", FAR), Ear("f", FAR6)]
    H4.send(THEIR, b"recent", 5555)
    H6.send(THEIR6, b"recent", 5555)
    TAP.find(DATA), TAP.find(DATA)
    for e in ears:
        e.drain()
    path = "%s/%s/xtrd.yaml" % (os.environ["R"], xtr.node)
    with open(path, encoding="ascii") as f:
        text = f.read()
    net = "20.%d.0.0" % NUMBER
    with open(path, "w", encoding="ascii") as f:
        f.write(text.replace("- eid: %s/24" % net, "- eid: %s/24\n      ttl: 77" % net))
    xtr.ask("config", "reload")
    m, a, p = ears[0].recv(3)
    r = read_request(m)
    v.same("SMR to the locator data went to: S and D, Source-EID = what changed",
           (sorted(r.flags), r.src, a, p), (["D", "S"], net, XTR, CONTROL))
    v.ok("... record = an EID-prefix of the receiver", r.eids[0] in ("20.160.0.0/24", "fd61::/64"),
            r)
    v.ok("... our RLOCs", XTR in r.rlocs and XTR6 in r.rlocs, r.rlocs)


for case in (mappings, encapsulated, decapsulated, marks, refused, conversation, told_of_change):
    v.run(case.__name__, case)
v.end()
