# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The life of a daemon under streams, in one attach mode: what 42-life-*.sh do. The daemon of x1 is restarted, killed,
# replaced by another version with another ABI and by the one before, started with other sizes of maps, told other
# configurations, and stopped for 20 s; not one packet may be lost, in either direction, on xtr0 and on attached ports.
#
#   h1 <=== 10,000 datagrams/s each way ===> h2 (xtr0)     p1 <=== 2,000/s each way ===> p2 (attached)
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fast.sh"

with() { # added to the configuration of x1
	{ yaml_xtr 1; printf '%s\n' "$@"; } | conf x1
}
locators_of_site1() { # number
	xcj x2 cache show | jq -e --argjson n "$1" 'any(.[]; .eid == "10.1.0.0/24" and (.locators | length) == $n)'
}
abi_of() { ls "$R/x1/bpf/xtr" | tr '\n' ' '; }

life() { # mode
	local long=300 # seconds at most: the streams end when everything has happened
	MODE=$1 NO_WIRE=1
	lab
	up || finish
	for a in 10.2.0.10 fd02::a:10; do check "warm up $a" ping4 h1 -c 2 -i 0.1 $a; done
	check "warm up ports" ping4 p1 -c 2 -i 0.1 10.2.0.130
	check "warm up ports, IPv6" ping4 p2 -c 2 -i 0.1 fd01::b:10
	is "the underlay runs in this mode" "$(xcj x1 iface show | jq -r '.[] | select(.name == "u0") | .mode')" "$MODE"
	fast_begin "h1 to h2" h1 h2 10.2.0.10 $long
	fast_begin "h2 to h1, IPv6" h2 h1 fd01::a:10 $long
	fast_begin "p1 to p2" p1 p2 10.2.0.130 $long 2000
	fast_begin "p2 to p1, IPv6" p2 p1 fd01::b:10 $long 2000
	sleep 1
	before=$(stat x1 encap)
	event restart; stop x1; start x1
	event kill -9; stop x1 KILL; start x1
	event upgrade; stop x1; BUILD=$NEXT start x1
	has "another ABI has taken over" "$(abi_of)" '^v9-[0-9-]+ $'
	holds "... and counts on from where the one before was" "$(BUILD=$NEXT stat x1 encap) >= $before"
	is "... and knows the map-cache" "$(BUILD=$NEXT xcj x1 cache show | jq '[.[] | select(.eid == "10.2.0.0/24" and (.locators | length) > 0)] | length')" 1
	event downgrade; stop x1 KILL; start x1
	has "the ABI before has taken over again" "$(abi_of)" '^v[1-8]-[0-9-]+ $'
	event larger maps; stop x1
	with 'data-plane: {cache-entries: 200000, rloc-entries: 32768}'
	start x1
	has "other sizes are in use" "$(abi_of)" '200000-32768 $'
	event much smaller maps; stop x1 KILL
	with 'data-plane: {cache-entries: 64, rloc-entries: 32}'
	start x1
	has "smaller ones, too" "$(abi_of)" '64-32 $'
	event sizes and ABI at once; stop x1
	with 'data-plane: {cache-entries: 128, rloc-entries: 64}'
	BUILD=$NEXT start x1
	event and back; stop x1
	with
	start x1
	event reload: other limits
	with 'data-plane: {cache-entries: 100000, miss-rate: 5000, icmp-rate: 500}'
	check "reload of other limits" xc x1 config reload
	event reload: one RLOC more
	OUTER=46 with
	check "reload with one RLOC more" xc x1 config reload
	check "... which the other site uses" wait_for 5 locators_of_site1 2
	sleep 0.5
	event reload: it goes again
	with
	check "reload with one RLOC less" xc x1 config reload
	sleep 1
	event stop for 20 s
	stop x1
	fallback=$(stat x1 fallback)
	sleep 20
	holds "after 20 s without a daemon the kernel resolves" "$(stat x1 fallback) > $fallback + 10000"
	event start
	start x1
	wait_fast=$(stat x1 fallback)
	sleep 1
	holds "... and with it back the templates are believed in" "$(stat x1 fallback) == $wait_fast"
	fast_over "h1 to h2" && fail "all happened while the streams ran" "$(tail -n 1 "$R/events")"
	fast_stop
	fast_end "$MODE"
	is "$MODE: nothing was dropped" "$(drops_of x1)$(drops_of x2)" "{}{}"
	down
	finish loose
}
