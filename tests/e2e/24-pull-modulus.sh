#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The modulus of a pull system changes while it carries traffic: one key and a reload on one router after the other.
# Old and new are registered during a window, lookups try new, then old; no packet is lost.
#
#   h1 === datagrams, 500 a second ==> h2     x1, x2, x3: names 0..4 become 0..1 of map-server.example.com
#   x1 --- c1 core c2 --- x2
#   x3 --- c3 |  | c9 --- dns (knot)
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/dns.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 10
register-interval: 2
quick-interval: 1
request-retry-first: 0.3
request-interval: 0.05
reply-interval: 0.001"
mcast_none 3
decent_hosts 3
dns_node
knot_start dns 172.16.9.1 map-server.example.com || finish
r1=$(mcast_rloc 1) r2=$(mcast_rloc 2) r3=$(mcast_rloc 3)
dns_update "add 0 5 A $r1" "add 0 5 A $r2" "add 1 5 A $r2" "add 1 5 A $r3" "add 2 5 A $r3" "add 3 5 A $r1" "add 4 5 A $r3" || finish
write() { # number, modulus
	decent_pull "$1" "$2" 172.16.9.1 "change-window: 8" | yaml_decent "$1" | conf "x$1"
}
for i in 1 2 3; do write $i 5; done
start x1 x2 x3 || finish
acked() { xcj "$1" eid show | jq -e 'length > 0 and all(.[]; .acked)'; }
for n in x1 x2 x3; do check "$n is registered" wait_for 10 acked $n; done
check "every host reaches every other" reach 1 2 3
index() { xcj x1 decent hash "$1" modulus "$2" lookup 10.0.0.0/8:24 | jq -r .index; }
holds "the change moves EIDs: 10.2.0.0/24 from index $(index 10.2.0.10 5) to $(index 10.2.0.10 2), 10.1.0.0/24 from $(index 10.1.0.10 5) to $(index 10.1.0.10 2)" \
	"$(index 10.2.0.10 2) != $(index 10.2.0.10 5) || $(index 10.1.0.10 2) != $(index 10.1.0.10 5)"

olds() { names "$1" | jq '[.[] | select(.old)] | length'; }
stream h1 h2 10.2.0.10 8000 2 >"$R/s1" &
p1=$!
stream h2 h1 fd01::a:10 8000 2 >"$R/s2" &
p2=$!
sleep 1
for i in 1 2 3; do
	write $i 2
	check "x$i: modulus 2 by a reload" xc x$i config reload
	holds "x$i: names of both are in use, $(olds x$i) of them only by the old" "$(olds x$i) > 0"
	# lookups in the mixed state: some registered by the new modulus, some by the old
	for j in 1 2 3; do xc x$j cache flush >/dev/null; sleep 0.3; done
	is "x$i: shows the new modulus, and that the old one counts yet" \
		"$(xcj x$i decent show | jq -c '[.pull.modulus, .pull.old.modulus]')" '[2,5]'
	check "mixed state after x$i: every host reaches every other" reach 1 2 3
done
wait $p1 $p2
check "none of 8000 lost, IPv4" intact "$(cat "$R/s1")"
check "none of 8000 lost, IPv6" intact "$(cat "$R/s2")"
closed() { [ "$(xcj "$1" decent show | jq -c .pull.old)" = null ] && [ "$(olds "$1")" = 0 ]; }
for n in x1 x2 x3; do check "$n: the window closes" wait_for 15 closed $n; done
# What is at the old sets only is withdrawn: each router has the EID-prefixes whose new name has its address, and no others.
want() { # number
	local j p
	for j in 1 2 3; do
		for p in 10.$j.0.0/24 fd0$j::/64; do
			case $(xcj x1 decent hash $p modulus 2 lookup 10.0.0.0/8:24 lookup fd00::/8:64 | jq -r .index) in
			0) case $1 in 1 | 2) echo $p ;; esac ;;
			1) case $1 in 2 | 3) echo $p ;; esac ;;
			esac
		done
	done | sort | tr '\n' ' ' | sed 's/ $//'
}
as_wanted() { [ "$(stored x$1)" = "$(want $1)" ]; }
for i in 1 2 3; do check "x$i has what the new modulus gives it: $(want $i)" wait_for 12 as_wanted $i; done
flush_all 1 2 3
check "every host reaches every other" reach 1 2 3
is "no router had to be told that an EID is unknown" "$(for n in x1 x2 x3; do xcj $n cache show; done | jq -s '[.[][] | select((.locators | length) == 0)] | length')" 0
finish
