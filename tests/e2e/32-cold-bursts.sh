#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Bursts over a cold map-cache: 200 datagrams 20 us apart, both directions at once, so that the answer of the mapping
# system comes in the middle of each. Those before it wait in the daemon, those just behind it go behind those that wait,
# the rest goes direct: none is lost, none is late, none is damaged. By way of xtr0 and from an attached port, with TC
# alone, with XDP in the driver and with generic XDP.
#
#   h1, p1 --- x1 ==LISP== x2 --- h2, p2        ms, mr: Map-Server, Map-Resolver
. "$(dirname "$0")/lib.sh"

lab
gcc -O2 -D_GNU_SOURCE -o "$R/fast" "$E2E/fast.c" || { fail "fast.c compiles" "gcc"; finish; }

listen() { # node, address, output: the receiver of a burst; its port is PORT
	rm -f "$3" # an earlier one was ready, this one is not
	PORT=$((20000 + RANDOM % 20000))
	on_exec "$1" "$SEQ" recv --bind "$2" --port $PORT --count 200 --idle 1 >"$3" 2>&1 &
	BG+=($!)
	waits+=($!)
	wait_for 20 grep -q ready "$3"
}
burst() { # what, node1, node2, address1, address2, octets
	local what="$MODE, $1" there back m1 m2 h1 h2 s1 s2 waits=()
	xc x1 cache flush >/dev/null && xc x2 cache flush >/dev/null || fail "cache flush" "status $?"
	is "$what: both map-caches are empty" "$(xcj x1 cache show) $(xcj x2 cache show)" "[] []"
	m1=$(stat x1 miss) m2=$(stat x2 miss) h1=$(stat x1 held) h2=$(stat x2 held)
	listen "$3" "$5" "$R/there"
	there=$PORT
	listen "$2" "$4" "$R/back"
	back=$PORT
	on_exec "$2" "$R/fast" burst - "$5" $there 200 20 "$6" >"$R/sent.there" 2>&1 &
	waits+=($!)
	on_exec "$3" "$R/fast" burst - "$4" $back 200 20 "$6" >"$R/sent.back" 2>&1 &
	waits+=($!)
	wait "${waits[@]}"
	s1=$(grep -v ready "$R/there") s2=$(grep -v ready "$R/back")
	is "$what: all were sent" "$(jq .sent "$R/sent.there") $(jq .sent "$R/sent.back")" "200 200"
	is "$what: there: lost, late, twice, damaged" "$(jq -r '"\(.lost) \(.reordered) \(.duplicates) \(.corrupt)"' <<<"$s1")" "0 0 0 0"
	is "$what: back: lost, late, twice, damaged" "$(jq -r '"\(.lost) \(.reordered) \(.duplicates) \(.corrupt)"' <<<"$s2")" "0 0 0 0"
	m1=$(($(stat x1 miss) - m1)) m2=$(($(stat x2 miss) - m2))
	holds "$what: it was cold at x1" "$m1 > 0"
	holds "$what: it was cold at x2" "$m2 > 0"
	echo "  $what: waited $m1, $m2; behind those $(($(stat x1 held) - h1)), $(($(stat x2 held) - h2)); first after $(jq .first_ms <<<"$s1"), $(jq .first_ms <<<"$s2") ms; sent in $(jq .seconds "$R/sent.there"), $(jq .seconds "$R/sent.back") s"
}

for MODE in ${MODES:-tc xdp xdp-generic}; do
	NO_WIRE=1 up || finish
	burst "routed, IPv4" h1 h2 10.1.0.10 10.2.0.10 200
	burst "port, IPv6" p1 p2 fd01::b:10 fd02::b:10 200
	sleep 3.1 # one Map-Reply per EID-prefix and RLOC in 3 s (RFC 9301 5.4): the next round shall not wait for it
	burst "port, IPv4" p1 p2 10.1.0.130 10.2.0.130 1400
	burst "routed, IPv6" h1 h2 fd01::a:10 fd02::a:10 1400
	for n in h1 h2 p1 p2 x1 x2; do is "$MODE: no checksum error at $n" "$(csum_errors $n)" 0; done
	for n in x1 x2; do
		is "$MODE: $n dropped nothing" "$(drops_of $n)" "{}"
		holds "$MODE: $n injected what waited" "$(stat $n inject) >= $(stat $n miss-event)"
	done
	down
done
finish
