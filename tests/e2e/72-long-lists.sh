#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Lists that are longer than one answer of the daemon may be (50000 rows): an ETR with 50100 EID-prefixes, and the Map-Server
# they are registered at, where 12000 more are configured that nobody registers. All rows come, once, plain and as JSON, soon.
#
#   etr u0 172.16.1.1 --- 172.16.1.9 u0 ms
NO_WIRE=1
. "$(dirname "$0")/lib.sh"

OWN=50100 OTHERS=12000
node etr ms
wire etr u0 ms u0
addr etr u0 172.16.1.1/24
addr ms u0 172.16.1.9/24
key=$(key site "a secret")
hosts() { seq 0 $(($2 - 1)) | awk -v n="$1" '{ printf "%d.%d.%d.%d/32\n", n, $1 / 65536, $1 / 256 % 256, $1 % 256 }'; } # first octet, how many
{
	yaml_paths etr
	printf 'rlocs:\n  - address: 172.16.1.1\netr:\n  map-servers:\n    - address: 172.16.1.9\n      key-file: %s\n  database:\n' "$key"
	hosts 10 $OWN | sed 's/^/    - eid: /'
} | conf etr
{
	yaml_paths ms
	printf 'map-server:\n  sites:\n    - name: a\n      key-file: %s\n      max-registrations: 60000\n' "$key"
	printf '      eid-prefixes:\n        - eid: 10.0.0.0/8\n          accept-more-specifics: true\n'
	printf '    - name: b\n      key-file: %s\n      eid-prefixes:\n' "$(key other "another secret")"
	hosts 11 $OTHERS | sed 's/^/        - eid: /'
} | conf ms
for n in etr ms; do
	on_exec $n "$BUILD/xtrd" -c "$R/$n/xtrd.yaml" --no-data-plane >>"$R/$n/log" 2>&1 &
	PID[$n]=$!
done
there() { [ "$(xcj etr eid show 10.0.195.179 | jq -c '.[0].acked')" = true ] && xcj ms site show | jq -e '[.[] | select(.registered)] | length == '$OWN; }
check "all are registered" wait_for 60 there

xcj etr eid show >"$R/eid"
is "eid show: all of them, each once" "$(jq '"\(length) \([.[].eid] | unique | length)"' "$R/eid")" "\"$OWN $OWN\""
is "... also plain" "$(xc etr eid show | grep -c '^10\.')" $OWN
is "... and inside a prefix" "$(xcj etr eid show 10.0.16.0/20 | jq length)" 4096
is "... of an address, only it" "$(xcj etr eid show 10.0.195.179 | jq -c '[.[].eid]')" '["10.0.195.179/32"]'
t0=$(date +%s%3N)
xcj ms site show >"$R/site"
took=$(($(date +%s%3N) - t0))
all=$((OWN + OTHERS + 1))
is "site show: all of them, each once" "$(jq '"\(length) \([.[].eid] | unique | length)"' "$R/site")" "\"$all $all\""
holds "... soon: in $took ms" "$took < 10000"
is "... what covers the others says that they are there" "$(jq -r '.[] | select(.eid == "10.0.0.0/8").why' "$R/site")" \
	"not itself, but 100 or more more-specific EID-prefixes of it are"
is "... what is not there says why" "$(jq -r '[.[] | select(.site == "b") | .why[0:34]] | unique[]' "$R/site")" "no Map-Register for it has arrived"
is "... also plain" "$(xc ms site show | grep -c '^[ab] 1')" $all
is "... of a site" "$(xcj ms site show b | jq length)" $OTHERS
is "... inside a prefix" "$(xcj ms site show 11.0.0.0/20 | jq length)" 4096
is "... of an address, the longest" "$(xcj ms site show 10.200.0.1 | jq -c '[.[].eid]')" '["10.0.0.0/8"]'
finish
