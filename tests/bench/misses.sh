#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the first packets to unknown EIDs live through. The Map-Server and Map-Resolver is the other router's xtrd: a message there and
# one back. Each round takes EID-prefixes that nobody has asked for yet; datagrams are numbered, and counted at a socket behind the
# other router.
. "$(dirname "$0")/lib.sh"

chain o
n=64 # EID-prefixes a run, two runs a round
for ((i = 0; i < 2 * n * ROUNDS; i++)); do EIDS="${EIDS-} 10.4.$((i / 16)).$((i % 16 * 16))/28=."; done
at=0
MODE=${MODE:-auto} MS=b ours o
ipn do route add local 10.4.0.0/16 dev lo
ipn bo route add 10.4.0.0/16 via 10.3.0.2
warm o 10.2.0.1

cold() { # datagrams to each, seconds between
	local m
	m=$(stat ao miss)
	on so "$BENCH" cold --dst 10.4.$((at / 16)).0 --dests $n --shift 4 --batch "$1" --secs "$2" --sink-netns "/run/netns/${NSP}do"
	m=$(($(stat ao miss) - m))
	[ $m -ge $n ] || { say "only $m misses for $n EID-prefixes: the map-cache was not cold" >&2; exit 1; }
}
for ((r = 1; r <= ROUNDS; r++)); do
	round $r
	j=$(cold 1 0.01) || exit 1
	at=$((at + n))
	record cold-ms $r "$(field "$j" first_ms)"
	record cold-worst-ms $r "$(field "$j" first_max_ms)"
	lost=$(field "$j" lost)
	j=$(cold 100 0.00005) || exit 1
	at=$((at + n))
	record cold-burst-ms $r "$(field "$j" first_ms)"
	record cold-lost $r $((lost + $(field "$j" lost)))
	record cold-disordered $r "$(field "$j" disordered)"
	round_ends $r
done
[ "$(drops_of ao)" = "{}" ] || say "drops: $(drops_of ao)"
