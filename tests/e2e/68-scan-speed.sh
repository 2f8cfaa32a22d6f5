#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A scan over a million addresses that nobody knows, as fast as frames can be made, beside an established flow on another port
# and CPU. What the misses cost the flow is compared with the same frames to known addresses (a negative entry drops them), so
# that what the scanner itself takes from the machine is on both sides. The daemon meanwhile resolves what it is let to, with a
# bounded share of a CPU and of memory, and each packet that does not get an answer is counted.
#
#   g  eth0 (flow) --- e0 [ x1 ] u0 --- s0 rx 172.16.2.1 (counts the flow)
#      eth1 (scan) --- e1 [    ] u1 --- eth0 ms 172.16.3.1 (Map-Resolver and Map-Server: "natively forward" for each address)
. "$(dirname "$0")/lib.sh"
ROUNDS=${ROUNDS:-5} SECS=${SECS:-0.2} MODE=${MODE:-xdp} N=1000000
M=02:00:00:00:00:1

node g x1 rx ms
router x1
# each packet that arrives is counted: none may come that the test did not send, such as a report to a multicast router
on g sysctl -qw net.ipv6.conf.default.disable_ipv6=1
wire g eth0 x1 e0
wire g eth1 x1 e1
wire x1 u0 rx s0 1600
wire x1 u1 ms eth0 1600
n=0
for d in e0 e1 u0; do ipn x1 link set $d address $M$((n += 1)); done
ipn rx link set s0 address ${M}9
addr x1 e0 10.1.0.254/25
addr x1 e1 10.1.0.126/25
addr x1 u0 172.16.2.254/24
addr x1 u1 172.16.3.254/24
addr rx s0 172.16.2.1/24
addr ms eth0 172.16.3.1/24
default_via ms 172.16.3.254
ipn x1 neigh replace 172.16.2.1 lladdr ${M}9 dev u0 nud permanent
# what is forwarded natively ends here, not in the overlay again
on x1 nft -f - <<-'N'
	table ip f { chain p { type filter hook prerouting priority -500; iifname "e1" drop; }; }
N
conf ms <<Y
$(yaml_paths ms)
rlocs: [{address: 172.16.3.1}]
map-server:
  aggregates: [10.0.0.0/8]
  sites: [{name: one, key-file: $(key one "secret of site one"), eid-prefixes: [{eid: 10.1.0.0/24}]}]
map-resolver: {}
limits: {hole-ip4: 32, replies-per-rloc: 100000}
Y
conf x1 <<Y
$(yaml_paths x1)
rlocs: [{address: 172.16.2.254}]
interfaces:
  - {name: u0, role: underlay, mode: $MODE}
  - {name: e0, role: eid, mode: $MODE, untagged-only: true}
  - {name: e1, role: eid, mode: $MODE, untagged-only: true}
overlay: [{device: xtr0, routes: [10.0.0.0/8]}]
itr: {map-resolvers: [172.16.3.1]}
etr: {database: [{eid: 10.1.0.0/24}]}
Y
start ms x1 || finish
xc x1 cache add 10.2.0.0/16 rloc 172.16.2.1 && xc x1 cache add 10.32.0.0/12 action drop || { fail "static entries" xtrctl; finish; }

proc() { # clock ticks of CPU time so far, most KiB resident
	awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${PID[x1]}/stat"
	awk '/^VmHWM/ { print $2 }' "/proc/${PID[x1]}/status"
}
arrived() { on x1 ethtool -S e1 | awk '/ rx_queue_[0-9]+_xdp_packets/ { s += $NF } END { print s + 0 }'; }
sum() { local s=0 d; for d; do s=$((s + $(drop x1 "$d"))); done; echo $s; }
refused() { sum miss-limited miss-source-limited miss-eid-limited miss-ring-full miss-large-limited; }
ended() { sum queue-eid-full queue-full queue-timeout queue-negative inject-failed not-asked; }
# of what was captured, and of what met an entry that says so, what was forwarded natively
native() { echo $(($(stat x1 native) - v0)); }
left() { echo $(($(stat x1 miss-event) - e0 - ($(ended) - ended0))); }
straight() { echo $(($(arrived) - a0 - ($(stat x1 miss) - m0) - ($(drop x1 negative-drop) - n0))); }
settled() { [ $(($(left) + $(straight))) = "$(native)" ]; }

a0=$(arrived) m0=$(stat x1 miss) e0=$(stat x1 miss-event) r0=$(refused) n0=$(drop x1 negative-drop) q0=$(control ms rx-map-request) ended0=$(ended) v0=$(stat x1 native)
read -r cpu0 _ < <(proc | xargs)
t0=$(date +%s%N)
j=$(on g "$BUILD/bench/xtr-bench-scan" "$ROUNDS" "$SECS" eth0 ${M}1 10.1.0.130 10.2.0.7 eth1 ${M}2 10.1.0.10 10.32.0.0 10.64.0.0 $N \
	"/run/netns/${NSP}rx" s0) || { fail "flow and scan" "$j"; finish; }
t1=$(date +%s%N)
read -r cpu1 hwm < <(proc | xargs)
# for the benchmark
[ -z "${SCAN_OUT-}" ] || jq -c --argjson cpu $(((cpu1 - cpu0) * 1000 / $(getconf CLK_TCK))) --argjson ms $(((t1 - t0) / 1000000)) '. + {daemon: ($cpu / $ms * 100)}' <<<"$j" >"$SCAN_OUT"
median() { jq ".$1 | sort | .[length / 2 | floor]" <<<"$j"; }
# The figure in the scan over the same beside known addresses: median of the rounds, and of the best of both. Machines change
# their speed for a second or two by half as much again, which one of the two sees through.
ratio() { jq "[.unknown_$1, .known_$1] | transpose | map(.[0] / .[1]) | sort | .[length / 2 | floor] * 1000 | round / 1000" <<<"$j"; }
best() { jq "(.unknown_$1 | min) / (.known_$1 | min) * 1000 | round / 1000" <<<"$j"; }
wait_for 8 settled
m=$(($(stat x1 miss) - m0)) e=$(($(stat x1 miss-event) - e0)) r=$(($(refused) - r0)) secs=$(((t1 - t0) / 1000000))
for k in alone known unknown; do
	echo "  $k: flow $(median ${k}_mpps) Mpps, $(median ${k}_cpu_ns) ns a packet; scanner $(jq -c "[.${k}_scan_mpps, .${k}_scan_cpu_ns]" <<<"$j")"
done
echo "  unknown / known: rate $(ratio mpps), CPU time $(ratio cpu_ns), of the best rounds $(best cpu_ns)"
echo "  scan: $(jq .unknown_sent <<<"$j") frames to $N addresses; $m misses, $e captured, $r refused; Map-Requests: $(($(control ms rx-map-request) - q0)); xtrd: $(((cpu1 - cpu0) * 1000 / $(getconf CLK_TCK))) ms CPU in $secs ms, at most $hwm KiB"
echo "  drops: $(drops_of x1); natively: $(native)"
holds "as many frames as there are addresses" "$(jq .unknown_sent <<<"$j") >= $N"
holds "most of them were misses" "$m > $N * 0.9"
is "each miss was captured, or refused and counted" $((e + r)) $m
is "each packet of the scanner, and each that was captured, was dropped and counted or forwarded natively" $(($(left) + $(straight))) "$(native)"
cost=$(jq -n "[$(best cpu_ns), $(ratio cpu_ns)] | min")
holds "packets of the flow cost no more CPU than beside known addresses: $cost" "$cost < 1.2"
holds "the daemon takes less than 30 % of one CPU" "($cpu1 - $cpu0) * 1000 / $(getconf CLK_TCK) < 0.3 * $secs"
holds "and stays small" "$hwm < 120000"
finish
