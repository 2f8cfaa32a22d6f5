#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A cold map-cache loses nothing. The entry is deleted, so the miss counter must move; then 20 sequenced datagrams at
# 1 ms in both directions at once, on the way through xtr0 and on the attached port, both families; small packets,
# packets as large as the path takes, and whole UDP GSO packets.
#
#   h1, p1 --- x1 ==LISP== x2 --- h2, p2        ms, mr: Map-Server, Map-Resolver
. "$(dirname "$0")/lib.sh"

forget() { # both sides forget each other
	xc x1 cache flush >/dev/null && xc x2 cache flush >/dev/null || fail "cache flush" "status $?"
	is "$1: both map-caches are empty" "$(xcj x1 cache show) $(xcj x2 cache show)" "[] []"
}
cold() { # what, node1, node2, address1, address2, [options of send]
	local what=$1 a=$2 b=$3 aa=$4 ba=$5 m1 m2 s1 s2 pid n
	shift 5
	forget "$what"
	m1=$(stat x1 miss) m2=$(stat x2 miss)
	n=20
	stream "$b" "$a" "$aa" $n 1 "$@" >"$R/back" &
	pid=$!
	s1=$(stream "$a" "$b" "$ba" $n 1 "$@")
	wait $pid
	s2=$(cat "$R/back")
	check "$what: forward, none of 20 lost" intact "$s1"
	check "$what: back, none of 20 lost" intact "$s2"
	is "$what: in order" "$(jq .reordered <<<"$s1") $(jq .reordered <<<"$s2")" "0 0"
	holds "$what: it was cold at x1" "$(stat x1 miss) > $m1"
	holds "$what: it was cold at x2" "$(stat x2 miss) > $m2"
	first="$first $(jq .first_ms <<<"$s1") $(jq .first_ms <<<"$s2")"
	sleep 3.1 # one Map-Reply per EID-prefix and RLOC in 3 s (RFC 9301 5.4): the next round shall not wait for it
}

first=
lab
MODE=auto
up || finish
cold "routed, IPv4" h1 h2 10.1.0.10 10.2.0.10
cold "routed, IPv6" h1 h2 fd01::a:10 fd02::a:10
cold "port, IPv4" p1 p2 10.1.0.130 10.2.0.130
cold "port, IPv6" p1 p2 fd01::b:10 fd02::b:10
cold "host, IPv4" x1 x2 10.1.0.1 10.2.0.1 --bind ""
cold "routed, IPv4, 1400 octets" h1 h2 10.1.0.10 10.2.0.10 --size 1400
cold "routed, IPv4, GSO of 10" h1 h2 10.1.0.10 10.2.0.10 --size 1200 --gso 10
cold "port, IPv6, 1400 octets" p1 p2 fd01::b:10 fd02::b:10 --size 1400

forget "TCP"
out=$(tcp h1 h2 10.2.0.10 500000)
check "TCP from cold: content" jq -e .same <<<"$out"
# A lost SYN is repeated after 1 s; a lost answer to it too.
holds "TCP from cold: connected without a repeated SYN" "$(jq .connect_ms <<<"$out") < 900"

for n in h1 h2 p1 p2 x1 x2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done
for n in x1 x2; do
	is "$n dropped nothing" "$(drops_of $n)" "{}"
done
echo "  first datagram after, ms:$first"
finish
