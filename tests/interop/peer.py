#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A LISP speaker that shares nothing with ours: written from RFC 9300, 9301, 8060, 9735 and the habits of other
implementations, with the Python standard library alone.

Builders return octets and let the caller break every rule (reserved bits, short MACs, host bits, odd LCAFs). Readers are strict:
what our daemons send must be right to the last bit, so they raise Bad for a reserved bit that is set, locators out of
order, host bits below the mask, a wrong checksum or MAC, or an octet too many.

Sockets live in the network namespace they were made in, so one process speaks from many of them (class Ns, Ear, Tap).
"""
import collections
import ctypes
import hashlib
import hmac
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import time

REQUEST, REPLY, REGISTER, NOTIFY, ACK, INFO, ECM = 1, 2, 3, 4, 5, 7, 8
CONTROL, DATA = 4342, 4341
NONE = b"\0\0"


class Bad(Exception):
    """A message of ours that breaks a rule."""


# ---- addresses: builders

def ip(a):
    p = ipaddress.ip_address(a).packed
    return struct.pack("!H", 1 if len(p) == 4 else 2) + p


def lcaf(kind, payload, rsvd2=0, rsvd1=0, flags=0, length=None):
    return struct.pack("!HBBBBH", 16387, rsvd1, flags, kind, rsvd2,
                       len(payload) if length is None else length) + payload


def iid(n, addr, mask=0):
    return lcaf(2, struct.pack("!I", n) + addr, mask)


def afi_list(*addrs):
    return lcaf(1, b"".join(addrs))


def name(s):
    return struct.pack("!H", 17) + s.encode() + b"\0"


def mac(s, afi=16389):
    return struct.pack("!H", afi) + bytes.fromhex(s.replace(":", ""))


def elp(*hops):
    return lcaf(10, b"".join(struct.pack("!H", bits) + ip(a) for a, bits in hops))


def rle(*entries):
    return lcaf(13, b"".join(struct.pack("!HBB", 0, 0, level) + ip(a) for a, level in entries))


def js(text, addr=NONE):
    return lcaf(14, struct.pack("!H", len(text)) + text.encode() + addr)


def geo(addr=NONE):
    return lcaf(5, struct.pack("!HBBHBBi", 0x8000 | 48, 8, 14, 0x8000 | 11, 34, 31, 520) + addr)


def geo_draft(addr=NONE):
    """The layout of draft-ietf-lisp-geo, which lispers.net sends under type 5."""
    return lcaf(5, struct.pack("!BBHIIiHH", 0x10, 0, 0, 48 << 24 | 494000, 11 << 24 | 2071000, 520, 5, 0) + addr)


def rle_named(*entries):
    """With the name of the RLOC behind its address, as lispers.net does."""
    return lcaf(13, b"".join(struct.pack("!HBB", 0, 0, level) + ip(a) + (name(n) if n else b"")
            for a, level, n in entries))


def keyed(addr, key=bytes(32)):
    """An ITR-RLOC wrapped in a key exchange (RFC 8061 6)."""
    return lcaf(11, struct.pack("!BBBBH", 1, 0, 5, 0, len(key)) + key + addr)


# ---- addresses: reader. Text: "10.0.0.1", "[7]10.0.0.0", "'name'", "02:...", "none", "lcaf13"

Addr = collections.namedtuple("Addr", "text raw bits packed")


class Cursor:
    def __init__(self, buf, at=0, end=None):
        self.buf, self.at, self.end = buf, at, len(buf) if end is None else end

    def take(self, n):
        if self.at + n > self.end:
            raise Bad("message ends at %d, %d more octets wanted" % (self.end, n))
        self.at += n
        return self.buf[self.at - n:self.at]

    def unpack(self, fmt):
        return struct.unpack("!" + fmt, self.take(struct.calcsize("!" + fmt)))

    def left(self):
        return self.end - self.at


def read_addr(c, depth=0):
    start = c.at
    afi, = c.unpack("H")
    if afi == 0:
        return Addr("none", NONE, 0, b"")
    if afi in (1, 2):
        p = c.take(4 if afi == 1 else 16)
        return Addr(str(ipaddress.ip_address(p)), c.buf[start:c.at], len(p) * 8, p)
    if afi == 16389:
        p = c.take(6)
        return Addr(p.hex(":"), c.buf[start:c.at], 48, p)
    if afi == 17:
        end = c.buf.find(b"\0", c.at, c.end)
        if end < 0:
            raise Bad("name without NUL")
        p = c.take(end + 1 - c.at)
        return Addr("'%s'" % p[:-1].decode("ascii"), c.buf[start:c.at], len(p) * 8, p)
    if afi != 16387:
        raise Bad("AFI %d" % afi)
    if depth > 3:
        raise Bad("LCAF nested too deep")
    rsvd1, flags, kind, rsvd2, length = c.unpack("BBBBH")
    if rsvd1 or flags:
        raise Bad("LCAF reserved octets set")
    inner = Cursor(c.buf, c.at, c.at + length)
    c.take(length)
    raw = c.buf[start:c.at]
    if kind != 2:
        return Addr("lcaf%d" % kind, raw, 255, raw)
    n, = inner.unpack("I")
    a = read_addr(inner, depth + 1)
    if inner.left():
        raise Bad("octets left in the instance-ID LCAF")
    return Addr("[%d]%s" % (n, a.text), raw, a.bits, a.packed)


def prefix(a, mask):
    """Text of an EID-prefix; host bits are Bad."""
    if a.text.startswith("lcaf"):
        return a.text
    if mask > a.bits:
        raise Bad("mask-len %d of %s" % (mask, a.text))
    value = int.from_bytes(a.packed, "big")
    if value & ((1 << (a.bits - mask)) - 1):
        raise Bad("host bits in %s/%d" % (a.text, mask))
    return "%s/%d" % (a.text, mask)


# ---- records

R, PROBED, L = 1, 2, 4


def loc(addr, prio=1, weight=100, mprio=255, mweight=0, flags=L | R):
    if isinstance(addr, str):
        addr = ip(addr)
    return struct.pack("!BBBBH", prio, weight, mprio, mweight, flags) + addr


def record(eid, mask, locs=(), ttl=1440, act=0, a=True, version=0, reserved=0, count=None):
    if isinstance(eid, str):
        eid = ip(eid)
    return struct.pack("!IBBHH", ttl, len(locs) if count is None else count, mask,
                       act << 13 | (0x1000 if a else 0) | (reserved & 0xfff), version |
                       (reserved & 0xf000)) + \
        eid + b"".join(locs)


Locator = collections.namedtuple("Locator", "addr prio weight mprio mweight L p R raw")
Record = collections.namedtuple("Record", "eid ttl act A version locs")


def sort_key(a):
    afi, = struct.unpack_from("!H", a)
    return (afi, a[4]) if afi == 16387 else (afi, a[2:])


def read_record(c):
    ttl, n, mask, flags, version = c.unpack("IBBHH")
    if flags & 0xfff or version & 0xf000:
        raise Bad("reserved bits of an EID record set")
    a = read_addr(c)
    eid = prefix(a, mask)
    locs = []
    for _ in range(n):
        p, w, mp, mw, f = c.unpack("BBBBH")
        if f & ~7:
            raise Bad("unused locator flags set")
        la = read_addr(c)
        locs.append(Locator(la.text, p, w, mp, mw, bool(f & L), bool(f & PROBED), bool(f & R),
                la.raw))
    keys = [sort_key(x.raw) for x in locs]
    if keys != sorted(keys):
        raise Bad("locators of %s out of order" % eid)
    return Record(eid, ttl, flags >> 13, bool(flags & 0x1000), version, locs)


# ---- Map-Request

REQ_BITS = {"A": 27, "M": 26, "P": 25, "S": 24, "p": 23, "s": 22, "I": 20, "L": 14, "D": 13}


def request(nonce, eids, rlocs, src=NONE, flags="", reserved=0, attached=b"", ids=b"",
        subscribe=False, count=None):
    """eids: list of (address, mask-len)."""
    word = REQUEST << 28 | (len(rlocs) - 1) << 8 | (len(eids) if count is None
            else count) | reserved
    for f in flags:
        word |= 1 << REQ_BITS[f]
    msg = struct.pack("!IQ", word, nonce) + src + b"".join(ip(r) if isinstance(r, str) else r
            for r in rlocs)
    for a, mask in eids:
        msg += struct.pack("!BB", 0x80 if subscribe else 0, mask) + (ip(a) if isinstance(a, str)
                else a)
    return msg + attached + ids


Request = collections.namedtuple("Request", "flags nonce src rlocs eids raw")


def read_request(m):
    c = Cursor(m)
    word, nonce = c.unpack("IQ")
    if word >> 28 != REQUEST:
        raise Bad("type %d where a Map-Request was due" % (word >> 28))
    flags = "".join(f for f, b in REQ_BITS.items() if word >> b & 1)
    known = sum(1 << b for b in REQ_BITS.values())
    if word & 0x0fffe000 & ~known:
        raise Bad("reserved bits of a Map-Request set")
    src = read_addr(c).text
    rlocs = [read_addr(c).text for _ in range((word >> 8 & 31) + 1)]
    eids = []
    for _ in range(word & 255):
        rsvd, mask = c.unpack("BB")
        if rsvd:
            raise Bad("reserved bits of a request record set")
        a = read_addr(c)
        eids.append(prefix(a, mask))
    if len(eids) != 1:
        raise Bad("a Map-Request is sent with one record (RFC 9301 5.2)")
    if "I" in flags:
        c.take(24)
    if c.left():
        raise Bad("octets after the Map-Request")
    return Request(flags, nonce, src, rlocs, eids, m)


# ---- Map-Reply

def reply(nonce, records, flags="", reserved=0, count=None, tail=b""):
    word = REPLY << 28 | (len(records) if count is None else count) | reserved
    word |= sum({"P": 0x08000000, "E": 0x04000000, "S": 0x02000000}[f] for f in flags)
    return struct.pack("!IQ", word, nonce) + b"".join(records) + tail


Reply = collections.namedtuple("Reply", "P E nonce records")


def read_reply(m):
    c = Cursor(m)
    word, nonce = c.unpack("IQ")
    if word >> 28 != REPLY:
        raise Bad("type %d where a Map-Reply was due" % (word >> 28))
    if word & 0x03ffff00:
        raise Bad("reserved bits (or S) of a Map-Reply set")
    records = [read_record(c) for _ in range(word & 255)]
    if c.left():
        raise Bad("octets after the Map-Reply")
    return Reply(bool(word & 0x08000000), bool(word & 0x04000000), nonce, records)


# ---- Map-Register, Map-Notify, Map-Notify-Ack

SALT = {REGISTER: b"Map-Register Authentication", NOTIFY: b"Map-Notify Authentication",
        ACK: b"Map-Notify-Ack Authentication"}
MAC_LEN = {0: 0, 1: 20, 2: 32, 3: 32}
REG_BITS = {"P": 27, "S": 26, "I": 25, "E": 12, "T": 11, "a": 10, "M": 8}
NOTIFY_BITS = {"I": 27, "R": 26}


def message_key(kind, nonce, secret):
    """Of algorithm 3: HKDF-SHA-256 (RFC 5869), one block, no info."""
    prk = hmac.new(SALT[kind], struct.pack("!Q", nonce) + secret, hashlib.sha256).digest()
    return hmac.new(prk, b"\x01", hashlib.sha256).digest()


def mac_of(kind, alg, nonce, secret, msg):
    """Of a message whose authentication data is zeroed."""
    if alg == 3:
        secret = message_key(kind, nonce, secret)
    return hmac.new(secret, msg, hashlib.sha1 if alg == 1 else hashlib.sha256).digest()


def signed(kind, nonce, records, secret, key_id=0, alg=1, length=None, flags="", ids=b"",
        reserved=0, count=None):
    bits = REG_BITS if kind == REGISTER else NOTIFY_BITS
    length = MAC_LEN[alg] if length is None else length
    word = kind << 28 | (len(records) if count is None else count) | reserved
    for f in flags:
        word |= 1 << bits[f]
    head = struct.pack("!IQBBH", word, nonce, key_id, alg, length)
    body = b"".join(records) + ids
    if not alg:
        return head + bytes(length) + body
    return head + mac_of(kind, alg, nonce, secret, head + bytes(length) +
            body)[:length].ljust(length, b"\0") + body


def register(nonce, records, secret, **more):
    return signed(REGISTER, nonce, records, secret, **more)


Signed = collections.namedtuple("Signed", "kind flags nonce key_id alg mac_len records ids raw")


def read_signed(m, secret):
    """Also verifies the MAC."""
    c = Cursor(m)
    word, nonce, key_id, alg, n = c.unpack("IQBBH")
    kind = word >> 28
    if kind not in SALT:
        raise Bad("type %d where a signed message was due" % kind)
    bits = REG_BITS if kind == REGISTER else NOTIFY_BITS
    if word & 0x0fffff00 & ~sum(1 << b for b in bits.values()):
        raise Bad("reserved bits set: %08x" % word)
    flags = "".join(f for f, b in bits.items() if word >> b & 1)
    if n not in {0: (0,), 1: (12, 20), 2: (16, 32), 3: (16, 32)}[alg]:
        raise Bad("%d octets of authentication data for algorithm %d" % (n, alg))
    got = c.take(n)
    if alg and not hmac.compare_digest(got, mac_of(kind, alg, nonce, secret, m[:16] + bytes(n) +
            m[16 + n:])[:n]):
        raise Bad("MAC of type %d is wrong" % kind)
    records = [read_record(c) for _ in range(word & 255)]
    ids = c.take(24) if "I" in flags else b""
    if c.left():
        raise Bad("octets after the records")
    return Signed(kind, flags, nonce, key_id, alg, n, records, ids, m)


# ---- Encapsulated Control Message, Info-Request

def csum(data, total=0):
    data += b"\0" * (len(data) & 1)
    total += sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def udp(src, dst, sport, dport, payload, checksum=None):
    """checksum None: right. Returns UDP header and payload."""
    n = 8 + len(payload)
    s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    head = struct.pack("!HHHH", sport, dport, n, 0)
    if checksum is None:
        checksum = csum(s + d + struct.pack("!II", n, 17) + head + payload) or 0xffff
    return head[:6] + struct.pack("!H", checksum) + payload


def packet(src, dst, proto, payload, ttl=64, tos=0, ident=0, bad_sum=False):
    """An IPv4 or IPv6 packet."""
    s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(s) == 16:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), proto, ttl) + s + d + payload
    h = struct.pack("!BBHHHBBH", 0x45, tos, 20 + len(payload), ident, 0, ttl, proto, 0) + s + d
    return h[:10] + struct.pack("!H", csum(h) ^ (1 if bad_sum else 0)) + h[12:] + payload


def ecm(src, dst, sport, msg, dport=CONTROL, checksum=None, word=0, bad_sum=False, auth=b"",
        ttl=64):
    inner = packet(src, dst, 17, udp(src, dst, sport, dport, msg, checksum), bad_sum=bad_sum,
            ttl=ttl)
    return struct.pack("!I", ECM << 28 | word) + auth + inner


Ecm = collections.namedtuple("Ecm", "src dst sport dport ttl msg word")


def read_packet(m):
    """-> source, destination, protocol, TTL, TOS, payload, DF. The header checksum has to be right."""
    if m[0] >> 4 == 6:
        word, n, proto, ttl = struct.unpack_from("!IHBB", m)
        if n != len(m) - 40:
            raise Bad("inner IPv6 length")
        return str(ipaddress.ip_address(m[8:24])), str(ipaddress.ip_address(m[24:40])), proto, ttl, word >> 20 & 255, \
            m[40:], None
    vi, tos, n, _, frag, ttl, proto = struct.unpack_from("!BBHHHBB", m)
    if vi != 0x45 or n != len(m) or csum(m[:20]):
        raise Bad("inner IPv4 header")
    return str(ipaddress.ip_address(m[12:16])), str(ipaddress.ip_address(m[16:20])), proto, ttl, tos, m[20:], \
        bool(frag & 0x4000)


def read_udp(src, dst, m, checksum=True):
    """-> source port, destination port, payload. checksum: it has to be there and right."""
    sport, dport, n, cs = struct.unpack_from("!HHHH", m)
    if n != len(m):
        raise Bad("UDP length %d of %d" % (n, len(m)))
    if checksum:
        s, d = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
        if not cs or csum(s + d + struct.pack("!II", n, 17) + m):
            raise Bad("UDP checksum %04x" % cs)
    return sport, dport, m[8:]


def read_ecm(m):
    word, = struct.unpack_from("!I", m)
    if word >> 28 != ECM or word & 0x0fffffff:
        raise Bad("ECM word %08x" % word)
    src, dst, proto, ttl, _, payload, _ = read_packet(m[4:])
    if proto != 17:
        raise Bad("inner protocol %d" % proto)
    sport, dport, msg = read_udp(src, dst, payload)
    if dport != CONTROL or DATA in (sport, dport):
        raise Bad("inner ports %d, %d" % (sport, dport))
    return Ecm(src, dst, sport, dport, ttl, msg, word)


def info_request(nonce, host=None, auth_len=0, eid=NONE, mask=0, key_id=0):
    last = name(host) if host else NONE
    return struct.pack("!IQHH", INFO << 28, nonce, key_id, auth_len) + bytes(auth_len) + \
        struct.pack("!IBB", 0, 0, mask) + eid + last


# ---- LISP data (RFC 9300 5)

def lisp(flags="", low=0, n=0, lsb=0):
    """flags of N L E V I R and the digit of KK; low: nonce or versions; n: instance ID."""
    word = low
    for f in flags:
        word |= 1 << {"N": 31, "L": 30, "E": 29, "V": 28, "I": 27, "R": 26, "2": 25, "1": 24}[f]
    return struct.pack("!II", word, (n << 8 | lsb & 255) if "I" in flags else lsb)


# ---- the world

LIBC = ctypes.CDLL(None, use_errno=True)


class Ns:
    """with Ns("f"): sockets made inside belong to that namespace."""

    def __init__(self, node):
        self.path = "/run/netns/" + os.environ.get("NSP", "") + node

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        fd = os.open(self.path, os.O_RDONLY)
        rc = LIBC.setns(fd, 0x40000000)
        os.close(fd)
        if rc:
            raise OSError(ctypes.get_errno(), "setns " + self.path)

    def __exit__(self, *exc):
        LIBC.setns(self.home, 0x40000000)
        os.close(self.home)


class Ear:
    """A UDP socket at an address of a node."""

    def __init__(self, node, addr, port=CONTROL):
        self.addr = addr
        with Ns(node):
            self.s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET,
                    socket.SOCK_DGRAM)
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.s.bind((addr, port))
        self.port = self.s.getsockname()[1]

    def no_checksum(self, on=1):
        if self.s.family == socket.AF_INET:
            self.s.setsockopt(socket.SOL_SOCKET, 11, on)  # SO_NO_CHECK
        else:
            self.s.setsockopt(17, 101, on)  # UDP_NO_CHECK6_TX

    def marks(self, ttl=None, tos=None):
        v6 = self.s.family == socket.AF_INET6
        level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
        if ttl is not None:
            self.s.setsockopt(level, socket.IPV6_UNICAST_HOPS if v6 else socket.IP_TTL, ttl)
        if tos is not None:
            self.s.setsockopt(level, socket.IPV6_TCLASS if v6 else socket.IP_TOS, tos)

    def send(self, to, msg, port=CONTROL):
        self.s.sendto(msg, (to, port))

    def recv(self, timeout=2.0):
        """-> message, source address, source port; (None, None, None) when nothing comes."""
        self.s.settimeout(timeout)
        try:
            m, a = self.s.recvfrom(65536)
        except (socket.timeout, BlockingIOError):
            return None, None, None
        return m, a[0], a[1]

    def find(self, want, timeout=2.0):
        """The first message for which want(message, address, port) gives something; others are lost."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            m, a, p = self.recv(left)
            if m is not None and (r := want(m, a, p)):
                return r
        return None

    def drain(self):
        n = 0
        while self.recv(0)[0] is not None:
            n += 1
        return n


Frame = collections.namedtuple("Frame", "src dst ttl tos df sport dport checksum payload")


class Tap:
    """What arrives at an interface: whole frames, as they were on the wire."""

    def __init__(self, node, dev):
        with Ns(node):
            self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.s.bind((dev, 3))

    def find(self, dport, timeout=2.0):
        """The next UDP packet to that port."""
        end = time.monotonic() + timeout
        while (left := end - time.monotonic()) > 0:
            self.s.settimeout(left)
            try:
                m, a = self.s.recvfrom(65536)
            except socket.timeout:
                return None
            if a[2] == 4 or m[12:14] not in (b"\x08\x00", b"\x86\xdd"):  # PACKET_OUTGOING
                continue
            src, dst, proto, ttl, tos, payload, df = read_packet(m[14:])
            if proto == 17 and struct.unpack_from("!H", payload, 2)[0] == dport:
                sp, dp, _, cs = struct.unpack_from("!HHHH", payload)
                read_udp(src, dst, payload, checksum=False)
                return Frame(src, dst, ttl, tos, df, sp, dp, cs, payload[8:])
        return None

    def drain(self):
        self.s.setblocking(False)
        try:
            while True:
                self.s.recv(65536)
        except BlockingIOError:
            pass


class Daemon:
    """One of ours, asked by xtrctl."""

    def __init__(self, node, build=None):
        root = os.environ["R"]
        self.node = node
        self.cmd = [(build or os.environ["BUILD"]) + "/xtrctl", "-s", "%s/%s/xtrd.sock" % (root,
                node), "-B",
                    "%s/%s/bpf" % (root, node), "-j"]

    def ask(self, *words):
        out = subprocess.run(self.cmd + list(words), capture_output=True, text=True, timeout=20)
        try:
            return json.loads(out.stdout)
        except json.JSONDecodeError:
            raise RuntimeError("xtrctl %s: %s%s" % (" ".join(words), out.stdout,
                    out.stderr)) from None

    def control(self):
        return collections.Counter(self.ask("stats", "control", "all"))


class Verdicts:
    """Lines as the other scripts print them."""

    def __init__(self):
        self.failed = self.passed = 0

    def ok(self, what, cond, why=""):
        if cond:
            self.passed += 1
            print("ok " + what, flush=True)
        else:
            self.failed += 1
            print("not ok %s - %s" % (what, str(why).replace("\n", " ")[:600]), flush=True)
        return bool(cond)

    def same(self, what, got, want):
        return self.ok(what, got == want, "got %r, wanted %r" % (got, want))

    def run(self, what, fn, *args):
        """A case that must not stop the others: an exception is its failure."""
        try:
            fn(*args)
        except Exception as e:  # pylint: disable=broad-except
            tb = e.__traceback__
            while tb.tb_next:
                tb = tb.tb_next
            self.ok(what, False, "%s: %s (line %d)" % (type(e).__name__, e, tb.tb_lineno))

    def end(self):
        sys.exit(3 if self.failed or not self.passed else 0)


def random64():
    return int.from_bytes(os.urandom(8), "big") | 1


def until(seconds, fn):
    end = time.monotonic() + seconds
    while True:
        r = fn()
        if r or time.monotonic() > end:
            return r
        time.sleep(0.02)


def self_test():
    """Known answers that come from elsewhere: encodings of RFC 8060 worked by hand, MAC keys of RFC 9301 5.6."""
    v = Verdicts()
    v.same("instance-ID LCAF", iid(100, ip("192.0.2.0"), 32).hex(), "40030000" + "0220000a" +
            "00000064" + "0001c0000200")
    v.same("RLE LCAF", rle(("198.51.100.1", 128)).hex(), "400300000d00000a000000800001c6336401")
    v.same("ELP LCAF", elp(("198.51.100.1", 2), ("198.51.100.2", 1)).hex(),
           "400300000a000010" + "00020001c6336401" + "00010001c6336402")
    v.same("JSON LCAF", js('{"a":1}').hex(), "400300000e00000b00077b2261223a317d0000")
    v.same("HKDF per-message key", message_key(REGISTER, 1, b"password").hex(),
           "72dcb2f072779293bf5333c2e682cdc99aa4ac34073f022657b369b0afb8a204")
    m = register(5, [record("10.0.0.0", 8, [loc("192.0.2.1")])], b"k", alg=2, ids=bytes(24),
            flags="IM")
    v.same("own Map-Register reads back", read_signed(m, b"k").records[0].eid, "10.0.0.0/8")
    m = ecm("10.0.0.1", "10.0.0.2", 5000, request(7, [("10.0.0.2", 32)], ["192.0.2.1"]))
    v.same("own ECM reads back", read_request(read_ecm(m).msg).eids, ["10.0.0.2/32"])
    v.end()


if __name__ == "__main__":
    self_test()
