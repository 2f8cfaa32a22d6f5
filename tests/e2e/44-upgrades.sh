#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Upgrades that are killed at any moment, under a stream: each next start finishes what the one before began, whichever of
# two versions it is. And one owner at a time: a second daemon, or another network namespace on the same BPF file system, is
# refused.
#
#   h1 <=== 10,000 datagrams/s each way ===> h2
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fast.sh"

# Starts a version and kills it so many milliseconds later.
begin_and_kill() { # build folder, milliseconds
	on_exec x1 "$1/xtrd" -c "$R/x1/xtrd.yaml" >>"$R/x1/log" 2>&1 &
	local p=$!
	sleep "$(printf '0.%03d' "$2")"
	kill -KILL $p 2>/dev/null
	wait $p 2>/dev/null
}
folders() { find "$R/x1/bpf/xtr" -maxdepth 1 -mindepth 1 | wc -l; }

lab
MODE=auto NO_WIRE=1
up || finish
check "warm up" ping4 h1 -c 2 -i 0.1 10.2.0.10

# ---- one owner
out=$(on x1 timeout 20 "$BUILD/xtrd" -c "$R/x1/xtrd.yaml" 2>&1)
[ $? != 0 ] && has "a second daemon is refused, and told why" "$out" 'another xtrd|control-socket|already' ||
	fail "a second daemon is refused" "$out"
if out=$(nsenter --net=/run/netns/${NSP}h1 -- "$BUILD/xtrctl" -B "$R/x1/bpf" detach 2>&1); then
	fail "detach from another namespace is refused while the daemon runs" "$out"
else
	has "detach from another namespace is refused while the daemon runs" "$out" 'running xtrd'
fi
stop x1
if out=$(nsenter --net=/run/netns/${NSP}h1 -- "$BUILD/xtrctl" -B "$R/x1/bpf" detach 2>&1); then
	fail "and when it does not" "$out"
else
	has "and when it does not" "$out" 'another network namespace'
fi
check "traffic goes on" ping4 h1 -c 1 10.2.0.10

# ---- killed
fast_begin "h1 to h2" h1 h2 10.2.0.10 24
fast_begin "h2 to h1" h2 h1 10.1.0.10 24
n=0
while [ $n -lt 20 ] && [ $(($(date +%s%3N) - FAST_T0)) -lt 18000 ]; do
	n=$((n + 1))
	[ $((n % 2)) = 0 ] && b=$BUILD || b=$NEXT
	event "start $n of $b"
	begin_and_kill $b $((RANDOM % 600 + 20))
done
start x1
is "after $n starts that were killed the next one leaves one folder" "$(folders)" 1
check "... with everything in it" wait_for 5 cached x1 10.2.0.0/24
holds "the streams still run: $(tail -n 1 "$R/events")" "$(($(date +%s%3N) - FAST_T0)) < 24000"
fast_end "$n starts killed"
is "nothing was dropped" "$(drops_of x1)" "{}"
finish loose
