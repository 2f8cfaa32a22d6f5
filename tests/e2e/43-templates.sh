#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the programs believe about the underlay stays true. Under a stream each way, the network below changes: addresses of
# next hops, routes, links, devices. With the daemon alive traffic is back within two seconds of whatever the kernel hears of,
# and within 15 s of what nobody says; with it dead, within 15 s of what the kernel can mend by itself.
#
#   h1 <=== 1000 datagrams/s each way ===> h2
#   x1: u0 172.16.1.1 --- c1 core;  u1 172.16.5.1 --- c5 core
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fast.sh"

template() { # jq expression: what is in the template
	xcj x1 rloc show | jq -r '.[] | select(.address == "172.16.2.1") | '"$1"
}
new_mac() { ipn core link set c1 address "$1"; }
routes_by() { # gateway [device]
	ipn x1 route replace default via "$1" ${2:+dev $2}
}
u0_again() { # a new device of the same name
	ipn x1 link del u0
	wire x1 u0 core c1 1600
	addr core c1 172.16.1.254/24 2001:db8:1::fe/64
	addr x1 u0 172.16.1.1/24 2001:db8:1::1/64
	ipn x1 route add default via 172.16.1.254
}

lab
wire x1 u1 core c5 1600
addr x1 u1 172.16.5.1/24
addr core c5 172.16.5.254/24
addr core c1 172.16.1.253/24
# replies to 172.16.1.1 find it behind either port
ipn core route add 172.16.1.1/32 via 172.16.1.1 dev c1 metric 10 onlink
MODE=auto NO_WIRE=1
up || finish
check "warm up" ping4 h1 -c 2 -i 0.1 10.2.0.10

on core sysctl -qw net.ipv4.conf.c1.arp_notify=1
recovers "next hop's MAC changes and says so" 2 2000 'new_mac 02:00:00:aa:00:01'
recovers "route by another next hop" 2 1500 'routes_by 172.16.1.253'
is "... which is in the template" "$(template .dev)" u0
recovers "route by another port" 2 1500 'routes_by 172.16.5.254 u1'
is "... which is in the template" "$(template .dev)" u1
recovers "and back" 2 1500 'routes_by 172.16.1.254 u0'
recovers "the cable is out for a moment" 4 3000 'ipn core link set c1 down; sleep 1; ipn core link set c1 up'
recovers "the underlay's link goes down and up" 4 3000 'ipn x1 link set u0 down; sleep 1; ipn x1 link set u0 up; routes_by 172.16.1.254 u0'
recovers "xtr0 goes down and up" 3 2000 'ipn x1 link set xtr0 down; ipn x1 link set xtr0 up'
recovers "the RLOC is taken off its interface and put back" 4 3000 \
	'ipn x1 addr del 172.16.1.1/24 dev u0; sleep 1; ipn x1 addr add 172.16.1.1/24 dev u0; routes_by 172.16.1.254 u0'
recovers "the underlay's device is deleted and made anew" 4 3000 u0_again
check "... and the programs are on it" wait_for 2 eval 'xcj x1 iface show | jq -e ".[] | select(.name == \"u0\") | .tc"'
on core sysctl -qw net.ipv4.conf.c1.arp_notify=0
# Nothing comes from the next hop by which the change could be learned; only asking it again shows it.
x1mac=$(ipn x1 -j link show u0 | jq -r '.[0].address')
ONEWAY=1 recovers "next hop's MAC changes without a word" 13 11000 \
	"new_mac 02:00:00:aa:00:02; ipn core neigh replace 172.16.1.1 lladdr $x1mac dev c1 nud permanent"
finish
