#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Frames that are none of a LISP router's business, sent raw and compared octet for octet.

    frames.py make DST-MAC SRC-MAC FILE        writes the list to FILE (pcap)
    frames.py large DST-MAC SRC-MAC FILE       the same for links with an MTU of 9000: with long frames and more kinds
    frames.py local DST-MAC SRC-MAC FILE EID EID6 RLOC     frames for a tunnel router itself, at an attached port
    frames.py under DST-MAC SRC-MAC FILE EID EID6 RLOC     the same at an underlay port
    frames.py tag VLAN FILE OUT                those of FILE that have no tag, and in OUT.tagged with this one
    frames.py join OUT FILE...                 one file of several
    frames.py send IF FILE                     sends what is in FILE on IF, prints how many
    frames.py same SENT.pcap GOT.pcap [LEAST]  every sent frame is in GOT, unchanged and in order, and nothing else is; those shorter
                                               than LEAST octets aside

Not every frame is well-formed: what a host makes of a broken one is the host's business, not ours.
"""
import socket
import struct
import sys


def read_pcap(path):
    """Frames of a pcap file of this machine. (scapy takes a second to load, and the list is sent many times.)"""
    data = open(path, "rb").read()
    out, at = [], 24
    while at + 16 <= len(data):
        n = struct.unpack_from("=4I", data, at)[2]
        out.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return out


def write_pcap(path, frames):
    """As they are: scapy would take some for something else."""
    with open(path, "wb") as f:
        f.write(struct.pack("=IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for n, x in enumerate(frames):
            f.write(struct.pack("=IIII", 0, n, len(x), len(x)) + x)


def frames(dst, src):
    from scapy.all import (ARP, DNS, DNSQR, GRE, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest, ICMPv6MLReport2,
                           ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPOption, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, Raw, fragment)
    e = Ether(dst=dst, src=src)
    foreign, me = "198.51.100.7", "198.51.100.1"
    foreign6, me6 = "2001:db8:ffff::7", "2001:db8:ffff::1"
    lisp = bytes.fromhex("0800000000000100") + bytes(IP(src="10.1.0.1", dst="10.2.0.1") / ICMP())
    yield Ether(dst="ff:ff:ff:ff:ff:ff", src=src) / ARP(op=1, hwsrc=src, psrc=me, pdst=foreign)
    yield e / ARP(op=2, hwsrc=src, psrc=me, hwdst=dst, pdst=foreign)
    yield Ether(dst="33:33:ff:00:00:07", src=src) / IPv6(src=me6, dst="ff02::1:ff00:7", hlim=255) / \
        ICMPv6ND_NS(tgt=foreign6) / ICMPv6NDOptSrcLLAddr(lladdr=src)
    yield Ether(dst="33:33:00:00:00:16", src=src) / IPv6(src="fe80::1", dst="ff02::16", hlim=1) / ICMPv6MLReport2()
    yield e / IP(src=me, dst=foreign, ttl=64) / ICMP() / Raw(bytes(range(56)))
    yield e / IPv6(src=me6, dst=foreign6) / ICMPv6EchoRequest(data=bytes(range(56)))
    for tag in (Dot1Q(vlan=7), Dot1Q(vlan=0, prio=5), Dot1AD(vlan=9) / Dot1Q(vlan=10)):
        yield e / tag / IP(src=me, dst=foreign) / UDP(sport=1, dport=2) / Raw(b"tagged")
    yield e / Dot1Q(vlan=7) / IP(src=me, dst=foreign) / UDP(sport=5000, dport=4341, chksum=0) / Raw(lisp)
    # LISP of others: to a foreign address, to the control port, with any flags
    yield e / IP(src=me, dst=foreign) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp)
    yield e / IPv6(src=me6, dst=foreign6) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp)
    yield e / IP(src=me, dst=foreign) / UDP(sport=4342, dport=4342) / Raw(bytes(64))
    yield e / IP(src=me, dst=foreign) / UDP(sport=4341, dport=53) / DNS(rd=1, qd=DNSQR(qname="example.org"))
    for f in fragment(IP(src=me, dst=foreign, id=77) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp + bytes(2500)), 1000):
        yield e / f
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrFragment(offset=0, m=1, id=5, nh=17) / UDP(sport=61000, dport=4341, len=2000) / Raw(bytes(1000))
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrFragment(offset=126, m=0, id=5, nh=17) / Raw(bytes(500))
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrDestOpt() / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield e / IP(src=me, dst=foreign, options=[IPOption(b"\x94\x04\x00\x00")]) / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield e / IP(src=me, dst=foreign, tos=0xb9, flags="DF", ttl=1) / TCP(sport=80, dport=4341, flags="S")
    yield e / IP(src=me, dst=foreign) / GRE() / IP(src="10.1.0.1", dst="10.2.0.1") / ICMP()
    yield e / IP(src=me, dst="224.0.0.251", ttl=1) / UDP(sport=5353, dport=5353) / Raw(b"mdns")
    yield e / IP(src="10.1.0.1", dst="10.2.0.1") / UDP(sport=7, dport=7) / Raw(b"EIDs, but not to our MAC")
    yield e / IPv6(src="fd01::1", dst="fd02::1") / UDP(sport=7, dport=7) / Raw(b"EIDs, but not to our MAC")
    # broken ones
    yield e / IP(src=me, dst=foreign, len=2000) / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield e / IP(src=me, dst=foreign, ihl=3) / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield e / IP(src=me, dst=foreign, version=7) / Raw(bytes(40))
    yield e / IP(src=me, dst=foreign) / UDP(sport=61000, dport=4341, len=3, chksum=0)
    yield e / IP(src=me, dst=foreign, chksum=0xdead) / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield Ether(dst=dst, src=src, type=0x0800) / Raw(b"\x45")
    yield Ether(dst=dst, src=src, type=0x86dd) / Raw(b"\x60\x00")
    # neither IPv4 nor IPv6
    yield Ether(dst=dst, src=src, type=0x88b5) / Raw(bytes(range(100)))
    yield Ether(dst=dst, src=src, type=0x8847) / Raw(bytes.fromhex("000641ff") + bytes(IP(src=me, dst=foreign) / ICMP()))
    yield Ether(dst=dst, src=src, type=46) / Raw(bytes(46))
    yield e / IP(src=me, dst=foreign) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp + bytes(1400))


def more(dst, src):
    """Longer ones, more extension headers, more tags, and what a port hears that is not for it."""
    from scapy.all import (BOOTP, DHCP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Dot3, Ether, ICMPv6EchoRequest, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                           IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, LLC, PadN, Raw, SNAP, STP, fragment)
    e = Ether(dst=dst, src=src)
    foreign, me = "198.51.100.7", "198.51.100.1"
    foreign6, me6 = "2001:db8:ffff::7", "2001:db8:ffff::1"
    body = bytes(range(256)) * 36
    lisp = bytes.fromhex("0800000000000100") + bytes(IP(src="10.2.0.1", dst="10.1.0.1") / UDP(sport=1, dport=2) / Raw(b"inner"))
    for n in (1473, 3000, 4040, 4096, 8972):
        yield e / IP(src=me, dst=foreign, flags="DF") / UDP(sport=7, dport=8) / Raw(body[:n])
        yield e / IPv6(src=me6, dst=foreign6) / UDP(sport=7, dport=8) / Raw(body[:n - 20])
    yield e / IP(src=me, dst=foreign) / TCP(sport=7, dport=8, flags="A") / Raw(body[:8960])
    yield e / IP(src=me, dst=foreign) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp + body[:8000])
    for f in fragment(IP(src=me, dst=foreign, id=78) / ICMP() / Raw(body[:9000]), 3000):
        yield e / f
    for tag in (Dot1Q(vlan=7) / Dot1Q(vlan=8), Dot1AD(vlan=9), Dot1AD(vlan=9) / Dot1AD(vlan=10) / Dot1Q(vlan=11), Dot1Q(vlan=4094, prio=7, id=1)):
        yield e / tag / IPv6(src=me6, dst=foreign6) / UDP(sport=1, dport=2) / Raw(b"tagged")
        yield e / tag / IP(src=me, dst=foreign) / UDP(sport=61000, dport=4341, chksum=0) / Raw(lisp)
    yield e / Dot1Q(vlan=7) / Raw(b"\0\0")
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrHopByHop(options=PadN()) / UDP(sport=61000, dport=4341) / Raw(lisp)
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / IPv6ExtHdrDestOpt() / TCP(sport=1, dport=2)
    yield e / IPv6(src=me6, dst=foreign6) / IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(offset=0, m=1, id=6) / UDP(sport=61000, dport=4341) / Raw(bytes(64))
    yield e / IPv6(src=me6, dst=foreign6, nh=59)
    yield e / IPv6(src=me6, dst=foreign6, nh=50) / Raw(bytes(40))
    yield e / IPv6(src=me6, dst=foreign6, hlim=1) / ICMPv6EchoRequest(data=b"last hop")
    yield Ether(dst="ff:ff:ff:ff:ff:ff", src=src) / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr=b"\2\0\0\0\0\1") / DHCP(options=[("message-type", 1), "end"])
    yield Ether(dst="01:00:5e:00:00:05", src=src) / IP(src=me, dst="224.0.0.5", ttl=1, proto=89) / Raw(bytes(44))
    yield Ether(dst="01:00:5e:01:02:03", src=src) / IP(src=me, dst="239.1.2.3", ttl=9) / UDP(sport=1, dport=4341, chksum=0) / Raw(lisp)
    yield Ether(dst="33:33:00:00:00:05", src=src) / IPv6(src="fe80::1", dst="ff02::5", hlim=1, nh=89) / Raw(bytes(36))
    yield Dot3(dst="01:80:c2:00:00:00", src=src) / LLC() / STP()
    yield Dot3(dst=dst, src=src) / LLC() / SNAP(OUI=0xc, code=0x2000) / Raw(bytes(30))
    yield Ether(dst="01:80:c2:00:00:0e", src=src, type=0x88cc) / Raw(bytes.fromhex("0207040200000000010000"))
    for kind in (0x0000, 0x0600, 0x0806, 0x8100, 0x88a8, 0x8863, 0x8906, 0x88e5, 0xffff):
        yield Ether(dst=dst, src=src, type=kind) / Raw(bytes(range(46)))
    for n in (0, 1, 3, 19, 20, 27):
        yield Ether(dst=dst, src=src, type=0x0800) / Raw(bytes(IP(src=me, dst=foreign, proto=17, len=28) / Raw(bytes(8)))[:n])
        yield Ether(dst=dst, src=src, type=0x86dd) / Raw(bytes(IPv6(src=me6, dst=foreign6, nh=17, plen=8) / Raw(bytes(8)))[:n * 2])


def local(dst, src, eid, eid6, rloc):
    """For the router itself, at a port where hosts are: never to be encapsulated, and to reach its stack as they are."""
    from scapy.all import (ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6ND_RS, ICMPv6NDOptSrcLLAddr, IPv6,
                           IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, Raw, fragment, fragment6, IPv6ExtHdrFragment)
    e = Ether(dst=dst, src=src)
    me, me6, ll = "10.1.0.130", "fd01::b:10", "fe80::ff:fe00:1"
    body = bytes(range(256)) * 36
    yield e / ARP(op=1, hwsrc=src, psrc=me, pdst=eid)
    yield e / ARP(op=2, hwsrc=src, psrc=me, hwdst=dst, pdst=eid)
    yield e / IPv6(src=ll, dst=eid6, hlim=255) / ICMPv6ND_NS(tgt=eid6) / ICMPv6NDOptSrcLLAddr(lladdr=src)
    yield Ether(dst="33:33:00:00:00:02", src=src) / IPv6(src=ll, dst="ff02::2", hlim=255) / ICMPv6ND_RS()
    yield e / IP(src=me, dst=eid) / ICMP() / Raw(body[:56])
    yield e / IPv6(src=me6, dst=eid6) / ICMPv6EchoRequest(data=body[:56])
    yield e / IP(src=me, dst=eid) / UDP(sport=7, dport=4342) / Raw(body[:80])
    yield e / IP(src=me, dst=rloc) / UDP(sport=7, dport=4342) / Raw(body[:80])
    yield e / IP(src=me, dst=rloc) / UDP(sport=7, dport=9) / Raw(body[:8972])
    yield e / IP(src=me, dst=eid) / TCP(sport=7, dport=9, flags="S")
    yield e / IPv6(src=me6, dst=eid6) / TCP(sport=7, dport=9, flags="S")
    yield e / IPv6(src=me6, dst=eid6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP(sport=7, dport=9) / Raw(body[:40])
    for f in fragment(IP(src=me, dst=eid, id=79) / UDP(sport=7, dport=9) / Raw(body[:4000]), 1400):
        yield e / f
    for f in fragment6(IPv6(src=me6, dst=eid6) / IPv6ExtHdrFragment(id=80) / UDP(sport=7, dport=9) / Raw(body[:4000]), 1400):
        yield e / f
    for tag in (Dot1Q(vlan=7), Dot1AD(vlan=9) / Dot1Q(vlan=10), Dot1Q(vlan=7) / Dot1Q(vlan=8)):
        yield e / tag / IP(src=me, dst="10.2.0.1") / UDP(sport=7, dport=9) / Raw(b"a network that is not ours")
        yield e / tag / IPv6(src=me6, dst="fd02::1") / TCP(sport=7, dport=9, flags="S")
    yield e / IP(src=me, dst="10.2.0.1", version=5) / UDP(sport=7, dport=9) / Raw(b"x")
    yield e / IP(src=me, dst="10.2.0.1", len=500) / UDP(sport=7, dport=9) / Raw(b"cut")
    yield e / IP(src=me, dst="10.2.0.1", ttl=1) / UDP(sport=7, dport=9) / Raw(b"time exceeded")
    yield e / IPv6(src=me6, dst="fd02::1", hlim=1) / UDP(sport=7, dport=9) / Raw(b"time exceeded")
    yield Ether(dst="01:00:5e:00:00:fb", src=src) / IP(src=me, dst="224.0.0.251", ttl=1) / UDP(sport=5353, dport=5353) / Raw(b"mdns")
    yield Ether(dst="ff:ff:ff:ff:ff:ff", src=src) / IP(src=me, dst="255.255.255.255") / UDP(sport=68, dport=67) / Raw(body[:300])
    yield Ether(dst="ff:ff:ff:ff:ff:ff", src=src) / IP(src=me, dst="10.2.0.1") / UDP(sport=7, dport=9) / Raw(b"not addressed to us")
    yield e / IPv6(src=ll, dst="fe80::1") / UDP(sport=7, dport=9) / Raw(b"link-local")
    yield e / IP(src="169.254.1.1", dst="169.254.0.7") / UDP(sport=7, dport=9) / Raw(b"link-local")
    for kind in (0x0600, 0x88b5, 0x8847, 0x8863):
        yield Ether(dst=dst, src=src, type=kind) / Raw(bytes(range(60)))


def under(dst, src, eid, eid6, rloc):
    """For the router itself, at an underlay port: LISP in a form that is not for the programs, and everything else."""
    from scapy.all import ARP, ICMP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, IPOption, IPv6, Raw, fragment
    e, me = Ether(dst=dst, src=src), "172.16.1.9"
    inner = bytes.fromhex("0800000000000000") + bytes(IP(src="10.2.0.1", dst=eid) / UDP(sport=7, dport=9) / Raw(b"inner"))
    data = UDP(sport=61000, dport=4341, chksum=0) / Raw(inner)
    yield e / ARP(op=1, hwsrc=src, psrc=me, pdst=rloc)
    yield e / IP(src=me, dst=rloc) / ICMP() / Raw(bytes(8900))
    yield e / IP(src=me, dst=rloc) / UDP(sport=4342, dport=4342) / Raw(bytes(60))
    yield e / IP(src=me, dst=rloc) / UDP(sport=4341, dport=4342) / Raw(inner)
    yield e / IP(src=me, dst=rloc) / UDP(sport=4341, dport=4789) / Raw(inner)
    yield e / IP(src=me, dst=rloc) / TCP(sport=9, dport=4341, flags="S")
    for tag in (Dot1Q(vlan=7), Dot1AD(vlan=9) / Dot1Q(vlan=10), Dot1Q(vlan=7) / Dot1Q(vlan=8)):
        yield e / tag / IP(src=me, dst=rloc) / data
    yield e / IP(src=me, dst=rloc, options=[IPOption(b"\x94\x04\x00\x00")]) / data
    long = inner[:8] + bytes(IP(src="10.2.0.1", dst=eid) / UDP(sport=7, dport=9) / Raw(bytes(2000)))
    for f in fragment(IP(src=me, dst=rloc, id=81) / UDP(sport=61000, dport=4341, chksum=0) / Raw(long), 1000):
        yield e / f
    yield e / IPv6(src="2001:db8::9", dst=eid6) / TCP(sport=7, dport=9, flags="S")
    yield e / IP(src="10.2.0.1", dst=eid) / TCP(sport=7, dport=9, flags="S")
    for kind in (0x0600, 0x88b5, 0x8847, 0x8863):
        yield Ether(dst=dst, src=src, type=kind) / Raw(bytes(range(60)))


def make(what, dst, src, out, *rest):
    made = list(frames(dst, src)) if what in ("make", "large") else []
    made += {"large": more, "local": local, "under": under}.get(what, lambda *a: [])(dst, src, *rest)
    write_pcap(out, [bytes(f) for f in made])


def main():
    if sys.argv[1] in ("make", "large", "local", "under"):
        make(*sys.argv[1:])
        return
    if sys.argv[1] == "tag":
        tag = struct.pack("!HH", 0x8100, int(sys.argv[2]))
        plain = [f for f in read_pcap(sys.argv[3]) if f[12:14] not in (b"\x81\0", b"\x88\xa8")]
        write_pcap(sys.argv[4], plain)
        write_pcap(sys.argv[4] + ".tagged", [f[:12] + tag + f[12:] for f in plain])
        return
    if sys.argv[1] == "join":
        write_pcap(sys.argv[2], [f for name in sys.argv[3:] for f in read_pcap(name)])
        return
    if sys.argv[1] == "send":
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((sys.argv[2], 0))
        sent = read_pcap(sys.argv[3])
        for f in sent:
            s.send(f)
        print(len(sent))
        return
    least = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    sent, got = ([f for f in read_pcap(name) if len(f) >= least] for name in sys.argv[2:4])
    bad = [i for i, f in enumerate(sent) if f not in got]
    for i in bad[:4]:
        print(f"frame {i} is missing or changed: {sent[i][:200].hex()}")
    strange = [f for f in got if f not in sent]
    for f in strange[:4]:
        print(f"not sent: {f[:200].hex()}")
    bad += strange
    if not bad and got != sent:
        print("all frames are there, but not in order or not once each")
        bad.append(0)
    print(f"{len(bad)} of {len(sent)} sent, {len(got)} received")
    sys.exit(1 if bad or not sent else 0)


main()
