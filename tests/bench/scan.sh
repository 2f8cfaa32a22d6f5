#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What a scan over a million unknown addresses at full rate costs an established flow on another port and CPU, against the same
# frames to addresses that a negative entry answers for; and what it costs the daemon. The stage is that of the test.
. "$(dirname "$0")/lib.sh"

round 1
SCAN_OUT=$R/scan ROUNDS=$ROUNDS SECS=$SECS "$E2E/68-scan-speed.sh" "$BUILD" >"$R/scan.log" 2>&1 || { grep -v ^ok "$R/scan.log"; exit 1; }
for k in alone known unknown; do
	for ((r = 1; r <= ROUNDS; r++)); do
		for f in mpps cpu_ns; do record scan-$k-${f//_/-} $r "$(jq ".${k}_$f[$((r - 1))]" "$R/scan")"; done
	done
	record scan-$k-sent-mpps 1 "$(jq ".${k}_scan_mpps" "$R/scan")"
	record scan-$k-sent-ns 1 "$(jq ".${k}_scan_cpu_ns" "$R/scan")"
done
record scan-daemon 1 "$(jq .daemon "$R/scan")"
sed -n 's/^  //p' "$R/scan.log" | while read -r l; do say "$l"; done
