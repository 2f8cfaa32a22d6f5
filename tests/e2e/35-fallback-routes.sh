#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The daemon is dead, and what its templates say goes out of date: the way to the other site moves to another port, then the
# next hop there gets another MAC. Nobody tells the programs; within 15 s they go by the host's routes, and the traffic with
# them, from local hosts and from an attached port, by both address families of locators.
#
#   h1, p1 -- x1 u0 172.16.1.1 ---- c1 core --- x2 -- h2, p2        u1 is an underlay port, too: what comes back there is
#                u1 172.16.5.1 ---- c5                              decapsulated like on u0
. "$(dirname "$0")/lib.sh"

lab
wire x1 u1 core c5 1600
addr x1 u1 172.16.5.1/24 2001:db8:5::1/64
addr core c5 172.16.5.254/24 2001:db8:5::fe/64
OUTER=46
export MODE=${MODE:-auto}
yaml_xtr 1 | sed "/^interfaces:/a\\  - name: u1\\n    role: underlay\\n    mode: $MODE" >"$R/x1.yaml"
yaml_xtr 2 | conf x2
yaml_ms | conf ms
yaml_mr | conf mr
conf x1 <"$R/x1.yaml"
start ms mr && start x1 x2 || finish
check "both sites register" wait_for 20 registered ms || finish

# From each kind of sender, to addresses of both families; some flows by the IPv4 locator, some by the IPv6 one.
flows() { # name
	local s p=() i
	for i in "h1 h2 10.2.0.10" "h1 h2 fd02::a:10" "p1 p2 10.2.0.130" "p1 p2 fd02::b:10" "h1 h2 10.2.0.10" "p1 p2 fd02::b:10" \
		"h2 h1 10.1.0.10" "p2 p1 fd01::b:10"; do
		# shellcheck disable=SC2086
		stream $i 300 2 >"$R/f${#p[@]}" &
		p+=($!)
	done
	for i in "${!p[@]}"; do
		wait "${p[$i]}"
		s=$(cat "$R/f$i")
		check "$1: stream $i, none of 300 lost" intact "$s"
	done
}
# Everybody, and the next hop of either family of locators is known to the kernel, whichever of them these four take.
reach() { ping4 x1 -c 1 -W 1 172.16.2.1 && ping4 x1 -c 1 -W 1 2001:db8:2::1 && reach_all; }
reach_all() { ping4 h1 -c 1 -W 1 10.2.0.10 && ping4 p1 -c 1 -W 1 fd02::b:10 && ping4 h1 -c 1 -W 1 fd02::a:10 && ping4 p1 -c 1 -W 1 10.2.0.130; }
recovers() { # what
	local from=$EPOCHREALTIME t
	wait_for 30 reach
	t=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $from }")
	holds "$1: everybody is through again after ${t} s" "$t <= 16"
}

check "warm up" wait_for 10 reach
flows "as it was"
x1_link() { ipn x1 -j -s link show u0 | jq '.[0].stats64.tx.packets'; }

# Killed, and in the same moment the old way is cut: the templates still count as vouched for.
stop x1 KILL
ipn core link set c1 down
ipn core route add 172.16.1.1/32 via 172.16.5.1
ipn core -6 route add 2001:db8:1::1/128 via 2001:db8:5::1
ipn x1 route replace default via 172.16.5.254
ipn x1 -6 route replace default via 2001:db8:5::fe
recovers "the route to the other site moves to another port"
holds "sent by the routes of the host, and counted" "$(stat x1 rerouted) > 0 && $(stat x1 fallback) >= $(stat x1 rerouted)"
before=$(x1_link)
flows "by the other port"
is "nothing was sent into the port that leads nowhere" "$(x1_link)" "$before"

# The kernel hears it, as from any router that takes over; the programs do not look at templates any more.
on core sysctl -qw net.ipv4.conf.c5.arp_notify=1 net.ipv6.conf.c5.ndisc_notify=1
ipn core link set c5 address 02:00:00:dd:ee:ff
recovers "the next hop there gets another MAC"
flows "with the other MAC"

# Back, with nobody there either.
ipn core link set c1 up
ipn core route del 172.16.1.1/32
ipn core -6 route del 2001:db8:1::1/128
addr core c1 2001:db8:1::fe/64 2>/dev/null
ipn x1 route replace default via 172.16.1.254
ipn x1 -6 route replace default via 2001:db8:1::fe
recovers "the route moves back"

# A daemon that starts takes up what it finds.
start x1 || finish
check "with the daemon back" wait_for 15 reach
f=$(stat x1 fallback)
sleep 1
flows "with the daemon back"
is "... which vouches for the templates again" "$(stat x1 fallback)" "$f"
for n in h1 h2 p1 p2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done
finish loose
