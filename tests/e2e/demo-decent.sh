# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# The second act of the demo (sourced by demo.sh): three routers that are the mapping system themselves, by names in
# DNS (act_pull) and by a multicast group (act_push). A fourth joins and leaves, under traffic.
# shellcheck source=tests/e2e/mcast.sh
. "$E2E/mcast.sh"
# shellcheck source=tests/e2e/dns.sh
. "$E2E/dns.sh"
# shellcheck source=tests/e2e/decent.sh
. "$E2E/decent.sh"
ZONE=map-server.example.com

ms_since() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); } # start in microseconds
# Shows each new state of something until it is what it should be.
watch_until() { # seconds, wanted, command that prints the state...
	local t0=${EPOCHREALTIME/./} limit=$1 wanted=$2 now last=
	shift 2
	while [ "$(ms_since "$t0")" -lt $((limit * 1000)) ]; do
		now=$("$@" 2>/dev/null)
		[ "$now" = "$last" ] || printf '    %5d ms  %s\n' "$(ms_since "$t0")" "$now"
		last=$now
		[ "$now" = "$wanted" ] && return
		sleep 0.05
	done
	return 1
}
decent_underlay() { # three routers and their hosts, and one of each for later
	mcast_bridge 4
	decent_hosts 4
	TIMERS="registration-timeout: 6
	register-interval: 2
	quick-interval: 1
	unregistered-ttl-min: 1
	reply-interval: 0.001"
}
decent_reach() { # what, numbers...
	local out t0=${EPOCHREALTIME/./} what=$1 n
	shift
	n=$(($# * ($# - 1) * 2))
	if out=$(reach "$@"); then
		ok "$what: all $n pairs of host and address answer ($(ms_since "$t0") ms)"
	else
		fail "$what" "$(tr '\n' ',' <<<"$out")"
	fi
}
decent_first() { # a cold ping and a TCP transfer, and who answered
	local out
	out=$(on h1 ping -n -c 4 -i 0.1 -W 2 10.2.0.10 2>&1)
	printf '  %sh1#%s ping -c 4 10.2.0.10\n' "$bold" "$off"
	grep -E 'bytes from|packet loss' <<<"$out" | sed 's/^/    /'
	if grep -q ' 0% packet loss' <<<"$out"; then ok "4 of 4 answered from a cold map-cache"; else fail "ping" "$(tail -n 2 <<<"$out")"; fi
	out=$(tcp h3 h1 fd01::a:10 5000000)
	if [ "$(jq -r .same <<<"$out")" = true ]; then
		ok "h3 to h1: 5 MB of TCP over IPv6, the same at both ends, $(jq -r .mbit_s <<<"$out") Mbit/s"
	else
		fail "TCP" "$out"
	fi
}
decent_traffic() { # starts a stream from h1 to h2 that lasts while a fourth router comes and goes
	stream h1 h2 10.2.0.10 "$1" 2 >"$R/decent.stream" &
	STREAM=$!
}
decent_traffic_end() {
	local s
	wait $STREAM
	s=$(cat "$R/decent.stream")
	say "$(jq -r '"h1 to h2 meanwhile: sent \(.sender.sent), received \(.unique), lost \(.lost)"' <<<"$s")"
	if intact "$s" >/dev/null; then ok "none of $(jq .sender.sent <<<"$s") lost"; else fail "traffic during join and leave" "$s"; fi
}

act_pull() {
	title "xtr, act two: the routers are the mapping system (LISP-Decent, RFC 9962)"
	cat <<'T'

   site 1: h1         site 2: h2         site 3: h3         site 4: h4, joins later
   10.1.0.0/24        10.2.0.0/24        10.3.0.0/24        10.4.0.0/24
   fd01::/64          fd02::/64          fd03::/64          fd04::/64
      |                  |                  |                  |
  +--------+         +--------+         +--------+         +--------+
  |x1  xtrd|         |x2  xtrd|         |x3  xtrd|         |x4  xtrd|   each of them: tunnel router,
  +--------+         +--------+         +--------+         +--------+   Map-Server, Map-Resolver
      | 172.16.0.1       | .2               | .3               | .4
   ===+==================+=========+========+==================+====
                                   | .53
                               +------+   0.map-server.example.com  A  172.16.0.1  172.16.0.2
           no Map-Server box,  | knot |   1.map-server.example.com  A  172.16.0.2  172.16.0.3
           names instead       +------+   2.map-server.example.com  A  172.16.0.3  172.16.0.1
T
	title "Pull 1. Starting a DNS server and three routers"
	say "An EID is hashed to a number below the modulus, the number is a name, the name's addresses are the"
	say "routers that hold the registration. Every router computes the same, so nobody needs a Map-Server box."
	decent_underlay
	node dns
	wire dns u0 sw c9
	ipn sw link set c9 master br0
	addr dns u0 172.16.0.53/24
	knot_start dns 172.16.0.53 $ZONE && dns_update 'add 0 2 A 172.16.0.1' 'add 0 2 A 172.16.0.2' 'add 1 2 A 172.16.0.2' \
		'add 1 2 A 172.16.0.3' 'add 2 2 A 172.16.0.3' 'add 2 2 A 172.16.0.1' || done_line
	local i
	for i in 1 2 3 4; do decent_pull $i 3 172.16.0.53 | yaml_decent $i | conf x$i; done
	start x1 x2 x3 || done_line
	ok "knot serves $ZONE; xtrd runs on x1, x2 and x3"
	say "The whole of it in the configuration of x1:"
	sed -n '/^decent:/,/lookup-lengths/p' "$R/x1/xtrd.yaml" | head -n -1 | sed 's/^/    /'
	say "waiting until each router's prefixes are registered and confirmed:"
	if watch_until 20 "6 of 6 EID-prefixes acknowledged by all their Map-Servers" decent_acked 1 2 3; then
		ok "all sites are registered at the routers that their hash names"
	else
		fail "registration" "not within 20 s"
	fi

	title "Pull 2. Where is 10.2.0.0/24 registered?"
	printf '  %sanywhere#%s xtrctl decent hash 10.2.0.10 modulus 3 lookup 10.0.0.0/8:24\n' "$bold" "$off"
	xc x1 decent hash 10.2.0.10 modulus 3 lookup 10.0.0.0/8:24 2>&1 | sed 's/^/    /'
	xtrctl_shown x1 decent names
	decent_first
	decent_reach "sites 1 to 3" 1 2 3

	title "Pull 3. A router joins by records in DNS, and leaves the same way"
	decent_traffic 5000
	start x4 || done_line
	say "x4 runs; now it becomes one of the addresses of every name, by dynamic updates:"
	local t0=${EPOCHREALTIME/./}
	dns_update 'add 0 2 A 172.16.0.4' 'add 1 2 A 172.16.0.4' 'add 2 2 A 172.16.0.4' &&
		say "knsupdate: add {0,1,2}.$ZONE 2 A 172.16.0.4"
	if watch_until 10 "x4 holds 8 EID-prefixes" decent_holds x4; then
		ok "all four sites have registered at x4, $(ms_since "$t0") ms after the update"
	else
		fail "join" "x4 has: $(stored x4)"
	fi
	decent_reach "sites 1 to 4" 1 2 3 4
	xtrctl_shown x1 decent names
	say "and out again: the records go, the others withdraw from it, then it is switched off"
	dns_update 'del 0 A 172.16.0.4' 'del 1 A 172.16.0.4' 'del 2 A 172.16.0.4' && say "knsupdate: del {0,1,2}.$ZONE A 172.16.0.4"
	if watch_until 10 "x4 holds 0 EID-prefixes" decent_holds x4; then
		ok "x4 holds nothing any more"
	else
		fail "leave" "x4 has: $(stored x4)"
	fi
	stop x4 && xc x4 detach >/dev/null 2>&1
	decent_reach "sites 1 to 3" 1 2 3
	decent_traffic_end
	KEEP_LOOK="decent names"
}
decent_acked() { # numbers...
	local i n=0 a=0 row
	for i; do
		for row in $(xcj "x$i" eid show | jq -r 'group_by(.eid)[] | all(.[]; .acked)'); do
			n=$((n + 1))
			[ "$row" != true ] || a=$((a + 1))
		done
	done
	echo "$a of $n EID-prefixes acknowledged by all their Map-Servers"
}
decent_holds() { echo "$1 holds $(stored "$1" | wc -w) EID-prefixes"; } # node

decent_confirmed() { groups "$1" | jq -e '[.[].members[] | select(.state == "live")] | all(.[]; .acked)'; } # node

act_push() {
	title "xtr, act two: the same three routers, by push"
	cat <<'T'

   site 1: h1         site 2: h2         site 3: h3         site 4: h4, joins later
      |                  |                  |                  |
  +--------+         +--------+         +--------+         +--------+
  |x1  xtrd|         |x2  xtrd|         |x3  xtrd|         |x4  xtrd|   each of them: tunnel router,
  +--------+         +--------+         +--------+         +--------+   Map-Server, Map-Resolver
      | 172.16.0.1       | .2               | .3               | .4
   ===+==================+==================+==================+====
      '--- Map-Register to 224.1.1.1: everybody stores everything, lookups stay in the router
T
	title "Push 1. Starting three routers"
	decent_underlay
	local i t0
	for i in 1 2 3 4; do
		decent_push $i 224.1.1.1 "${TRANSPORT:-underlay}" "$([ "${TRANSPORT-}" = overlay ] && echo 'peers: [172.16.0.1]')" |
			yaml_decent $i | conf x$i
	done
	start x1 x2 x3 || done_line
	say "The whole of it in the configuration of x1:"
	sed -n '/^decent:/,$p' "$R/x1/xtrd.yaml" | sed 's/^/    /'
	say "waiting for the group at x3:"
	if watch_until 15 "172.16.0.1 172.16.0.2 172.16.0.3" members x3 && watch_until 10 "x3 holds 6 EID-prefixes" decent_holds x3; then
		ok "x3 knows all members, and has what each has registered"
	else
		fail "group" "members: $(members x3), registrations: $(stored x3)"
	fi
	wait_for 5 decent_confirmed x1
	xtrctl_shown x1 decent groups
	decent_first
	decent_reach "sites 1 to 3" 1 2 3

	title "Push 2. A router joins knowing nothing but the group, and crashes"
	decent_traffic 5000
	start x4 || done_line
	t0=${EPOCHREALTIME/./}
	if watch_until 10 "x4 holds 8 EID-prefixes" decent_holds x4; then
		ok "x4 runs, and has all registrations $(ms_since "$t0") ms later: every member has registered again at once"
	else
		fail "join" "x4 has: $(stored x4)"
	fi
	wait_for 5 all_store 1 2 3 4
	decent_reach "sites 1 to 4" 1 2 3 4
	say "kill -9 of xtrd on x4: nothing is withdrawn, its registrations time out (here after 6 s, by default after 180)"
	stop x4 KILL
	xc x4 detach >/dev/null 2>&1
	if watch_until 15 "172.16.0.1 172.16.0.2 172.16.0.3" members x1 && watch_until 5 "x1 holds 6 EID-prefixes" decent_holds x1; then
		ok "x4 is out, at every member"
	else
		fail "leave" "members: $(members x1), registrations: $(stored x1)"
	fi
	decent_reach "sites 1 to 3" 1 2 3
	decent_traffic_end
	KEEP_LOOK="decent groups"
}
