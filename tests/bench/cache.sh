#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What it costs to find where a packet goes, net: the lookup of the programs, with a map-cache of 1,048,576 prefixes, for 1024, 8192
# and 65,536 active destinations at random.
. "$(dirname "$0")/lib.sh"

actives="1024 8192"
[ -n "${QUICK-}" ] || actives+=" 65536"
round 1
# shellcheck disable=SC2086
while read -r active r ns; do record "hit-$active-ns" "$r" "$ns"; done < <(nice -n -15 "$BENCH-hit" 1048576 "$ROUNDS" $actives)
for ((r = 1; r <= ROUNDS; r++)); do round_ends $r; done
grep -q hit-8192-ns "$RAW"
