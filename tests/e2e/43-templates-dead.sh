#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The underlay's link goes down and up, or its next hop changes its address, while there is no daemon that could tell the
# programs: as soon as the templates are no longer vouched for (10 s), the kernel resolves. A daemon that comes back mends the
# rest: what xtr0 lost, too.
#
#   h1 <=== 1000 datagrams/s each way ===> h2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fast.sh"

lab
MODE=auto NO_WIRE=1
up || finish
check "warm up" ping4 h1 -c 2 -i 0.1 10.2.0.10
on core sysctl -qw net.ipv4.conf.c1.arp_notify=1
stop x1 KILL
# just after its death the layer-2 header of the template is still believed in
recovers "no daemon since now: next hop's MAC changes" 14 12000 'ipn core link set c1 address 02:00:00:aa:00:01'
recovers "no daemon for long: next hop's MAC changes" 3 2000 'ipn core link set c1 address 02:00:00:aa:00:02'
recovers "no daemon: the underlay's link goes down and up" 5 3500 \
	'ipn x1 link set u0 down; sleep 1; ipn x1 link set u0 up; ipn x1 route replace default via 172.16.1.254'
recovers "no daemon: the cable is out for a moment" 5 3500 'ipn core link set c1 down; sleep 1; ipn core link set c1 up'
ipn x1 link set xtr0 down
ipn x1 link set xtr0 up
start x1
check "what xtr0 lost without a daemon is put back by the next one" wait_for 3 ping4 h1 -c 1 10.2.0.10
is "... its address, too" "$(ipn x1 -j -6 addr show dev xtr0 | jq -r '[.[].addr_info[].local] | join(" ")')" fd01::1
finish
