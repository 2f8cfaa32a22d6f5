#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Decent-Push over underlay multicast on one link: a bridge that snoops IGMP and MLD. Every router has every
# registration; a new one is in sync within 2 s; a dead one is out within its timeout.
#
#   h1 --- x1 --+--[sw: br0]--+-- x3 --- h3      no Map-Server: Map-Registers to the group go to all
#   h2 --- x2 --+             +-- x4 --- h4      x4 joins later
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 6
register-interval: 2
quick-interval: 1
request-interval: 0.05
reply-interval: 0.001"
mcast_bridge 4
decent_hosts 4
sleep 0.7 # the querier's first response interval: from then on the bridge floods no more
check "the bridge carries multicast, IPv4" mcast_reaches x1 x2 239.1.1.1
check "the bridge carries multicast, IPv6" mcast_reaches x1 x2 ff15::101

for OUTER in 4 6; do
	[ $OUTER = 4 ] && g=239.1.1.1 q="ip.dst == $g" || { g=ff15::101 && q="ipv6.dst == $g"; }
	for i in 1 2 3 4; do decent_push $i $g underlay "ttl: 3" | yaml_decent $i | conf x$i; done
	capture "join$OUTER" sw c1 'igmp or icmp6 or ip6 proto 0 or udp port 4342'
	start x1 x2 x3 || finish
	for n in x1 x2 x3; do
		check "group $g: $n has the registrations of all (D-17)" wait_for 10 stores $n 1 2 3
		check "group $g: $n knows the members (D-16, D-28)" wait_for 10 members_are $n "$(rlocs 1 2 3)"
	done
	check "group $g: every host reaches every other" reach 1 2 3
	is "group $g: TCP, content compared" "$(tcp h1 h2 10.2.0.10 2000000 | jq -r .same)" true
	holds "group $g: x1 has sent to the group" "$(control x1 tx-group) > 0"
	holds "group $g: and received from it" "$(control x1 rx-group) > 0"
	is "group $g: lookups stay in the router (D-20): no Map-Request was sent" "$(control x1 tx-forwarded-request)" 0
	acked() { xcj x1 eid show | jq -e 'length > 0 and all(.[]; .acked)'; }
	check "group $g: every member has confirmed x1's Map-Registers" wait_for 10 acked

	# a fourth, and one that leaves without a word
	xc x1 cache flush >/dev/null
	t0=${EPOCHREALTIME/./}
	start x4 || finish
	started=$((${EPOCHREALTIME/./} - t0))
	wait_for 5 stores x4 1 2 3 4
	t=$(((${EPOCHREALTIME/./} - t0 - started) / 1000))
	check "group $g: a new member has everything" stores x4 1 2 3 4
	holds "group $g: ... within 2 s: $t ms" "$t < 2000"
	check "group $g: the others know it" wait_for 10 members_are x1 "$(rlocs 1 2 3 4)"
	check "group $g: ... and have everything" wait_for 10 all_store 1 2 3 4
	check "group $g: all reach it, and it reaches all" reach 1 2 3 4
	capture_end "join$OUTER"
	stop x4 KILL
	xc x4 detach >/dev/null 2>&1
	t0=$SECONDS
	check "group $g: a crashed member's registrations are gone" wait_for 12 stores x1 1 2 3
	check "group $g: ... and its membership" wait_for 12 members_are x1 "$(rlocs 1 2 3)"
	holds "group $g: ... after its timeout of 6 s: $((SECONDS - t0))" "$((SECONDS - t0)) <= 9"
	check "group $g: the rest goes on" reach 1 2 3

	c=join$OUTER
	is "group $g: tshark finds nothing malformed" "$(packets $c _ws.malformed)" 0
	# (tshark counts IGMPv3 as version 3; MLDv2 reports are ICMPv6 type 143)
	[ $OUTER = 4 ] && j='igmp.version == 3 && igmp.type == 0x22' || j='icmpv6.type == 143'
	holds "group $g: joined by IGMPv3 or MLDv2" "$(packets $c "$j") > 0"
	holds "group $g: Map-Registers to the group are on the wire" "$(packets $c "lisp.type == 3 && $q") > 0"
	is "group $g: with the TTL that is configured" \
		"$(shark $c -Y "lisp.type == 3 && $q" -T fields -e ip.ttl -e ipv6.hlim | tr -d '\t' | sort -u)" 3
	[ $OUTER = 4 ] && s='ip.src == 224.0.0.0/4' || s='ipv6.src == ff00::/8'
	is "group $g: nothing has the group as its source" "$(packets $c "$s")" 0
	for i in 1 2 3; do stop x$i; xc x$i detach >/dev/null 2>&1; done
	rm -rf "$R"/x*/state/*
done
finish
