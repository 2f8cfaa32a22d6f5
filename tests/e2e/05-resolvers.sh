#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Map-Resolver failover: the first of the list does not exist, the second works; later the second dies while a third
# (on the Map-Server's host) is there. The packets that wait for the answer are not lost.
#
#   h1 --- x1 === core === x2 --- h2       resolvers of x1: 172.16.4.9 (nobody), 172.16.4.1 (mr), 172.16.3.1 (ms)
. "$(dirname "$0")/lib.sh"

lab
RESOLVERS="172.16.4.9 172.16.4.1 172.16.3.1"
yaml_ms | sed '$a map-resolver: {}' >"$R/ms.both"
up || finish
stop ms
conf ms <"$R/ms.both"
start ms
check "sites are registered" wait_for 20 registered ms

asked() { xcj x1 stats control | jq -r '."request-timeout"'; }
xc x1 cache flush >/dev/null
m=$(stat x1 miss)
RECV_IDLE=6
s=$(stream h1 h2 10.2.0.10 20 1)
check "first resolver dead: none of 20 lost" intact "$s"
holds "... and it was cold" "$(stat x1 miss) > $m"
t=$(jq .first_ms <<<"$s")
holds "the second was asked after the first had its time: $t ms" "$t > 500 && $t < 4500"

sleep 3.1
xc x1 cache flush >/dev/null
s=$(stream h1 h2 10.2.0.10 20 1)
t=$(jq .first_ms <<<"$s")
check "dead resolver rests: none of 20 lost" intact "$s"
holds "dead resolver rests: the live one is asked first, answer after $t ms" "$t < 500"

stop mr KILL
sleep 3.1
xc x1 cache flush >/dev/null
s=$(stream h1 h2 10.2.0.10 20 1)
check "second resolver dies too: none of 20 lost" intact "$s"
sleep 3.1
xc x1 cache flush >/dev/null
s=$(stream h1 h2 10.2.0.10 20 1)
t=$(jq .first_ms <<<"$s")
holds "then the third is asked first, answer after $t ms" "$t < 500"

# Nobody answers at all: the packets are dropped in bounded time, and that is counted with its reason.
stop ms KILL
sleep 3.1
xc x1 cache flush >/dev/null
d=$(drop x1 queue-timeout)
s=$(RECV_IDLE=1 stream h1 h2 10.2.0.10 20 1)
gave_up() { [ "$(drop x1 queue-timeout)" -ge $((d + 20)) ]; }
check "no resolver: the 20 waiting packets are dropped and counted as queue-timeout" wait_for 10 gave_up
finish loose
