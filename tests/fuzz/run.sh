#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Runs every fuzz target of BUILD/fuzz from the corpus in the tree, which is copied first and stays as it is.
#
#   tests/fuzz/run.sh BUILD SECONDS         each target for SECONDS
#   tests/fuzz/run.sh BUILD --total N       N seconds divided among the targets
#   tests/fuzz/run.sh BUILD --merge SECONDS as the first; inputs that reach new code are added to tests/fuzz/corpus
#
# ONLY=PATTERN runs the targets whose name matches. One line per target; an input that crashes one is kept in
# BUILD/fuzz-crashes and named. Last line: "fuzz: N passed, N failed"; exit status 1 if any failed or none ran.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

usage() {
	sed -n '3,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

[ $# -ge 2 ] || usage
build=$1 total='' merge=0 seconds=''
case $2 in
--total) total=${3:?--total needs seconds} ;;
--merge) merge=1 seconds=${3:?--merge needs seconds} ;;
*) seconds=$2 ;;
esac
[[ ${total:-0}${seconds:-0} =~ ^[0-9]+$ ]] || usage

targets=()
for t in "$build"/fuzz/fuzz_*; do
	[ -f "$t" ] && [ -x "$t" ] || continue
	# shellcheck disable=SC2053
	[[ $(basename "$t") == ${ONLY:-*} ]] && targets+=("$t")
done
if [ ${#targets[@]} = 0 ]; then
	echo "no fuzz target in $build/fuzz (make fuzz-bin builds them)"
	echo "fuzz: 0 passed, 1 failed"
	exit 1
fi
if [ -n "$total" ]; then
	seconds=$((total / ${#targets[@]}))
	[ $seconds -gt 0 ] || seconds=1
fi

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$build/fuzz-crashes" || exit 2
passed=0 failed=0

for t in "${targets[@]}"; do
	name=$(basename "$t")
	name=${name#fuzz_}
	seeds=tests/fuzz/corpus/$name
	work=$tmp/$name
	mkdir -p "$work"
	[ ! -d "$seeds" ] || cp -r "$seeds/." "$work/"
	given=$(find "$work" -type f | wc -l)
	# Leaks count; 10 s for one input is an endless loop; the limit catches an allocation by a count from the input.
	"$t" -max_total_time="$seconds" -max_len=2048 -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 -print_final_stats=1 \
		-artifact_prefix="$build/fuzz-crashes/$name-" "$work" >"$tmp/$name.log" 2>&1
	rc=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tmp/$name.log" | tail -n 1)
	cov=$(grep -oE 'cov: [0-9]+' "$tmp/$name.log" | tail -n 1)
	if [ $rc = 0 ] && [ "${runs:-0}" -gt 0 ]; then
		passed=$((passed + 1))
		printf 'ok   %-14s %9s runs in %s s, %s, %s seeds\n' "$name" "$runs" "$seconds" "${cov:-no coverage}" "$given"
	else
		failed=$((failed + 1))
		found=$(sed -n 's/^artifact_prefix=.*Test unit written to //p' "$tmp/$name.log" | tail -n 1)
		printf 'FAIL %-14s status %s, input: %s\n' "$name" $rc "${found:-none written}"
		grep -E 'not true|ERROR|runtime error|SUMMARY' "$tmp/$name.log" | head -n 4 | sed 's/^/     /'
		[ -z "$found" ] || echo "     again: $t $found"
		continue
	fi
	if [ $merge = 1 ]; then
		mkdir -p "$seeds"
		# Only what reaches an edge that the seeds do not: the corpus stays small enough to read.
		"$t" -merge=1 -use_counters=0 -max_len=400 "$seeds" "$work" >"$tmp/$name.merge" 2>&1 ||
			{ cat "$tmp/$name.merge"; exit 1; }
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
