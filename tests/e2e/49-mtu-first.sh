#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Never a black hole: the underlay has no more room than the sites, every path-MTU cache is empty, and the first thing that is
# sent is bulk TCP. From the tunnel router itself, from a host behind it, from a host at an attached port, and from one that
# is a hop further away, to which the answer of the port has to be routed; both ways, both families, both outer families.
# And sites that have jumbo frames where the underlay has not. The time to the first megabyte is what it costs.
#
#                h1 --- l0 +----+           +----+ l0 --- h2
#   q1 --- p1 ----------e0 | x1 | u0 === u0 | x2 | e0 --- p2
. "$(dirname "$0")/lib.sh"

lab 1500
host_behind_p1
flush() {
	local n
	for n in h1 h2 p1 p2 q1 x1 x2; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
		ipn $n tcp_metrics flush all >/dev/null 2>&1
	done
}
first() { # name
	local line ms
	while read -r line; do
		flush
		line=$("$E2E/flows.py" "/run/netns/$NSP" <<<"$line")
		ms=${line##*first MiB in } ms=${ms% ms}
		case $line in
		ok*) holds "$1 ${line#ok }" "$ms < ${LIMIT:-500}" ;;
		*) fail "$1 ${line#bad }" "" ;;
		esac
	done <<-C
	tcp h1 h2 10.2.0.10 3000000 60
	tcp h1 h2 fd02::a:10 3000000 60
	tcp x1 h2 10.2.0.10 3000000 60
	tcp x1 h2 fd02::a:10 3000000 60
	tcp p1 p2 10.2.0.130 3000000 60
	tcp p1 p2 fd02::b:10 3000000 60
	tcp q1 p2 10.2.0.130 3000000 60
	tcp q1 p2 fd02::b:10 3000000 60
	tcp p2 q1 10.1.0.194 3000000 60
	tcp p2 q1 fd01::c:10 3000000 60
	tcp h2 q1 10.1.0.194 3000000 60
	tcp q1 h2 fd02::a:10 3000000 60
	C
}
for MODE in ${MODES:-tc xdp xdp-generic}; do
	for OUTER in 4 6; do
		NO_WIRE=1 up || finish
		first "$MODE outer $OUTER:"
		# The same with long frames in the sites.
		for l in "h1 eth0" "x1 l0" "p1 eth0" "x1 e0" "h2 eth0" "x2 l0" "p2 eth0" "x2 e0" "q1 eth0" "p1 r0"; do
			ipn "${l% *}" link set "${l#* }" mtu 9000
		done
		first "$MODE outer $OUTER, jumbo sites:"
		for l in "h1 eth0" "x1 l0" "p1 eth0" "x1 e0" "h2 eth0" "x2 l0" "p2 eth0" "x2 e0" "q1 eth0" "p1 r0"; do
			ipn "${l% *}" link set "${l#* }" mtu 1500
		done
		down
	done
done
for n in h1 h2 p1 p2 q1 x1 x2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done
finish
