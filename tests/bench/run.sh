#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# make bench: every part, one after the other, then results.json, machine.json, the plots and the table.
#
#   tests/bench/run.sh BUILD [PART...]     parts: packets flood cache tcp misses scan control scale; `make bench-bin` first
#   QUICK=1: under three minutes, 3 short rounds; else 7 rounds, about ten minutes
#
# A part runs in namespaces of its own: nothing of it is left when it ends, in whatever way. With parts named, the figures of
# the others stay as they are.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
all=(packets flood cache tcp misses scan control scale)
build=$(cd "${1:-build}" && pwd) || exit 1
shift
parts=("$@")
for p in "${parts[@]}"; do
	[ -x "$here/$p.sh" ] || { echo "bench: there is no part $p; the parts are ${all[*]}" >&2; exit 1; }
done
for p in xtrd xtrctl bench/xtr-bench{,-scan,-control,-hit}; do
	[ -x "$build/$p" ] || { echo "bench: $build/$p is not built: run \`make bench-bin\` (with B=$build), or \`make bench\`" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "bench: needs root, for network namespaces and BPF" >&2; exit 1; }
# Left on by somebody, it costs each program about 60 ns, and the small ones most.
[ "$(sysctl -n kernel.bpf_stats_enabled 2>/dev/null || echo 0)" = 0 ] || {
	echo "bench: kernel.bpf_stats_enabled is on, which slows every program down: sysctl kernel.bpf_stats_enabled=0" >&2
	exit 1
}
[ ${#parts[@]} -gt 0 ] || { parts=("${all[@]}"); rm -rf "$build/bench/raw"; }
mkdir -p "$build/bench/raw"
child=
# A part is the child of an unshare(1), which lets no signal through; it takes its time to end a measurement, then cleans up.
ended() {
	trap '' INT TERM HUP
	if [ -n "$child" ]; then
		pkill -TERM -P "$child"
		for _ in {1..200}; do kill -0 "$child" 2>/dev/null || break; sleep 0.1; done
		kill -KILL "$child" 2>/dev/null
	fi
	echo "bench: ended before its time; nothing was written" >&2
	exit 130
}
trap ended INT TERM HUP
rc=0 begun=$SECONDS
for p in "${parts[@]}"; do
	at=$SECONDS
	"$here/$p.sh" "$build" &
	child=$!
	wait $child || { rc=1; echo "bench: part $p failed: its rows are not to be believed" >&2; rm -f "$build/bench/raw/$p.tsv"; }
	child=
	echo "bench: $p took $((SECONDS - at)) s"
done
"$here/table.py" "$build" results || exit 1
"$here/plot.sh" "$build"
"$here/table.py" "$build" show
echo "written: $build/bench/results.json, machine.json and plots, in $((SECONDS - begun)) s"
exit $rc
