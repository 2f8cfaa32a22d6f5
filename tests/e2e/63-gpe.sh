#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# LISP-GPE (RFC 9305): two routers that say they speak it, do, and the kernel of each puts together what it receives; a peer that
# does not gets classic LISP. The helper device that this needs is fenced: with our program gone nothing enters the host by it.
#
#   h1 --- x1 ===one packet per frame=== core === x2 --- h2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/gpe.sh"

lab 1600
state() { ipn x2 -d -j link show | jq -S 'map(del(.stats, .stats64))'; on x2 ss -Hanu | awk '{ print $4, $5 }' | sort; }
state >"$R/before"
GPE1="gpe: true" GPE2="gpe: true"
gpe_up

# --- said and spoken
is "the Map-Server was told by both" "$(xcj ms site show | jq -c '[.[].locators[] | .gpe] | unique')" "[true]"
capture pings core any -Q in -s 200 'udp port 4341'
has "pings, IPv4" "$(ping4 h1 -c 5 -i 0.1 10.2.0.10)" ' 0% packet loss'
has "pings, IPv6" "$(ping4 h1 -c 5 -i 0.1 fd02::a:10)" ' 0% packet loss'
capture_end pings
is "x1 sends LISP-GPE from the first packet on: I, P, next protocol IPv4 and IPv6" "$(headers pings 172.16.1.1)" "0c000001 0c000002 "
is "x2 does, too" "$(headers pings 172.16.2.1)" "0c000001 0c000002 "
is "a dissector of VXLAN-GPE finds the inner packets in all of them" \
	"$(shark pings -d udp.port==4341,vxlan_gpe -T fields -e frame.protocols -e _ws.malformed | grep -vcE ':udp:(vxlan:)?ip(v6)?:icmp')" 0
is "one of LISP nothing malformed" "$(packets pings _ws.malformed)" 0
check "xtrctl cache says so" jq -e 'all(.[]; all(.locators[]; .gpe))' <<<"$(xcj x1 cache show)"
has "the locator that says it is one nobody sends to" "$(xc x1 lig 10.2.0.10)" 'lcaf-16\(formats 0x81,172.16.2.1\).* priority 255'
per_packet
n=$(mean_decap 10.2.0.10 20000000)
holds "x2 decapsulates what GRO has put together: $n octets a packet" "${n:-0} > 8000"
n=$(mean_decap fd02::a:10 20000000)
holds "IPv6 too: $n octets a packet" "${n:-0} > 8000"
# towards hosts that a super-packet can not go to
for d in l0 e0; do on x2 ethtool -K $d tso off gso off tx off >/dev/null 2>&1; done
check "what was put together is cut again: routed" tcp h1 h2 10.2.0.10 5000000
check "what was put together is cut again: at an attached port, IPv6" tcp h1 p2 fd02::b:10 5000000
is "with the right checksums" "$(csum_errors h2)$(csum_errors p2)" 00

# --- what else comes with the bit
is "nothing was dropped" "$(drops_of x1)$(drops_of x2)" "{}{}"
inner() { # destination: an echo request from a host of site 1 as the payload of a data packet
	/usr/bin/python3 - "$1" <<-'P'
	import ipaddress, struct, sys
	def csum(b):
	    s = sum(struct.unpack("!%dH" % (len(b) // 2), b)); s = (s >> 16) + (s & 0xffff); s += s >> 16
	    return ~s & 0xffff
	echo = struct.pack("!BBHHH", 8, 0, 0, 77, 1) + bytes(32)
	echo = echo[:2] + struct.pack("!H", csum(echo)) + echo[4:]
	ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 0, 0x4000, 64, 1, 0, ipaddress.ip_address("10.1.0.10").packed,
	                 ipaddress.ip_address(sys.argv[1]).packed)
	print((ip[:10] + struct.pack("!H", csum(ip)) + ip[12:] + echo).hex())
	P
}
stranger() { # LISP header, inner destination, [how many]: from the Map-Server's host, which is nobody's RLOC
	on ms /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])): s.sendto(bytes.fromhex(sys.argv[1]), ("172.16.2.1", 4341))' "$1$(inner "$2")" "${3:-5}"
}
stranger 0c00000100004d00 10.2.0.10
stranger 0c00000300000000 10.2.0.10
stranger 0d00000100000000 10.2.0.10
is "frames of an unknown instance, of Ethernet, encrypted: dropped, each under its name" "$(drops_of x2)" \
	'{"decap-iid":5,"decap-key":5,"decap-next-protocol":5}'

# --- a daemon that dies: the device stays, nothing is lost
dev() { ipn x2 -d -j link show dev xtrgpe | jq -c '.[0] | [.ifindex, .ifalias, .mtu, (.flags | index("UP") != null), .linkinfo.info_data.port]'; }
was=$(dev)
stream h1 h2 10.2.0.10 2500 2 >"$R/stream" &
s=$!
sleep 0.5
stop x2 KILL
sleep 0.3
is "without a daemon the device is as it was" "$(dev)" "$was"
start x2
wait $s
check "no datagram is lost when a daemon is killed and started again" intact "$(cat "$R/stream")"
is "the device is the same one" "$(dev)" "$was"
check "x1 goes on speaking LISP-GPE" speaks x1 172.16.2.1

# --- the fence. The daemon is killed, our program taken from the underlay: frames go up to the socket of the device.
rx() { ipn x2 -s -j link show dev xtrgpe | jq '.[0].stats64.rx.packets'; }
echoes() { on x2 nstat -asz IcmpInEchos 2>/dev/null | awk '/IcmpInEchos/ { print $2 }'; }
flood() { # what the device gets: for x2 itself, for a host behind it, of its instance and of another one
	stranger 0c00000100000000 10.2.0.1 20
	stranger 0c00000100004d00 10.2.0.1 20
	stranger 0c00000100000000 10.2.0.10 20
}
stop x2 KILL
rm "$R"/x2/bpf/xtr/v*/link_xtr_tc_underlay_*
capture inside x2 l0 -Q out 'icmp'
capture unreach core c2 -Q in 'icmp[icmptype] == 3'
n=$(rx) e=$(echoes)
flood
holds "with our program gone the frames reach the helper device" "$(rx) >= $n + 60"
is "but not the host: the fence on the device" "$(echoes)" "$e"
rm "$R"/x2/bpf/xtr/v*/link_xtr_tc_fence_*
n=$(rx)
flood
holds "without that fence" "$(rx) >= $n + 60"
is "there is that of the stack" "$(echoes)" "$e"
is "not even IPv6 is on the device" "$(on x2 cat /proc/net/if_inet6 2>/dev/null | grep -c xtrgpe)$(on x2 ls /proc/sys/net/ipv6/conf | grep -c xtrgpe)" 00
capture_end inside
capture_end unreach
is "nothing was sent on to hosts" "$(packets inside)" 0
is "and nobody was told that the port is closed" "$(packets unreach)" 0
# or this test would not notice
on x2 sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.xtrgpe.rp_filter=0
stranger 0c00000100004d00 10.2.0.1 5
holds "without either fence a frame of any instance would be in the host" "$(echoes) >= $e + 5"

# --- put right, then switched off on one side
start x2
wait_for 10 speaks x1 172.16.2.1
is "a start puts the fences back" "$(on x2 cat /proc/sys/net/ipv4/conf/xtrgpe/rp_filter)$(ls "$R"/x2/bpf/xtr/v*/link_xtr_tc_fence_* | wc -l)" 11
ping4 h2 -c 3 -i 0.1 10.1.0.10 >/dev/null # what x2 sends lately is who it tells
GPE2="gpe: false"
gpe_conf 2
check "reload with gpe: false" xc x2 config reload
check "the device is gone" wait_for 5 eval '! ipn x2 link show dev xtrgpe'
check "x1 hears of it" wait_for 10 classic x1 172.16.2.1
capture classic core any -Q in -s 200 'udp port 4341'
has "pings" "$(ping4 h1 -c 5 -i 0.1 10.2.0.10)" ' 0% packet loss'
capture_end classic
is "x1 sends classic LISP to a peer that does not say otherwise" "$(headers classic 172.16.1.1)" "00000000 "
is "x2 sends it to everybody" "$(headers classic 172.16.2.1)" "00000000 "
n=$(mean_decap 10.2.0.10 5000000)
holds "and its kernel puts nothing together: $n octets a packet" "${n:-99999} < 1600"
# a peer by configuration; what does not speak it ignores the bit (RFC 9300 5.3)
GPE1=$'gpe: true\ngpe-peers: [172.16.2.0/24]'
gpe_conf 1
check "reload of x1 with x2 in gpe-peers" xc x1 config reload
check "x1 speaks it by configuration" wait_for 5 speaks x1 172.16.2.1
has "pings" "$(ping4 h1 -c 5 -i 0.1 10.2.0.10)" ' 0% packet loss'

# --- detach
GPE2="gpe: true"
gpe_conf 2
check "reload with gpe: true" xc x2 config reload
check "the device is back" ipn x2 link show dev xtrgpe
ping4 h2 -c 2 -i 0.1 10.1.0.10 >/dev/null
check "x2 speaks it again" speaks x2 172.16.1.1
stop x2
check "and goes on when its daemon stops" speaks x2 172.16.1.1
has "with device and fence" "$(xc x2 iface show)" 'dev xtrgpe  role helper  mode tc  attached tc'
has "detach says what it does" "$(xc x2 detach)" 'removed helper device xtrgpe'
state >"$R/after"
is "and leaves links and UDP ports as they were" "$(diff "$R/before" "$R/after")" ""
finish
