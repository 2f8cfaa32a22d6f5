#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# IPv6 packets of 1280 octets have to get through (RFC 8200 5), and nobody can be told to send less. Where an IPv4 path has not the
# room for them and their outer headers, the outer packet is sent without DF: routers on the way fragment it (RFC 2473 7.1 (b)), and
# the other end reassembles. One way only: the other direction of the narrow link would drop without a word, it is a veth.
#
#   h1, p1 --- x1 ===1600=== core ===1300==> x2 --- h2, p2
. "$(dirname "$0")/lib.sh"

lab
ipn core link set c2 mtu 1300
OUTER=4
peer=$(rloc_of 2 4)
for n in 1 2; do yaml_xtr $n | conf x$n; done
yaml_ms | conf ms
yaml_mr | conf mr
start ms mr && start x1 x2 && wait_for 20 registered ms || { fail "start" "$(tail -n 3 "$R/x1/log")"; finish; }
learned() { xcj x1 rloc show | jq -r --arg a "$peer" '.[] | select(.address == $a) | .mtu'; }
for w in "h1 h2 fd02::a:10 routed" "p1 p2 fd02::b:10 attached"; do
	read -r from to a what <<<"$w"
	on "$from" ping -q -c 2 -i 0.1 "$a" >/dev/null
	on "$from" ping -q -c 2 -i 0.1 -W 0.2 -s 1232 "$a" >/dev/null # learns
	is "$what: the path is known to be narrow" "$(learned)" 1300
	before=$(stat x2 slow-path)
	dropped=$(drop x1 encap-mtu)
	s=$(stream "$from" "$to" "$a" 200 2 --size 1232)
	check "$what: 200 datagrams of 1280 octets" intact "$s"
	holds "$what: in fragments, reassembled at the other end" "$(stat x2 slow-path) - $before >= 200"
	is "$what: none was dropped for its size" "$(drop x1 encap-mtu)" "$dropped"
	before=$(stat x2 slow-path)
	s=$(stream "$from" "$to" "$a" 50 2 --size 1216)
	check "$what: what fits" intact "$s"
	is "$what: is not fragmented" "$(stat x2 slow-path)" "$before"
	check "$what: bulk TCP of 1280 octets a segment" tcp "$from" "$to" "$a" 1000000
done
finish
