#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a network card would do and a veth pretends to do: checksums, segmentation, tags. Every address family pair, every
# attach mode, with the offloads as they are and without them, by senders that hand many datagrams to the kernel as one
# (UDP_SEGMENT) and by bulk TCP. Everything has to arrive whole, and no receiver may find a wrong checksum. Without `tx`
# checksums are really there and really looked at, so that run is the one that shows wrong ones.
#
#   h1 --- l0 --- xtr0 +----+    underlay     +----+ xtr0 --- l0 --- h2      routed into xtr0 by the host
#   p1 --------- e0    | x1 | u0 ==LISP== u0  | x2 |    e0 --------- p2      attached port (role eid)
. "$(dirname "$0")/lib.sh"

# Every device a packet crosses: checksum offload (with it go scatter-gather and segmentation), or others.
offload() { # feature value...
	local l
	for l in "h1 eth0" "x1 l0" "p1 eth0" "x1 e0" "x1 u0" "core c1" "core c2" "x2 u0" "x2 l0" "h2 eth0" "x2 e0" "p2 eth0"; do
		# shellcheck disable=SC2086
		on ${l% *} ethtool -K ${l#* } "$@" >/dev/null 2>&1
	done
}
# Then super-packets are made by GRO where they arrive at the tunnel router, as from a wire.
senders_segment() { # off or on
	local n
	for n in h1 h2 p1 p2; do on $n ethtool -K eth0 tso "$1" gso "$1" tx-udp-segmentation "$1" >/dev/null 2>&1; done
}
cases() { # in both directions, to xtr0 and to the attached port
	local a b
	for a in "h1 h2 10.2.0.10" "p1 p2 10.2.0.130" "h1 h2 fd02::a:10" "p1 p2 fd02::b:10" \
		"x1 x2 10.2.0.1" "x1 x2 fd02::1"; do
		b=${a#* * } b="${a:3:2} ${a:0:2} ${b/10.2/10.1}" b=${b/fd02/fd01}
		echo "udp $a 200 1200 10"
		echo "udp $b 100 700 40"
		echo "udp $a 50 300 1"
		echo "tcp $a 6000000"
		echo "tcp $b 2000000"
	done
}
run() { # name
	local line
	while read -r line; do
		case $line in
		ok*) ok "$1 ${line#ok }" ;;
		*) fail "$1 ${line#bad }" ;;
		esac
	done < <(cases | "$E2E/flows.py" "/run/netns/$NSP")
}
counters() { echo "dev x1 u0" | "$E2E/flows.py" "/run/netns/$NSP"; }

lab
for MODE in ${MODES:-tc xdp xdp-generic}; do
	for OUTER in ${OUTERS:-4 6}; do
		NO_WIRE=1 up || finish
		name="$MODE outer $OUTER:"
		for a in "h1 10.2.0.10" "h1 fd02::a:10" "p1 10.2.0.130" "p1 fd02::b:10"; do
			ping4 "${a% *}" -c 1 "${a#* }" >/dev/null
		done
		run "$name as it is:"
		# Super-packets are whole on their way out of the tunnel router: far more octets in a packet than the MTU.
		read -r _ _ _ _ _ p0 o0 < <(counters)
		"$E2E/flows.py" "/run/netns/$NSP" <<<"tcp h1 h2 10.2.0.10 20000000" >/dev/null
		read -r _ _ _ _ _ p1 o1 < <(counters)
		holds "$name bulk TCP leaves in super-packets ($((p1 - p0)) for $((o1 - o0)) octets)" "($o1 - $o0) / ($p1 - $p0) > 4500"
		offload tx off
		run "$name tx off:"
		offload tx on
		for f in rx-udp-gro-forwarding rx-gro-list; do
			offload $f on
			senders_segment off
			run "$name $f, senders segment:"
			senders_segment on
			offload $f off
		done
		for n in x1 x2; do is "$name $n dropped nothing" "$(drops_of $n)" "{}"; done
		for n in h1 h2 p1 p2 x1 x2; do is "$name no checksum error at $n" "$(csum_errors $n)" 0; done
		down
	done
done

# A tagged port: p1 sends with tag 7, in the frame or outside of it, as offloads have it; what comes back has none. (XDP does not take
# such a port here, because nobody can ask p1.)
cat >"$R/push.c" <<'C'
#include <linux/bpf.h>
static long (*vlan_push)(struct __sk_buff *, __u16, __u16) = (void *)18;
__attribute__((section("classifier"), used)) int push(struct __sk_buff *skb)
{
	return vlan_push(skb, 0x0081 /* 0x8100 */, 7) ? 2 : 0;
}
char _license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
C
clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$R/push.c" -o "$R/push.o" || fail "a program that tags" "clang"
on p1 tc qdisc add dev eth0 clsact
on p1 tc filter add dev eth0 egress bpf direct-action object-file "$R/push.o" section classifier
mac() { ipn "$1" -j link show "$2" | jq -r '.[0].address'; }
for a in 10.1.0.254 fd01::b:fe; do ipn p1 neigh replace $a lladdr "$(mac x1 e0)" dev eth0; done
for a in 10.1.0.130 fd01::b:10; do ipn x1 neigh replace $a lladdr "$(mac p1 eth0)" dev e0; done
cases() {
	local a
	for a in 10.2.0.130 fd02::b:10; do
		echo "udp p1 p2 $a 200 1200 10"
		echo "udp p1 p2 $a 50 300 1"
		echo "tcp p1 p2 $a 4000000 60"
	done
	for a in 10.1.0.130 fd01::b:10; do
		echo "udp p2 p1 $a 100 700 40"
		echo "tcp p2 p1 $a 2000000 60"
	done
}
for MODE in tc xdp; do
	for OUTER in 4 6; do
		for n in 1 2; do yaml_xtr $n >"$R/site$n.yaml"; done
		sed "/untagged-only/d; s/^overlay:/  - {name: e0, role: eid, vlan: 7, mode: $MODE}\n&/" "$R/site1.yaml" | conf x1
		conf x2 <"$R/site2.yaml"
		yaml_ms | conf ms
		yaml_mr | conf mr
		start ms mr && start x1 x2 && wait_for 20 registered ms || finish
		for tx in on off; do
			for rx in on off; do
				on p1 ethtool -K eth0 txvlan $tx >/dev/null
				on x1 ethtool -K e0 rxvlan $rx >/dev/null
				before=$(stat x1 encap)
				run "$MODE outer $OUTER: tagged, tx-vlan-offload $tx, rx-vlan-offload $rx:"
				holds "... encapsulated by the rules of the VLAN" "$(stat x1 encap) > $before + 20"
			done
		done
		for n in x1 x2; do is "$MODE outer $OUTER: tagged: $n dropped nothing" "$(drops_of $n)" "{}"; done
		for n in p1 p2 x1 x2; do is "$MODE outer $OUTER: tagged: no checksum error at $n" "$(csum_errors $n)" 0; done
		down
	done
done
finish
