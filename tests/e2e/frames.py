#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Frames that are none of a LISP router's business, sent raw and compared octet for octet.

    frames.py make DST-MAC SRC-MAC FILE        writes the list to FILE (pcap)
    frames.py send IF FILE                     sends what is in FILE on IF, prints how many
    frames.py same SENT.pcap GOT.pcap          every sent frame is in GOT, unchanged and in order, and nothing else is

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


def main():
    if sys.argv[1] == "make":
        from scapy.all import Ether, wrpcap
        dst, src, out = sys.argv[2:]
        wrpcap(out, [Ether(bytes(f)) for f in frames(dst, src)])
        return
    if sys.argv[1] == "send":
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind((sys.argv[2], 0))
        sent = read_pcap(sys.argv[3])
        for f in sent:
            s.send(f)
        print(len(sent))
        return
    sent, got = read_pcap(sys.argv[2]), read_pcap(sys.argv[3])
    bad = [i for i, f in enumerate(sent) if f not in got]
    for i in bad:
        print(f"frame {i} is missing or changed: {sent[i].hex()}")
    for f in got:
        if f not in sent:
            print(f"not sent: {f.hex()}")
            bad.append(f)
    if not bad and got != sent:
        print("all frames are there, but not in order or not once each")
        bad.append(0)
    sys.exit(1 if bad or not sent else 0)


main()
