#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The ways of bulk TCP to local endpoints. Whatever the underlay carries, the receiver's stack gets few large packets: super-packets
# stay whole where the underlay has them, and are put together where it brings single packets, by the GRO of the overlay device (TC)
# or of the underlay port (XDP). Into a container they go by its port's other end (bpf_redirect_peer), and only from the instance of the port.
#
#   h1 --- l0 --- xtr0 +----+    underlay     +----+ xtr0 --- l0 --- h2      routed into xtr0 by the host
#   p1 --------- e0    | x1 | u0 ==LISP== u0  | x2 |    e0 --------- p2      attached port (role eid), the "container"
#                      +----+ xtr7       xtr7 +----+                        instance 7: 11.7.1.1 and 11.7.2.0/24
. "$(dirname "$0")/lib.sh"

octets=${OCTETS:-8000000}
flow() { "$E2E/flows.py" "/run/netns/$NSP" <<<"tcp $*"; }
received() { on "$1" nstat -asz 2>/dev/null | awk '/^(IpInReceives|Ip6InReceives) /{ p += $2 } /^(IpExtInOctets|Ip6InOctets) /{ o += $2 } END { print p + 0, o + 0 }'; }
link() { ipn "$1" -s -j link show "$2" | jq ".[0].stats64.$3.packets"; } # node, device, rx or tx
flags() { xcj x2 iface show dev "$1" | jq -r '.[0].flags | join(" ")'; }
# One bulk transfer. How large are the packets that the receiving stack sees? Kept for questions: counters before it.
declare -A was
bulk() { # name, from, to, address
	local p0 o0 p1 o1 c out
	for c in decap direct decap-gro decap-xdp; do was[$c]=$(stat x2 $c); done
	was[peer]=$(link x2 e0 tx)
	read -r p0 o0 < <(received "$3")
	out=$(flow "$2" "$3" "$4" $octets)
	read -r p1 o1 < <(received "$3")
	has "$1: whole, octet for octet, nothing sent again" "$out" "^ok "
	holds "$1: in super-packets ($(((o1 - o0) / (p1 - p0))) octets each)" "($o1 - $o0) / ($p1 - $p0) > 4500"
}
moved() { echo $(($(stat x2 "$1") - was[$1])); }
all() { # name: each way in
	bulk "$1: routed by xtr0" h1 h2 10.2.0.10
	bulk "$1: xtr0 to xtr0" x1 x2 10.2.0.1
	bulk "$1: container, IPv6" p1 p2 fd02::b:10
	bulk "$1: container" p1 p2 10.2.0.130
}
# As a card without offloads: single packets on the underlay. The veths have GRO on, as every card has.
wire_of() { # super or single
	local l f=on
	[ "$1" = super ] || f=off
	for l in "x1 u0" "core c1" "core c2" "x2 u0"; do
		on ${l% *} ethtool -K ${l#* } tso $f gso $f tx-udp_tnl-segmentation $f tx-udp_tnl-csum-segmentation $f >/dev/null
	done
}
yaml_two() { # site number: with instance 7 beside it
	yaml_xtr "$1" | sed -e "s,^etr:,  - {device: xtr7\, instance: 7\, addresses: [11.7.$1.1/32]\, routes: [11.7.0.0/16]}\netr:," \
		-e "s,^    - eid: 10.*,&\n    - {eid: 11.7.$1.0/24\, instance: 7},"
}
sites() { # mode of the underlay
	MODE=$1 EMODE=tc
	for i in 1 2; do yaml_two $i | conf x$i; done
	yaml_ms | sed -e 's,^        - eid: 10.\(.\).0.*,&\n        - {eid: 11.7.\1.0/24\, instance: 7},' -e 's|aggregates: \[|&"[7]11.0.0.0/8", |' | conf ms
	yaml_mr | conf mr
	start ms mr && start x1 x2 && wait_for 20 registered ms || { fail "sites in mode $1" "$(tail -n 1 "$R/x2/log")"; finish; }
	for a in "h1 10.2.0.10" "h1 fd02::a:10" "p1 10.2.0.130" "p1 fd02::b:10" "x1 10.2.0.1"; do
		ping4 "${a% *}" -c 3 -i 0.02 "${a#* }" >/dev/null || fail "connection" "$a"
	done
}

lab
sites auto
is "auto on a veth: TC" "$(xcj x2 iface show dev u0 | jq -r '.[0] | .mode, .wanted' | tr '\n' ' ')" "tc auto "
has "and says why" "$(xc x2 iface show dev u0)" "single packets of TCP"
has "the container's port is served by its other end" "$(flags e0)" redirect-peer
all "super-packets"
holds "super-packets: straight to the container" "$(moved direct) > $(moved decap) * 0.9"
is "super-packets: past the port's queue" "$(($(link x2 e0 tx) - was[peer] < 20))" 1
is "super-packets: nothing had to be put together" "$(stat x2 decap-gro)" 0

wire_of single
rx=$(link x2 xtr0 rx)
all "single packets"
holds "single packets: put together on the overlay device" "$(moved decap-gro) > 2000 && $(moved decap-gro) > $(moved decap) * 0.8"
holds "single packets: counted on it ($(($(link x2 xtr0 rx) - rx)))" "$(link x2 xtr0 rx) - $rx > 2000"
gro=$(stat x2 decap-gro)
udp() { "$E2E/flows.py" "/run/netns/$NSP" <<<"udp $*"; }
has "single packets: datagrams as ever" "$(udp p1 p2 10.2.0.130 300 1200 10)" "^ok "
has "single packets: UDP GSO by xtr0" "$(udp h1 h2 10.2.0.10 300 1200 10)" "^ok "
holds "UDP does not go that way" "$(stat x2 decap-gro) - $gro < 20"

wire_of super
bulk "super-packets again: container" p1 p2 10.2.0.130
holds "super-packets again: straight" "$(moved decap-gro) < 300 && $(moved direct) > $(moved decap) * 0.6"

# ---- what looks at packets on their way into the container is not passed by
cat >"$R/pod.c" <<'C'
#include <linux/bpf.h>
__attribute__((section("classifier"), used)) int pod(struct __sk_buff *skb)
{
	return skb->protocol == 0x0008 /* ETH_P_IP */ && skb->len < 200 ? 2 : -1;
}
char _license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
C
clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$R/pod.c" -o "$R/pod.o" || fail "a program of the container" "clang"
on p2 tc qdisc add dev eth0 clsact
on p2 tc filter add dev eth0 ingress bpf direct-action object-file "$R/pod.o" section classifier
is "the container's own TC program sees them, and may drop" "$(ping4 p1 -c 2 -i 0.05 -W 0.3 10.2.0.130 >/dev/null; echo $?)" 1
check "the others pass" ping4 p1 -c 2 -i 0.05 fd02::b:10
on p2 tc qdisc del dev eth0 clsact
check "without it, as before" ping4 p1 -c 2 -i 0.05 10.2.0.130
peer_off() { ! flags e0 | grep -q redirect-peer; }
peer_on() { flags e0 | grep -q redirect-peer; }
on x2 ethtool -K e0 tso off
check "an XDP program at the other end (no TSO here): by the port" wait_for 5 peer_off
t=$(link x2 e0 tx)
check "... which works" ping4 p1 -c 3 -i 0.05 10.2.0.130
holds "... and is what carries them" "$(link x2 e0 tx) >= $t + 3"
on x2 ethtool -K e0 tso on
check "gone: by the other end again" wait_for 5 peer_on
on x2 tc qdisc add dev e0 clsact
on x2 tc filter add dev e0 egress bpf direct-action object-file "$R/pod.o" section classifier
ipn x2 link set e0 alias looked # a change of the link makes the daemon look again
check "a filter at the port's egress: by the port" wait_for 5 peer_off
is "... where it drops what it wants" "$(ping4 p1 -c 2 -i 0.05 -W 0.3 10.2.0.130 >/dev/null; echo $?)" 1
on x2 tc filter del dev e0 egress
on x2 tc qdisc add dev e0 root tbf rate 1gbit burst 100k latency 10ms
ipn x2 link set e0 alias again
check "a qdisc of the port: by the port" wait_for 5 peer_off
on x2 tc qdisc del dev e0 root
ipn x2 link set e0 alias ""
check "none: by the other end" wait_for 5 peer_on

# ---- another instance's packets do not go straight into this one's container, whatever the routes say
ipn p2 addr add 11.7.2.130/32 dev eth0
ipn x2 route add 11.7.2.130 via 10.2.0.130 dev e0
on x1 ping -q -c 5 -i 0.05 -W 0.3 -I 11.7.1.1 11.7.2.130 >/dev/null
d=$(stat x2 direct) n=$(stat x2 decap)
on x1 ping -q -c 10 -i 0.05 -W 0.3 -I 11.7.1.1 11.7.2.130 >/dev/null
holds "instance 7 is decapsulated" "$(stat x2 decap) - $n >= 10"
is "and never put into a port of instance 0" "$(($(stat x2 direct) - d))" 0
ipn p2 addr del 11.7.2.130/32 dev eth0
is "nor led there by the host's routes, which is counted; nothing else was dropped" \
	"$(drops_of x2 | jq -c "del(.[\"encap-source\"])")" '{"encap-cross":15}'
down

# ---- XDP on the underlay: GRO of the port sees plain TCP
sites xdp
wire_of single
on p2 ethtool -K eth0 gro off # a container has none: no XDP redirect into it, TC takes over what GRO made
wait_for 5 eval '! flags e0 | grep -q xdp-tx'
all "XDP"
holds "XDP decapsulated" "$(moved decap-xdp) > 2000"
holds "XDP: super-packets straight to the container ($(moved direct) of $(moved decap-xdp))" "$(moved direct) > 60 && $(moved direct) < $(moved decap-xdp) / 2"
is "XDP: past the port's queue" "$(($(link x2 e0 tx) - was[peer] < 20))" 1
stop x2 KILL
on x2 bpftool link detach pinned "$(echo "$R/x2/bpf/xtr"/v*/"link_xtr_tc_underlay_$(ipn x2 -j link show u0 | jq .[0].ifindex)")"
echoes() { on p2 nstat -asz IcmpInEchos 2>/dev/null | awk '/Echos/ { print $2 + 0 }'; }
p=$(echoes)
is "without our TC program nothing reaches the container" "$(ping4 p1 -c 4 -i 0.05 -W 0.5 10.2.0.130 >/dev/null; echo $?) $(($(echoes) - p))" "1 0"
for n in h1 h2 p1 p2 x1 x2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done
for n in x1 ms mr; do stop $n; done
xc x1 detach >/dev/null
xc x2 detach >/dev/null
finish
