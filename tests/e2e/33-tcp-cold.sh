#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The map-cache entry of a TCP connection in full flow, in super-packets (GSO), is deleted: at its sender's router, then
# at its receiver's (the way of the acknowledgements), then at both. Super-packets wait whole and go on whole: nothing is
# lost, nothing sent again in a storm, and a tenth of a second later the connection is as fast as before.
#
#   h1, p1 --- x1 ==LISP== x2 --- h2, p2        ms, mr: Map-Server, Map-Resolver
. "$(dirname "$0")/lib.sh"

forget() { # family, router...: what is to happen, for steady.py
	local n
	printf 'sh\n-c\n'
	for n in "${@:2}"; do
		printf '%q -s %q -B %q cache delete ' "$BUILD/xtrctl" "$R/$n/xtrd.sock" "$R/$n/bpf"
		case $1$n in # the EID-prefix of the other site
		4x1) printf '10.2.0.0/24 && ' ;;
		4x2) printf '10.1.0.0/24 && ' ;;
		6x1) printf 'fd02::/64 && ' ;;
		6x2) printf 'fd01::/64 && ' ;;
		esac
	done
	echo true
}
octets() { stat_octets "$1" "$2"; } # node, counter
swift() { # result: neither silence nor storm, and as fast as before
	jq -e '.stall_ms < 100 and .retransmits <= 60 and .after > .before * 0.75' <<<"$1" >/dev/null
}
cold() { # what, from, to, address, routers...
	local what=$1 out m1 e1 o1 cmd i
	mapfile -t cmd < <(forget "$([[ $4 == *:* ]] && echo 6 || echo 4)" "${@:5}")
	for i in 1 2; do # once more where a machine that has much else to do gave the daemon no time
		m1=$(($(stat x1 miss) + $(stat x2 miss))) e1=$(stat x1 miss-event) o1=$(octets x1 miss-event)
		out=$("$E2E/steady.py" "/run/netns/$NSP" "$2" "$3" "$4" 1.6 "${cmd[@]}")
		echo "  $what: $out"
		sleep 1.6 # one Map-Reply per EID-prefix and RLOC in 3 s (RFC 9301 5.4)
		swift "$out" && break
		[ $i = 2 ] || sleep 1.5
	done
	holds "$what: it was cold" "$(stat x1 miss) + $(stat x2 miss) > $m1"
	e1=$(($(stat x1 miss-event) - e1)) o1=$(($(octets x1 miss-event) - o1))
	[[ " ${*:5} " != *" x1 "* ]] ||
		holds "$what: super-packets waited ($e1 packets of $o1 octets)" "$o1 > $e1 * 3000"
	is "$what: octets lost, damaged" "$(jq -r '"\(.lost) \(.wrong)"' <<<"$out")" "0 0"
	holds "$what: no storm of retransmissions" "$(jq .retransmits <<<"$out") <= 60"
	holds "$what: no silence of 100 ms" "$(jq .stall_ms <<<"$out") < 100"
	holds "$what: after 100 ms as fast as before" "$(jq .after <<<"$out") > $(jq .before <<<"$out") * 0.75"
}

lab
for MODE in ${MODES:-tc xdp}; do
	NO_WIRE=1 up || finish
	for a in "h1 10.2.0.10" "h1 fd02::a:10"; do check "$MODE: warm ${a#* }" ping4 "${a% *}" -c 2 -i 0.2 "${a#* }"; done
	sleep 3
	cold "$MODE, routed, IPv4, its sender's router forgets" h1 h2 10.2.0.10 x1
	cold "$MODE, port, IPv6, its sender's router forgets" p1 p2 fd02::b:10 x1
	cold "$MODE, routed, IPv4, its receiver's router forgets" h1 h2 10.2.0.10 x2
	cold "$MODE, port, IPv6, both forget" p1 p2 fd02::b:10 x1 x2
	for n in h1 h2 p1 p2 x1 x2; do is "$MODE: no checksum error at $n" "$(csum_errors $n)" 0; done
	for n in x1 x2; do is "$MODE: $n dropped nothing" "$(drops_of $n)" "{}"; done
	down
done
finish
