#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Direct delivery (data-plane.direct-delivery): decapsulated packets go straight to the host at an EID port, by the way the
# kernel would take, and follow it when that changes. A host that filters what it forwards keeps its packets.
NO_WIRE=1
. "$(dirname "$0")/lib.sh"

lab
h() { on p1 ping -q -n -W 2 -i 0.02 -c "${1:-20}" 10.2.0.130 && on p1 ping -q -n -W 2 -i 0.02 -c "${1:-20}" fd02::b:10; }
echos() { on "$1" awk '/^Icmp:/ && !n { for (i = 1; i <= NF; i++) if ($i == "InEchos") n = i; next } /^Icmp:/ { print $n }' /proc/net/snmp; }
direct() { stat x2 direct; }
grows() { # direct deliveries of 40 echo requests: more than half
	local was
	was=$(direct)
	h >/dev/null && [ $(($(direct) - was)) -ge 20 ]
}
stays() { # they all go by the stack
	local was
	was=$(direct)
	h >/dev/null && [ "$(direct)" = "$was" ]
}
stays_from_h1() {
	local was
	was=$(direct)
	both 10.2.0.130 && both fd02::b:10 && [ "$(direct)" = "$was" ]
}
for MODE in tc xdp; do
	up || finish
	check "$MODE: warm up" wait_for 10 h 2
	check "$MODE: packets to the host at an EID port go straight" grows
	wait_for 1 false # the time that a copy lives
	check "$MODE: and still do" grows
	is "$MODE: nothing was dropped" "$(drops_of x2)" "{}"

	# The neighbour gets another address, and says so.
	on p2 sysctl -qw net.ipv4.conf.eth0.arp_notify=1 net.ipv6.conf.eth0.ndisc_notify=1
	ipn p2 link set eth0 address 02:00:00:00:77:01
	check "$MODE: another MAC address of the host" wait_for 3 h 2
	check "$MODE: ... straight" grows

	# A more specific route to another host, and away again.
	addr h2 lo 10.2.0.130/32
	ipn x2 route add 10.2.0.130/32 via 10.2.0.10
	was=$(echos p2) got=$(echos h2)
	on p1 ping -q -n -W 2 -i 0.02 -c 20 10.2.0.130 >/dev/null
	is "$MODE: a new route is followed at once" "$(($(echos p2) - was)) $(($(echos h2) - got))" "0 20"
	ipn x2 route del 10.2.0.130/32
	was=$(echos p2)
	on p1 ping -q -n -W 2 -i 0.02 -c 20 10.2.0.130 >/dev/null
	is "$MODE: and its end" "$(($(echos p2) - was))" 20
	ipn h2 addr del 10.2.0.130/32 dev lo

	# The packet filter of this host must see what is forwarded.
	on x2 nft 'add table ip t; add chain ip t f { type filter hook forward priority 0; }; add rule ip t f ip daddr 10.2.0.130 counter'
	check "$MODE: a packet filter that looks at forwarded packets sees them" wait_for 4 stays
	has "$MODE: and the log says why" "$(tail -n 20 "$R/x2/log")" "filters what it forwards \(nftables chain f of table t\)"
	on x2 nft 'add rule ip t f ip daddr 10.2.0.130 drop'
	check "$MODE: and drops them" eval '! on p1 ping -q -n -W 1 -c 2 10.2.0.130 >/dev/null'
	on x2 nft 'delete table ip t'
	check "$MODE: without it they go straight again" wait_for 4 grows

	# Policy rules: by source, where what one host may is not what another may; an answer that the kernel gave for one is not for all.
	both() { on h1 ping -q -n -W 2 -i 0.02 -c 20 "$1" >/dev/null; }
	check "$MODE: another source goes straight" eval 'both 10.2.0.130 && both fd02::b:10'
	ipn x2 rule add priority 100 from 10.1.0.130 prohibit
	ipn x2 -6 rule add priority 30000 from fd01::b:10 prohibit
	sleep 0.2
	both 10.2.0.130 && both fd02::b:10
	check "$MODE: a host with policy rules delivers by its stack" stays_from_h1
	on h1 ping -q -n -W 2 -i 0.01 -c 200 10.2.0.130 >/dev/null &
	on h1 ping -q -n -W 2 -i 0.01 -c 200 fd02::b:10 >/dev/null &
	check "$MODE: a source that a rule forbids gets nowhere" eval '! on p1 ping -q -n -W 0.2 -c 10 -i 0.1 10.2.0.130 >/dev/null'
	check "$MODE: nor with IPv6" eval '! on p1 ping -q -n -W 0.2 -c 10 -i 0.1 fd02::b:10 >/dev/null'
	has "$MODE: and the log says why" "$(tail -n 20 "$R/x2/log")" "routes by rules \(priority (100|30000)\)"
	ipn x2 rule del priority 100
	ipn x2 -6 rule del priority 30000
	ipn x2 rule add priority 101 fwmark 7 lookup 7
	ipn x2 rule add priority 102 from "$(rloc_of 2 4)" lookup main
	check "$MODE: rules that no forwarded packet can meet are no matter" wait_for 4 grows
	ipn x2 rule del priority 101
	ipn x2 rule del priority 102

	ipn x2 link set e0 down
	sleep 0.3
	ipn x2 link set e0 up
	addr x2 e0 fd02::b:fe/112 2>/dev/null
	check "$MODE: after the port was down" wait_for 5 h 2
	check "$MODE: ... straight" wait_for 3 grows

	# Without a daemon nobody watches over all that: some seconds later the stack has its packets again.
	stop x2 KILL
	check "$MODE: without a daemon they still arrive" h 2
	ended() { h 5 >/dev/null && stays; }
	check "$MODE: and go by the stack before long" wait_for 25 ended
	start x2 || finish
	check "$MODE: with a daemon, straight" wait_for 10 grows

	yaml_xtr 2 | { cat; printf 'data-plane:\n  direct-delivery: false\n'; } | conf x2
	xc x2 config reload >/dev/null || fail "$MODE: reload" "$(tail -n 3 "$R/x2/log")"
	check "$MODE: switched off by the configuration" stays
	down
done
finish
