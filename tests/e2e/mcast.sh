# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Underlays that carry multicast in one way or another, sourced after lib.sh. Each makes the tunnel routers x1 .. xN
# with a port u0 and says in MCAST_RLOC4 and MCAST_RLOC6 (printf formats for the number) what their addresses are.
#
#   mcast_bridge N       x1 ... xN on ports of one bridge "sw": snoops IGMP and MLD, and is the querier
#
#        x1 --+--[sw: br0]--+-- x3       172.16.0.N/24, 2001:db8::N/64
#        x2 --+             +-- x4
#
#   mcast_routed N GROUP...   two multicast routers (smcroute); odd numbers are behind ra, even ones behind rb
#
#        x1 --- c1 ra t0 - t0 rb c2 --- x2      172.16.N.1/24, 2001:db8:N::1/64; the gateway is .254, ::fe
#        x3 --- c3 |           | c4 --- x4
#
#   mcast_none N         a router "core" that carries unicast only: what is multicast is dropped on its ports
#
#        x1 --- c1 core c2 --- x2               172.16.N.1/24, 2001:db8:N::1/64
#
# mcast_reaches FROM TO GROUP tells whether it does, with a sender and receiver that know nothing of LISP.

mcast_rloc() { # shellcheck disable=SC2059
	printf "$([ "${2:-4}" = 4 ] && echo "$MCAST_RLOC4" || echo "$MCAST_RLOC6")" "$1"
} # number, [family]

mcast_bridge() { # routers
	local i
	MCAST_RLOC4=172.16.0.%d MCAST_RLOC6=2001:db8::%d MCAST_MID=sw
	node sw
	ipn sw link add br0 type bridge mcast_snooping 1 mcast_query_response_interval 50 mcast_query_interval 200 \
		mcast_startup_query_interval 50 mcast_igmp_version 3 mcast_mld_version 2 mcast_query_use_ifaddr 1
	ipn sw link set br0 up
	addr sw br0 172.16.0.254/24 2001:db8::fe/64
	# after the response interval, which is how long a new querier floods
	ipn sw link set br0 type bridge mcast_querier 1
	for ((i = 1; i <= $1; i++)); do
		node x$i
		router x$i
		wire x$i u0 sw c$i "${MCAST_MTU:-1600}"
		ipn sw link set c$i master br0
		addr x$i u0 172.16.0.$i/24 2001:db8::$i/64
	done
}
mcast_star() { # middle, number: one router at a port of the middle
	node x$2
	router x$2
	wire x$2 u0 "$1" c$2 "${MCAST_MTU:-1600}"
	addr "$1" c$2 172.16.$2.254/24 2001:db8:$2::fe/64
	addr x$2 u0 172.16.$2.1/24 2001:db8:$2::1/64
	default_via x$2 172.16.$2.254 2001:db8:$2::fe
}
mcast_routed() { # routers, groups...
	local i n=$1 r f g from out
	shift
	MCAST_RLOC4=172.16.%d.1 MCAST_RLOC6=2001:db8:%d::1 MCAST_MID=ra
	node ra rb
	router ra rb
	wire ra t0 rb t0 "${MCAST_MTU:-1600}"
	addr ra t0 172.16.255.1/24 2001:db8:ffff::1/64
	addr rb t0 172.16.255.2/24 2001:db8:ffff::2/64
	default_via ra 172.16.255.2 2001:db8:ffff::2
	default_via rb 172.16.255.1 2001:db8:ffff::1
	for ((i = 1; i <= n; i++)); do
		if [ $((i % 2)) = 1 ]; then mcast_star ra $i; else mcast_star rb $i; fi
	done
	for r in ra rb; do
		for f in all default t0 $(ipn $r -j link | jq -r '.[].ifname | select(startswith("c"))'); do
			on $r sysctl -qw net.ipv4.conf.$f.rp_filter=0
		done
		out="t0 $(ipn $r -j link | jq -r '[.[].ifname | select(startswith("c"))] | join(" ")')"
		for g; do
			for from in $out; do
				echo "mroute from $from group $g to$(for f in $out; do [ "$f" = "$from" ] || printf ' %s' "$f"; done)"
			done
		done >"$R/$r/smcroute.conf"
		on_exec $r smcrouted -n -l info -s -f "$R/$r/smcroute.conf" -P "$R/$r/smcroute.pid" -u "$R/$r/smcroute.sock" \
			>"$R/$r/smcroute.log" 2>&1 &
		BG+=("$!")
	done
	for r in ra rb; do
		wait_for 5 mcast_routes $r && continue
		fail "smcroute on $r" "$(tail -n 2 "$R/$r/smcroute.log" | tr '\n' ' ')"
		return 1
	done
}
mcast_routes() { on "$1" smcroutectl -u "$R/$1/smcroute.sock" -t show routes | grep -q .; } # router
mcast_none() { # routers
	local i
	MCAST_RLOC4=172.16.%d.1 MCAST_RLOC6=2001:db8:%d::1 MCAST_MID=core
	node core
	router core
	on core nft add table netdev nomcast
	for ((i = 1; i <= $1; i++)); do
		mcast_star core $i
		# neighbour discovery is multicast too, and stays
		on core nft -f - <<-N
		table netdev nomcast {
			chain c$i {
				type filter hook ingress device c$i priority 0;
				ip daddr 224.0.0.0/4 counter drop
				ip6 daddr ff02::/16 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
				ip6 daddr ff00::/8 counter drop
			}
		}
		N
	done
}

# Datagrams that get from one router to another. The sender starts when the join has had time to be heard of.
mcast_got() { # from, to, group, [ttl]: "COUNT SOURCE..." of 5
	local port=$((20000 + RANDOM % 20000)) out rp
	out=$(mktemp -p "$R")
	on_exec "$2" "$E2E/mcast.py" recv "$3" $port u0 1.5 >"$out" 2>&1 &
	rp=$!
	BG+=("$rp")
	wait_for 20 grep -q ready "$out"
	sleep 0.3
	on "$1" "$E2E/mcast.py" send "$3" $port u0 5 "${4:-8}"
	wait $rp
	grep -v ready "$out"
}
mcast_reaches() { [ "$(mcast_got "$@" | cut -d ' ' -f 1)" = 5 ]; }
