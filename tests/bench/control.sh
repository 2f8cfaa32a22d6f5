#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A Map-Server and Map-Resolver (xtrd, no data plane) with 100,000 registrations of 1,000 tunnel routers, over real sockets:
# authenticated Map-Registers that are each confirmed by a Map-Notify, and Map-Requests answered for the routers. Per second of CPU
# time of the daemon, for which nothing of the client's is charged. The limits of answers are set higher than what is measured.
#
#   cl 172.20.0.0/16 ---------- ms 172.16.0.1
. "$(dirname "$0")/lib.sh"
CONTROL=$BENCH-control

node ms cl
link cl c0 ${M}1 ms m0 ${M}2 1500
addr ms m0 172.16.0.1/24
addr cl c0 172.16.0.2/24
ipn cl route add local 172.20.0.0/16 dev lo
ipn ms route add 172.20.0.0/16 via 172.16.0.2
neigh cl 172.16.0.1 ${M}2 c0
neigh ms 172.16.0.2 ${M}1 m0
# On a veth the receiver's network stack runs in the system call of the sender: receiving the answers would be charged to xtrd,
# a quarter of its time, though it is the client's. So the client's end is polled by a thread of the kernel, as another machine
# would do it by itself; what xtrd pays for is what its own host does to send. For that frames of sockets must go through NAPI,
# which a sender without TSO makes them do. The ring between has 256 places and drops what does not fit: fewer are on the way.
# (The same holds the other way round: bringing a message to xtrd's socket is charged to the client, as on a host whose NIC
# interrupts another core. It is in no figure here.)
on ms ethtool -K m0 tso off gso off
on cl unshare --mount sh -c 'mount -t sysfs sysfs /sys && echo 1 >/sys/class/net/c0/threaded' ||
	say "no threaded NAPI here: receiving the answers is charged to xtrd"
conf ms <<-Y
	$(yaml_paths ms)
	rlocs: [{address: 172.16.0.1}]
	map-resolver: {}
	map-server:
	  sites:
	    - name: all
	      key-file: $(key ms secret)
	      max-registrations: 1000000
	      eid-prefixes: [{eid: 12.0.0.0/8, accept-more-specifics: true}]
	timers: {reply-interval: 0, registration-timeout: 3600}
	limits: {replies-per-second: 10000000, replies-per-rloc: 10000000}
	Y
start ms || finish
hurry ms
taskset -pc 1 "${PID[ms]}" >/dev/null
load() { on cl nice -n -15 "$CONTROL" "$@" --window 240 --to 172.16.0.1 --pid "${PID[ms]}" --cpu 0; }
j=$(load register --prefixes 100000 --records 20 --count 5000) || { say "100,000 registrations do not get in: $j"; exit 1; }
say "100,000 registrations are there; $(field "$j" server_cpu) s of CPU time"
count=$([ -n "${QUICK-}" ] && echo 20000 || echo 100000)
for ((r = 1; r <= ROUNDS; r++)); do
	round $r
	j=$(load register --prefixes 100000 --count $count)
	record registers $r "$(jq '.per_core / 1000' <<<"$j")"
	j=$(load request --prefixes 100000 --count $count)
	record replies $r "$(jq '.per_core / 1000' <<<"$j")"
	round_ends $r
done
for c in register-accepted tx-map-notify tx-map-reply negative-sent; do say "$c: $(control ms $c)"; done
[ "$(control ms tx-map-reply)" -ge $((ROUNDS * count)) ] && [ "$(control ms negative-sent)" = 0 ] || { say "not all were answered"; exit 1; }
