#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `xtrctl detach` leaves nothing behind: the host is compared with what it was before xtrd first ran.
#
#   h1, p1 --- x1 ==LISP== x2 --- h2, p2
. "$(dirname "$0")/lib.sh"

# Everything xtrd could touch, in words that can be compared. Counters and ages are left out, nothing else is.
snapshot() { # node
	local n=$1 d
	echo "# links"; ipn "$n" -d -j link show | jq -S 'map(del(.stats, .stats64))'
	for f in -4 -6; do
		echo "# addresses $f"; ipn "$n" -j $f addr show | jq -S .
		echo "# rules $f"; ipn "$n" $f rule show
		echo "# routes $f"; ipn "$n" $f route show table all | sed -E 's/ expires [0-9]+sec//' | sort
	done
	echo "# permanent or managed neighbours"; ipn "$n" neigh show | grep -E 'PERMANENT|NOARP|managed|extern_learn'
	for d in lo u0 l0 e0; do
		echo "# tc $d"
		on "$n" tc qdisc show dev $d
		on "$n" tc filter show dev $d ingress
		on "$n" tc filter show dev $d egress
		echo "# offload $d"; on "$n" ethtool -k $d
	done
	echo "# bpftool net"; on "$n" bpftool net show | sed -E 's/ id [0-9]+//g'
	echo "# sysctl"; on "$n" sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(conf|neigh)\.|forward' | sort
	echo "# pins"; (cd "$R/$n/bpf" && find . | sort)
	echo "# sockets"; on "$n" ss -Hlnupx0 2>/dev/null | grep -i xtr
}
objects() { # node: ids of what is pinned: "prog 12", "map 34", "link 56"
	local kind
	for kind in prog map link; do
		on "$1" bpftool -j -f $kind show 2>/dev/null |
			jq -r --arg k $kind --arg d "$R/$1/bpf/" '.[] | select(any(.pinned[]?; startswith($d))) | "\($k) \(.id)"'
	done
}
gone() { # file with objects: none of them is in the kernel any more
	local kind id left=0
	while read -r kind id; do
		bpftool $kind show id "$id" >/dev/null 2>&1 && echo "$kind $id is still there" && left=1
	done <"$1"
	return $left
}

lab
snapshot x1 >"$R/before"
for mode in auto xdp xdp-generic tc; do
	MODE=$mode
	up || finish
	check "$mode: traffic v4" ping4 h1 -c 2 -i 0.1 10.2.0.10
	check "$mode: traffic v6, port" ping4 p1 -c 2 -i 0.1 fd02::b:10
	objects x1 >"$R/objects"
	holds "$mode: there is something to remove: $(wc -l <"$R/objects") kernel objects" "$(wc -l <"$R/objects") > 20"
	if out=$(xc x1 detach 2>&1); then
		fail "$mode: detach under a running daemon is refused" "it was not"
	else
		has "$mode: detach under a running daemon is refused" "$out" 'xtrd|daemon|running'
	fi
	check "$mode: traffic goes on after that" ping4 h1 -c 1 10.2.0.10
	wire_end
	stop x1
	check "$mode: traffic goes on without the daemon" ping4 h1 -c 1 10.2.0.10
	check "$mode: detach" xc x1 detach
	snapshot x1 >"$R/after"
	if diff "$R/before" "$R/after" >"$R/diff"; then
		ok "$mode: the host is as it was"
	else
		fail "$mode: the host is as it was" "$(grep -c '^[<>]' "$R/diff") lines differ"
		sed 's/^/  | /' "$R/diff" | head -n 40
	fi
	check "$mode: no program, map or link is left in the kernel" wait_for 5 gone "$R/objects"
	check "$mode: detach again is harmless" xc x1 detach
	stop x2
	stop ms
	stop mr
	xc x2 detach >/dev/null
done

# Somebody else's things on the same interfaces are left alone.
on x1 tc qdisc add dev u0 clsact
on x1 tc filter add dev u0 ingress pref 7 protocol ip u32 match u32 0 0 action pass
ipn x1 rule add to 198.18.0.0/15 lookup 100 priority 99
ipn x1 route add 198.18.0.0/15 via 172.16.1.254 table 100
snapshot x1 >"$R/before"
MODE=tc
up || finish
check "with others' rules: traffic" ping4 h1 -c 2 -i 0.1 10.2.0.10
wire_end
stop x1
check "with others' rules: detach" xc x1 detach
snapshot x1 >"$R/after"
check "with others' rules: the host is as it was" diff "$R/before" "$R/after"
finish
