#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Decent-Push over routed multicast: two multicast routers between the members. Then the underlay splits in the middle:
# each half goes on by itself, and after healing both have everything again (decent.md: split and heal).
#
#   h1 --- x1 --- c1 ra t0 ----- t0 rb c2 --- x2 --- h2     ra, rb: smcroute, (*,G) for IPv4 and IPv6
#   h3 --- x3 --- c3 |     ^      | c4 --- x4 --- h4
#                          split here
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 6
register-interval: 2
quick-interval: 1
quick-duration: 4
request-retry-first: 0.3
request-interval: 0.05
reply-interval: 0.001
request-holdoff: 1
unregistered-ttl-min: 1"
G4=239.1.1.1 G6=ff15::101
mcast_routed 4 $G4 $G6 || finish
decent_hosts 4
check "multicast is routed, IPv4" mcast_reaches x1 x2 $G4
check "multicast is routed, IPv6" mcast_reaches x4 x1 $G6
is "a TTL of 1 does not leave the link" "$(mcast_got x1 x2 $G4 1)" 0

for OUTER in 4 6; do
	[ $OUTER = 4 ] && g=$G4 || g=$G6
	for i in 1 2 3 4; do decent_push $i $g underlay "ttl: 8" | yaml_decent $i | conf x$i; done
	start x1 x2 x3 x4 || finish
	for n in x1 x2 x3 x4; do
		check "group $g: $n has all registrations" wait_for 10 stores $n 1 2 3 4
		check "group $g: $n knows all members" wait_for 10 members_are $n "$(rlocs 1 2 3 4)"
	done
	check "group $g: every host reaches every other" reach 1 2 3 4
	if [ $OUTER = 4 ]; then
		# ---- the split
		ipn ra link set t0 down
		for n in x1 x3; do check "split: $n has its half" wait_for 12 stores $n 1 3; done
		for n in x2 x4; do check "split: $n has its half" wait_for 12 stores $n 2 4; done
		check "split: each half knows its members" wait_for 12 members_are x1 "$(rlocs 1 3)"
		check "split: the halves work on their own" reach 1 3
		check "split: ... both" reach 2 4
		ipn ra link set t0 up
		addr ra t0 2001:db8:ffff::1/64 2>/dev/null # IPv6 addresses go with the link
		ipn ra route replace default via 172.16.255.2
		ipn ra -6 route replace default via 2001:db8:ffff::2
		for n in x1 x2 x3 x4; do
			check "healed: $n has everything again" wait_for 15 stores $n 1 2 3 4
			check "healed: $n knows all members again" wait_for 10 members_are $n "$(rlocs 1 2 3 4)"
		done
		flush_all 1 2 3 4
		check "healed: every host reaches every other" reach 1 2 3 4
	fi
	for n in x1 x2 x3 x4; do stop $n; xc $n detach >/dev/null 2>&1; done
	rm -rf "$R"/x*/state/*
done
finish
