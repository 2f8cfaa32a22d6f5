#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The same packets as in packets.sh with a map-cache that grows from 1024 to 1,048,576 prefixes, to 1024, 8192 and 65,536 active
# destinations, beside routers that keep 1024 prefixes: each figure has one of those in the same round. Then the daemon of the
# large one, with as many registrations.
#
# 11.0.0.0/8 is cut into prefixes of equal length, on top of the shorter ones of the sizes before. They are written into the trie of
# the programs; the daemon finds them there when it starts again, and takes them over as those of its predecessor.
. "$(dirname "$0")/lib.sh"
CONTROL=$BENCH-control
if [ -n "${QUICK-}" ]; then sizes=28 actives=8192; else sizes="18 22 25 28" actives="1024 8192 65536"; fi

SITES="- {name: load, key-file: $(key load secret), max-registrations: 1000000,
       eid-prefixes: [{eid: 12.0.0.0/8, accept-more-specifics: true}]}"
for v in k m; do
	chain $v
	MORE="limits: {cache-entries: 1300000, registrations: 1100000, shortest-ip4: 0}
data-plane: {cache-entries: 1300000}
timers: {adopt-lifetime: 3600, registration-timeout: 3600}" ours $v
	warm $v 10.2.0.1
	ipn d$v route add local 11.0.0.0/8 dev lo
	warm $v 11.0.0.1
done
fill() { # variant, prefix length
	local j pin
	pin=$(find "$R/a$1/bpf" -name xtr_eid4 | head -n 1)
	j=$("$BENCH" fill --pin "$pin" --dst 11.0.0.0 --len "$2" --dests $((1 << ($2 - 8))) --like 11.0.0.1) ||
		{ say "prefixes of length $2 can not be written"; exit 1; }
	say "$1: $((1 << ($2 - 8))) prefixes written in $(field "$j" seconds) s"
}
one() { # variant, active, id
	local j bits
	bits=$(awk "BEGIN { print int(log($2) / log(2) + 0.5) }")
	j=$(on s$1 nice -n -15 "$BENCH" packets --dev s0 --src 10.1.0.2 --dst 11.0.0.0 --dests "$2" --shift $((24 - bits)) --ports 0x3f \
		--secs "$SECS" --sink-netns "/run/netns/${NSP}d$1" --sink-dev d0 --sink xdp 2>&1)
	record "$3" "$r" "$(field "$j" cpu_ns)"
}
fill k 18
for size in $sizes; do
	count=$((1 << (size - 8)))
	fill m $size
	for ((r = 1; r <= ROUNDS; r++)); do
		[ $size != 28 ] || round $r
		for active in $actives; do
			one k $active few-1024-$active-at-$count-ns
			one m $active many-$count-$active-ns
		done
	done
	say "$count prefixes: $(awk -v c="$count" '$1 ~ "-" c "-" && $2 == 1 { printf "%s %.4g  ", $1, $3 }' "$RAW")"
done
for n in ak bk am bm; do say "$n: $(stat $n encap) encapsulated, $(stat $n decap) decapsulated, dropped: $(drops_of $n)"; done

# The daemon alone: with what it finds, and a million registrations besides.
memory() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/${PID[am]}/status"; }
stop am && start am && hurry am || finish
record memory-cache 1 "$(memory)"
[ "$(xcj am cache show 11.0.0.16 | jq -r '.[0].eid')" = 11.0.0.16/28 ] || { say "the daemon did not take the prefixes over"; exit 1; }
node cl
link cl c0 02:00:00:00:01:01 am c1 02:00:00:00:01:02 1500
addr cl c0 172.17.0.2/24
addr am c1 172.17.0.1/24
j=$(on cl "$CONTROL" register --to 172.17.0.1 --prefixes 1000000 --records 20 --count 50000 --pid "${PID[am]}") ||
	{ say "a million registrations do not get in: $j"; exit 1; }
[ "$(control am register-accepted)" -ge 50000 ] || exit 1
record memory 1 "$(memory)"
say "the daemon with 1M prefixes: $(awk '$1 == "memory-cache" { print $3 }' "$RAW") MiB, and 1M registrations: $(memory) MiB"
stop am KILL # to save a million registrations is not what is waited for
