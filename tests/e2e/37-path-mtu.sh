#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A router on the way has less room than either end knows. It says so by ICMP about our outer packets (RFC 9300 7.2); what is
# learned from it holds for the hosts behind us: routes with an MTU for the overlay device, and the template that the
# programs of attached ports go by. Bulk TCP comes first and path-MTU caches are empty.
#
#   h1, p1 --- x1 ===1600=== core ===1400=== x2 --- h2, p2
. "$(dirname "$0")/lib.sh"
FRAG=$E2E/fragment.py

flush() {
	local n
	for n in h1 h2 p1 p2 x1 x2; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
	done
}
learned() { xcj x1 rloc show | jq -r --arg a "$1" '.[] | select(.address == $a) | [.mtu, (.flags | index("path-mtu") != null)] | join(" ")'; }
route_mtu() { # EID-prefix: MTU of its route in our table
	case $1 in
	*:*) ipn x1 -6 route show table 4341 ;;
	*) ipn x1 route show table 4341 ;;
	esac | awk -v p="$1" '$1 == p { for (i = 1; i < NF; i++) if ($i == "mtu") print $(i + 1) }'
}

lab
ipn core link set c2 mtu 1400
ipn x2 link set u0 mtu 1400
for OUTER in 4 6; do
	[ "$OUTER" = 4 ] || down
	over=$([ "$OUTER" = 4 ] && echo 36 || echo 56)
	inner=$((1400 - over)) peer=$(rloc_of 2 "$OUTER") own=$(rloc_of 1 "$OUTER")
	{ yaml_xtr 1; printf 'data-plane:\n  path-mtu-time: 9\n'; } | conf x1
	yaml_xtr 2 | conf x2
	yaml_ms | conf ms
	yaml_mr | conf mr
	start ms mr && start x1 x2 && wait_for 20 registered ms || { fail "outer $OUTER: start" "$(tail -n 3 "$R/x1/log")"; finish; }

	# Forged, before anything was learned: ports that give another hash, an EID that is not behind it, not our packet
	ping4 h1 -c 1 10.2.0.10 >/dev/null
	ping4 h1 -c 1 fd02::a:10 >/dev/null
	bad=$(stat x1 path-mtu-bad)
	on core "$FRAG" toobig "$own" "$own" "$peer" 1300 50000 10.1.0.10 10.2.0.10
	on core "$FRAG" toobig "$own" "$own" "$peer" 1300 50000 10.1.0.10 10.3.0.10
	on core "$FRAG" toobig "$own" "$own" "$(rloc_of 4 "$OUTER")" 1300 50000 10.1.0.10 10.2.0.10
	on core "$FRAG" toobig "$own" "$own" "$peer" 1300 1024 10.1.0.10 10.2.0.10
	counted() { [ $(($(stat x1 path-mtu-bad) - bad)) = 4 ]; }
	check "outer $OUTER: forged messages are counted as not believed" wait_for 5 counted
	is "outer $OUTER: and change nothing" "$(learned "$peer")" "0 false"

	flush
	check "outer $OUTER: bulk TCP first, routed" tcp h1 h2 10.2.0.10 4000000
	is "outer $OUTER: learned" "$(learned "$peer")" "1400 true"
	since=$SECONDS
	is "outer $OUTER: route of the EID-prefix" "$(route_mtu 10.2.0.0/24)" $inner
	is "outer $OUTER: and of the other family's behind the same locator" "$(route_mtu fd02::/64)" $inner
	holds "outer $OUTER: counted" "$(stat x1 path-mtu) > 0"
	has "outer $OUTER: logged" "$(cat "$R/x1/log")" "path to locator $peer: MTU 1400"
	check "outer $OUTER: bulk TCP, routed, IPv6" tcp h1 h2 fd02::a:10 4000000
	check "outer $OUTER: bulk TCP of x1 itself" tcp x1 h2 10.2.0.10 2000000
	flush
	check "outer $OUTER: bulk TCP from an attached port" tcp p1 p2 10.2.0.130 4000000
	check "outer $OUTER: bulk TCP from an attached port, IPv6" tcp p1 p2 fd02::b:10 4000000
	# a raise is not believed, the same again is
	on core "$FRAG" toobig "$own" "$own" "$peer" 1401 50000 10.1.0.10 10.2.0.10
	is "outer $OUTER: never raised by a message" "$(learned "$peer")" "1400 true"
	# restart: what was learned stays
	stop x1
	start x1
	kept() { [ "$(learned "$peer")" = "1400 true" ] && [ "$(route_mtu 10.2.0.0/24)" = $inner ]; }
	check "outer $OUTER: kept over a restart" wait_for 5 kept
	gone() { [ "$(learned "$peer")" = "0 false" ] && [ -z "$(route_mtu 10.2.0.0/24)$(route_mtu fd02::/64)" ]; }
	check "outer $OUTER: forgotten after a while ($((SECONDS - since)) s so far), routes too" wait_for 30 gone
	flush
	check "outer $OUTER: learned again, attached port first" tcp p1 p2 10.2.0.130 2000000
	is "outer $OUTER: it is the same" "$(learned "$peer")" "1400 true"
done
finish
