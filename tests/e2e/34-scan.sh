#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A host scans a million addresses that nobody has. The mapping system gets no more Map-Requests than
# limits.requests-per-second, the daemon stays small, every packet is counted, and who has business with an EID that is
# new to the router reaches it meanwhile: the scanner itself, its neighbour, a host on another port, another tenant. Once
# with a mapping system that says no to each address, once with one that says nothing.
#
#   p1 10.1.0.130 (scans), .131 --- e0 [ x1 ] ==LISP== [ x2 ] l0 --- h2  10.2.0.10, 10.3.N.1
#   h1 ---------------------------- l0 [    ]          [    ] e7 --- q2  172.27.2.10 (instance 7)
#   q1 172.27.1.10 (instance 7) ---- e7 [    ]            dead: registered 10.128.0.0/9, and does not answer any more
. "$(dirname "$0")/lib.sh"

RATE=1000            # requests-per-second
PPS=${SCAN_PPS-120000} # so that it lasts long enough for several tries of the others; 0: as fast as it goes
lab
node q1 q2 dead
for i in 1 2; do
	wire x$i e7 q$i eth0
	addr x$i e7 172.27.$i.254/24
	addr q$i eth0 172.27.$i.10/24
	default_via q$i 172.27.$i.254
done
ipn x2 route add 10.3.0.0/16 via 10.2.0.10
for i in {1..8}; do addr h2 lo 10.3.$i.1/32; done
addr p1 eth0 10.1.0.131/25
wire dead u0 core c5 1600
addr core c5 172.16.5.254/24
addr dead u0 172.16.5.1/24
default_via dead 172.16.5.254
gcc -O2 -D_GNU_SOURCE -o "$R/fast" "$E2E/fast.c" || { fail "fast.c compiles" "gcc"; finish; }

site() { # number, more EID-prefixes...: the EID-prefixes of a site, as YAML
	printf -- '- eid: 10.%d.0.0/24\n- eid: 172.27.%d.0/24\n  instance: 7\n' "$1" "$1"
	shift
	[ $# = 0 ] || printf -- '- eid: %s\n' "$@"
}
tenant_router() { # number
	yaml_paths "x$1"
	cat <<-Y
	rlocs: [{address: 172.16.$1.1}]
	interfaces:
	  - {name: u0, role: underlay}
	  - {name: e0, role: eid}
	  - {name: e7, role: eid, instance: 7}
	overlay:
	  - {device: xtr0, routes: [10.0.0.0/8]}
	  - {device: xtr7, instance: 7, routes: [172.27.0.0/16]}
	itr:
	  map-resolvers: [172.16.4.1]
	limits:
	  requests-per-second: $RATE
	etr:
	  map-servers: [{address: 172.16.3.1, key-file: $(key "site$1" "secret of site $1")}]
	  database:
	Y
}
B=(10.3.{1..8}.0/24)
{ tenant_router 1; site 1 | sed 's/^/    /'; } | conf x1
{ tenant_router 2; site 2 "${B[@]}" | sed 's/^/    /'; } | conf x2
{
	yaml_paths dead
	cat <<-Y
	rlocs: [{address: 172.16.5.1}]
	etr:
	  map-servers: [{address: 172.16.3.1, key-file: $(key dead "secret of the dead")}]
	  database: [{eid: 10.128.0.0/9}]
	Y
} | conf dead
{
	yaml_paths ms
	cat <<-Y
	limits:
	  hole-ip4: 32
	map-server:
	  aggregates: [10.0.0.0/8, "[7]172.27.0.0/16"]
	  sites:
	    - name: dead
	      key-file: $(key dead "secret of the dead")
	      eid-prefixes: [{eid: 10.128.0.0/9}]
	    - name: site-1
	      key-file: $(key site1 "secret of site 1")
	      eid-prefixes:
	Y
	site 1 | sed 's/^/        /'
	cat <<-Y
	    - name: site-2
	      key-file: $(key site2 "secret of site 2")
	      eid-prefixes:
	Y
	site 2 "${B[@]}" | sed 's/^/        /'
} | conf ms
yaml_mr | conf mr
start ms mr && start x1 x2 dead || finish
check "all sites register" wait_for 20 registered ms || finish
stop dead KILL
check "a flow is there before the scan" ping4 h1 -c 3 -i 0.2 10.2.0.10
mac_of() { ipn "$1" -j link show "$2" | jq -r '.[0].address'; }
P1=$(mac_of p1 eth0) E0=$(mac_of x1 e0)

proc() { # node: clock ticks of CPU time so far, resident KiB now and at most
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${PID[$1]}/stat"
	awk '/^VmRSS/ { print $2 }' "/proc/${PID[$1]}/status"
	awk '/^VmHWM/ { print $2 }' "/proc/${PID[$1]}/status"
}
refusals() { echo $(($(drop x1 miss-limited) + $(drop x1 miss-source-limited) + $(drop x1 miss-eid-limited) + $(drop x1 miss-ring-full) + $(drop x1 miss-large-limited))); }
# Time and runs of the program that meets the misses, as the kernel keeps them while bpf_stats_enabled is 1.
prog_time() { bpftool -j prog show pinned "$R"/x1/bpf/xtr/v*/xtr_tc_encap 2>/dev/null | jq '.run_time_ns // 0, .run_cnt // 0'; }
tries() { # name of the log of a ping: sequence number of the first answer; 99: none
	awk -F'[= ]' '/icmp_seq=/ && /time=/ { for (i = 1; i < NF; i++) if ($i == "icmp_seq") { print $(i + 1); exit } }' "$1" | grep . || echo 99
}
try() { # name, node, from, to
	on_exec "$2" ping -n -c 9 -i 1 -W 1 -I "$3" "$4" >"$R/ping.$1" 2>&1 &
	waits+=($!)
}

scan() { # what, first address, count, packets/s, number of the unused prefixes
	local what=$1 n=$5 waits=() flow s t0 t1 m0 m1 r0 r1 e0 e1 q0 q1 cpu0 cpu1 rss hwm secs k ns0 ns1 runs0 runs1 stats
	stats=$(sysctl -n kernel.bpf_stats_enabled)
	sysctl -qw kernel.bpf_stats_enabled=1
	read -r ns0 runs0 < <(prog_time | xargs)
	m0=$(stat x1 miss) r0=$(refusals) e0=$(stat x1 miss-event) q0=$(control mr rx-map-request)
	read -r cpu0 _ _ < <(proc x1 | xargs)
	t0=$(date +%s%N)
	stream h1 h2 10.2.0.10 8000 1 >"$R/flow" &
	flow=$!
	sleep 0.5
	on_exec p1 "$R/fast" scan eth0 "$P1" "$E0" 10.1.0.130 "$2" "$3" "$4" >"$R/scan" 2>&1 &
	k=$!
	sleep 1
	try same p1 10.1.0.130 10.3.$n.1
	try neighbour p1 10.1.0.131 10.3.$((n + 1)).1
	try port h1 10.1.0.10 10.3.$((n + 2)).1
	try tenant q1 172.27.1.10 172.27.2.10
	wait $k
	wait $flow
	t1=$(date +%s%N)
	read -r ns1 runs1 < <(prog_time | xargs)
	sysctl -qw kernel.bpf_stats_enabled="$stats"
	read -r cpu1 rss hwm < <(proc x1 | xargs)
	q1=$(control mr rx-map-request)
	wait "${waits[@]}"
	secs=$(((t1 - t0) / 1000000))
	s=$(cat "$R/scan")
	m1=$(stat x1 miss) r1=$(refusals) e1=$(stat x1 miss-event)
	echo "  $what: $(jq -c . <<<"$s"), $((m1 - m0)) misses, $((e1 - e0)) captured, $((r1 - r0)) refused"
	echo "  $what: Map-Requests at the Map-Resolver: $((q1 - q0)) in $secs ms; xtrd: CPU $(((cpu1 - cpu0) * 1000 / $(getconf CLK_TCK))) ms, RSS $rss KiB, at most $hwm KiB"
	[ "$runs1" -gt "$runs0" ] && echo "  $what: the program took $(((ns1 - ns0) / (runs1 - runs0))) ns a packet on average, $(((m1 - m0) * 100 / (runs1 - runs0))) % of them misses"
	echo "  $what: drops at x1: $(drops_of x1)"
	is "$what: all of it was sent" "$(jq .sent <<<"$s")" "$3"
	holds "$what: it was misses" "$((m1 - m0)) > $3 * 9 / 10"
	is "$what: every miss was captured, or refused and counted" $((e1 - e0 + r1 - r0)) $((m1 - m0))
	holds "$what: the sender was limited as such" "$(drop x1 miss-source-limited) > 0"
	holds "$what: Map-Requests were within the limit" "$((q1 - q0)) <= $RATE * ($secs / 1000 + 1.5)"
	holds "$what: and as many as the limit allows" "$((q1 - q0)) > $RATE * 2"
	check "$what: the flow before it lost nothing" intact "$(cat "$R/flow")"
	is "$what: nor its order" "$(jq .reordered "$R/flow")" 0
	holds "$what: the scanner itself reaches a new EID, at try $(tries "$R/ping.same")" "$(tries "$R/ping.same") <= 4"
	holds "$what: its neighbour does, at try $(tries "$R/ping.neighbour")" "$(tries "$R/ping.neighbour") <= 3"
	holds "$what: a host on another port does, at try $(tries "$R/ping.port")" "$(tries "$R/ping.port") <= 3"
	holds "$what: another tenant does, at try $(tries "$R/ping.tenant")" "$(tries "$R/ping.tenant") <= 3"
	# 100 MiB is what a full map-cache may take; a growing queue would take much more
	holds "$what: the daemon stays small" "$hwm < 120000"
	holds "$what: and has time left" "($cpu1 - $cpu0) * 10 < $secs * 0.5"
}

scan "answered no" 10.64.0.0 1000000 $PPS 1
xc x1 cache flush >/dev/null
check "the flow is there again" ping4 h1 -c 3 -i 0.2 10.2.0.10
scan "no answer" 10.128.0.0 1000000 $PPS 5
holds "questions without an answer were given up for others" "$(control x1 request-yielded) > 0"
finish
