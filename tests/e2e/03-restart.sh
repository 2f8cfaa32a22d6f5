#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The daemon is stopped, killed and started under traffic: the data plane stays, nothing is lost, and the new daemon
# takes over what it finds instead of asking for it again.
#
#   h1 <=== 1000 datagrams/s each way ===> h2      p1 <=== the same ===> p2
#   x1, x2: SIGTERM + start, kill -9 + start, in turn
. "$(dirname "$0")/lib.sh"

lab
MODE=auto
up || finish
for a in 10.2.0.10 fd02::a:10; do check "warm up $a" ping4 h1 -c 2 -i 0.1 $a; done
check "warm up port" ping4 p1 -c 2 -i 0.1 10.2.0.130
replayed=$(control ms drop-replayed-nonce)

under_traffic() { # what, commands as one string
	local s p=() i files
	for i in "h1 h2 10.2.0.10" "h2 h1 fd01::a:10" "p1 p2 10.2.0.130" "p2 p1 fd01::b:10"; do
		# shellcheck disable=SC2086
		stream $i 4000 1 >"$R/s${#p[@]}" &
		p+=($!)
	done
	sleep 1
	eval "$2"
	for i in "${!p[@]}"; do
		wait "${p[$i]}"
		s=$(cat "$R/s$i")
		check "$1: stream $i, none of 4000 lost" intact "$s"
		is "$1: stream $i, in order" "$(jq .reordered <<<"$s")" 0
	done
}
misses() { echo "$(stat x1 miss) $(stat x2 miss)"; }

m=$(misses)
under_traffic "SIGTERM and start" 'stop x1; sleep 0.3; start x1; stop x2; sleep 0.3; start x2'
is "SIGTERM and start: no entry had to be asked for again" "$(misses)" "$m"
under_traffic "kill -9 and start" 'stop x1 KILL; sleep 0.3; start x1; stop x2 KILL; sleep 0.3; start x2'
is "kill -9 and start: no entry had to be asked for again" "$(misses)" "$m"
check "the map-cache is there after it" cached x1 10.2.0.0/24
is "entries were adopted" "$(xcj x1 cache show | jq -r '[.[] | select(.eid == "10.2.0.0/24") | .source | IN("adopted", "reply", "map-reply")] | all')" true

# Registration goes on with the next nonce: a Map-Server refuses any that is not above the last (RFC 9301 5.6).
accepted=$(control ms register-accepted)
again() { [ "$(control ms register-accepted)" -gt "$accepted" ]; }
stop x1 && start x1
check "registered again after a restart" wait_for 10 again
is "no nonce was used twice" "$(control ms drop-replayed-nonce)" "$replayed"

# The daemons dead for longer than the programs believe in their layer-2 headers (10 s): the kernel resolves from then on.
stop x1 KILL
stop x2 KILL
f=$(stat x1 fallback)
stream h1 h2 10.2.0.10 3600 5 >"$R/long" &
long=$!
s=$(stream p2 p1 fd01::b:10 3600 5)
wait $long
check "both daemons dead for 18 s: none of 3600 lost" intact "$(cat "$R/long")"
check "both daemons dead for 18 s: none of 3600 lost on the ports, IPv6" intact "$s"
holds "... the last of them with the kernel's own resolution" "$(stat x1 fallback) > $f"
on core sysctl -qw net.ipv4.conf.c1.arp_notify=1
ipn core link set c1 address 02:00:00:aa:bb:cc
has "the gateway's MAC changes, nobody there to tell the programs" "$(ping4 h1 -c 10 -i 0.1 10.2.0.10)" ' 0% packet loss'
start x1 x2 || finish
has "and with the daemons back" "$(ping4 h1 -c 10 -i 0.1 10.2.0.10)" ' 0% packet loss'

# A Map-Server that restarts knows who was registered.
stop ms
start ms
check "registrations survive a restart of the Map-Server" registered ms
for n in h1 h2 p1 p2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done
wire_end loose

# What was set by hand stays until it is removed by hand, whatever happens to the daemon and to the kernel's state.
by_hand() { xcj x1 cache show | jq -c '[.[] | select(.source == "static") | [.eid, .action, .ttl_left, .installed, [.locators[]?.weight]]]'; }
kept='[["10.8.0.0/16","drop",null,true,[]],["10.9.0.0/16","encapsulate",null,true,[50,200]]]'
check "static entry: drop" xc x1 cache add 10.8.0.0/16 action drop
check "static entry: weights" xc x1 cache add 10.9.0.0/16 rloc 172.16.2.1 weight 50 rloc 172.16.2.2 weight 200
is "static entries are there" "$(by_hand)" "$kept"
stop x1 KILL; start x1
is "static entries: after kill -9" "$(by_hand)" "$kept"
stop x1; start x1
is "static entries: after SIGTERM" "$(by_hand)" "$kept"
stop x1; check "detach" xc x1 detach; start x1
is "static entries: after detach" "$(by_hand)" "$kept"
xc x1 cache delete 10.9.0.0/16 >"$R/deleted"
xc x1 cache flush >>"$R/deleted"
stop x1 KILL; start x1
is "removed ones stay removed" "$(by_hand)" '[]'
printf garbage >"$R/x1/state/itr-static"
stop x1 KILL; start x1
has "a damaged file is said to be" "$(cat "$R/x1/log")" 'itr-static: damaged, or of another version'
finish
