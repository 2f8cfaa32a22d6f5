# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Sequenced UDP streams of 10,000 datagrams a second through whatever happens meanwhile (stream.c). A script sources this
# after lib.sh. What happened when is written down, and where a stream has holes.
STREAM=$BUILD/tests/e2e/stream
NEXT=$BUILD/next # another build, whose ABI has another number
[ -x "$STREAM" ] && [ -x "$NEXT/xtrd" ] || { fail setup "no $STREAM or $NEXT/xtrd: make e2e-bin"; finish; }
declare -A FAST=() FAST_FROM=() # receivers, senders

fast_begin() { # name, from-node, to-node, to-address, seconds, [datagrams a second]
	local rate=${6:-10000} port=$((20000 + RANDOM % 20000)) n
	n=$(($5 * rate))
	rm -f "$R/$1.recv" # an earlier one was ready, this one is not
	on_exec "$3" "$STREAM" recv "$4" $port $n "${FAST_IDLE:-3}" >"$R/$1.recv" 2>&1 &
	FAST[$1]=$!
	BG+=($!)
	wait_for 20 grep -q ready "$R/$1.recv"
	on_exec "$2" "$STREAM" send "$4" $port $n "$rate" >"$R/$1.send" 2>&1 &
	FAST_FROM[$1]=$!
	BG+=($!)
	[ -n "${FAST_T0-}" ] || { FAST_T0=$(date +%s%3N); : >"$R/events"; }
}
event() { # what: from now on
	echo "$(($(date +%s%3N) - FAST_T0)) ms: $*" >>"$R/events"
}
fast_over() { # name: is it?
	! kill -0 "${FAST[$1]}" 2>/dev/null
}
fast_stop() { # the streams end now, whatever is left of them
	kill -TERM "${FAST_FROM[@]}" 2>/dev/null
	wait "${FAST_FROM[@]}"
}
fast_end() { # what; judges every stream
	local s bad=0 name
	for name in "${!FAST[@]}"; do
		wait "${FAST[$name]}"
		s=$(grep -v ready "$R/$name.recv")
		[ "$(jq '.refused' "$R/$name.send")" = 0 ] || fail "$1: $name: the sender's stack takes everything" "$(cat "$R/$name.send")"
		if jq -e '.lost == 0 and .duplicates == 0 and .corrupt == 0 and .received > 0' <<<"$s" >/dev/null; then
			ok "$1: $name: none of $(jq .received <<<"$s") lost, doubled or damaged; longest silence $(jq .max_gap_ms <<<"$s") ms"
		else
			fail "$1: $name: none lost, doubled or damaged" "$s"
			bad=1
		fi
	done
	[ $bad = 0 ] || sed 's/^/  | /' "$R/events"
	FAST=() FAST_FROM=()
	FAST_T0=
}
# Judges the longest silence of both streams, and that they went on to their end.
recovers() { # what, seconds of the streams, most milliseconds of silence, commands; ONEWAY: nothing comes back
	local name s gap FAST_IDLE=14
	fast_begin "h1 to h2" h1 h2 10.2.0.10 "$2" 1000
	[ -n "${ONEWAY-}" ] || fast_begin "h2 to h1" h2 h1 10.1.0.10 "$2" 1000
	sleep 0.5
	eval "$4"
	for name in "${!FAST[@]}"; do
		wait "${FAST[$name]}"
		s=$(grep -v ready "$R/$name.recv")
		gap=$(jq '.max_gap_ms | floor' <<<"$s")
		# the end is there: what is missing last is not the last
		if [ "$gap" -le "$3" ] && ! jq -e --arg n "-$(($2 * 1000 - 1))" 'any(.missing[]; endswith($n))' <<<"$s" >/dev/null &&
			jq -e '.duplicates == 0 and .corrupt == 0 and .received > 0' <<<"$s" >/dev/null; then
			ok "$1: $name: silent for $gap ms, $(jq .lost <<<"$s") lost"
		else
			fail "$1: $name: silent for at most $3 ms" "$s"
		fi
	done
	FAST=() FAST_FROM=() FAST_T0=
}
