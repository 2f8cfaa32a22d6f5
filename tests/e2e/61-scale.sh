#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A large map-cache over 256 instances: loaded by batches from a file; random lookups in the programs' tables take the right
# entry, before and after the daemon was killed and has taken the table over; while it is loaded, shown and flushed, the
# daemon answers others; its maps say how full they are; what finds no place is refused.
#
#   p1 --- e0, a VLAN an instance --- x1 u0 --- c1 core
#
#   tests/e2e/61-scale.sh BUILD           SCALE entries (25,600); SCALE=1000000 is the whole thing and takes minutes
NO_WIRE=1
. "$(dirname "$0")/lib.sh"

SCALE=${SCALE:-25600}
INSTANCES=256 VLANS=8 LOOKUPS=600
mapfile -t RLOCS < <(for i in {2..40}; do echo "172.16.2.$i"; done)

lab
interfaces() { for ((i = 1; i <= VLANS; i++)); do echo "  - {name: e0, role: eid, mode: tc, vlan: $i, instance: $i}"; done; }
overlays() { for ((i = 1; i <= VLANS; i++)); do echo "  - {device: ov$i, instance: $i, routes: [172.31.$i.0/24, \"2001:db8:99:$i::/64\"]}"; done; }
yaml() { # places in the kernel
	yaml_xtr 1 | sed -e '/name: e0/,/mode:/d' -e "/^overlay:/e cat '$R/interfaces'" -e "/^etr:/e cat '$R/overlays'"
	cat <<-Y
	data-plane:
	  cache-entries: $1
	  check-source: false
	limits:
	  cache-entries: $((entries + 8))
	Y
}
interfaces >"$R/interfaces"
overlays >"$R/overlays"
"$E2E/scale_table.py" "$SCALE" $INSTANCES "${RLOCS[@]}" >"$R/table"
entries=$(wc -l <"$R/table")
four=$(grep -vc : "$R/table")
PLACES=$((entries * 98 / 100)) # in the kernel, of a family: 90 % of the entries are IPv4
yaml $PLACES | conf x1
start x1 || finish

millis() { date +%s%3N; }
others() { # name, command...: the daemon answers others meanwhile
	local name=$1 t0 out
	shift
	rm -f "$R/latency" # an earlier one was ready, this one is not
	"$E2E/ctl_latency.py" "$R/x1/xtrd.sock" >"$R/latency" 2>&1 &
	local p=$!
	BG+=("$p")
	wait_for 10 grep -q ready "$R/latency"
	t0=$(millis)
	"$@" >"$R/out" 2>"$R/err"
	STATUS=$?
	TOOK=$(($(millis) - t0))
	kill -TERM $p
	wait $p
	out=$(tail -n 1 "$R/latency")
	echo "# $name: $TOOK ms; $out"
	holds "$name: others wait for a moment only" "$(jq .longest_ms <<<"$out") < ${LONGEST_MS:-400}"
}
lookups() { # name, seed
	local out
	capture "$1" core c1 -Q in -s 200 'udp port 4341'
	on p1 "$E2E/scale_check.py" send eth0 "$(mac x1 e0)" $LOOKUPS "$SCALE" $INSTANCES $VLANS "$2"
	capture_end "$1"
	out=$("$E2E/scale_check.py" check "${CAPFILE[$1]}" $LOOKUPS "$SCALE" $INSTANCES $VLANS "$2" "${RLOCS[@]}")
	is "$1: every packet goes to the locator of its longest prefix" "$out" \
		"{\"right\": $LOOKUPS, \"wrong\": 0, \"missing\": 0, \"first\": []}"
}
mac() { ipn "$1" -j link show dev "$2" | jq -r '.[0].address'; }
maps() { xcj x1 stats maps | jq -r --arg n "$1" ".[] | select(.name == \$n) | $2"; }

# ---- loaded
others "loading" xc x1 cache load "$R/table"
is "loading ends well" "$STATUS: $(cat "$R/out")" "0: added: $entries"
is "both tries together have them all" "$(($(maps xtr_eid4 .entries) + $(maps xtr_eid6 .entries)))" "$entries"
is "IPv4 alone" "$(maps xtr_eid4 .entries)" "$four"
is "that is high, and said to be" "$(maps xtr_eid4 '"\(.pressure) \(.key)"')" "high data-plane.cache-entries"
has "and a person sees it" "$(xc x1 stats maps)" "xtr_eid4: lpm_trie  entries $four  max_entries $PLACES  used 9[0-9.]*%  HIGH"
has "and is told where the counters are" "$(xc x1 stats show 2>&1 >/dev/null)" "xtr_eid4 is full to 9[0-9.]*%"
has "memory an entry takes is told" "$(maps xtr_eid4 .bytes_entry)" '^1[0-9]{2}$'
wait_for 5 grep -q 'warning: xtr_eid4: .* data-plane.cache-entries' "$R/x1/log"
is "the log says it once" "$(grep -c 'warning: xtr_eid4:' "$R/x1/log")" 1
lookups "lookups" 1
is "none of them missed" "$(stat x1 miss)" 0

# ---- no room: refused and counted, and what is there stays
{ for ((i = 0; i < 6; i++)); do echo "10.200.$i.0/24 rloc 172.16.2.9 weight 10 rloc 172.16.2.10 weight 20 # more"; done; echo; } >"$R/more"
echo "10.201.0.0/16 action drop" >>"$R/more"
for ((i = 0; i < 8; i++)); do echo "10.202.$i.0/24 rloc 172.16.2.9"; done >>"$R/more"
is "more than the limit is refused, and said which" "$(xc x1 cache load "$R/more" 2>&1)" \
	"Error: 8 entries were added, 7 refused, the first one of line 10: the map-cache is full; raise limits.cache-entries"
has "what is wrong names its line" "$(printf '# no room\n10.9.0.0/16 rloc x\n10.9.0.0/16 rloc 172.16.2.9\n' | xc x1 cache load - 2>&1)" "0 entries were added, 2 refused, the first one of line 2: rloc: 'x' is no IP address"
has "an entry of a comment, weights and an action" "$(xc x1 cache show 10.200.0.1)" "weight 20"
holds "refusals are counted" "$(control x1 drop-table-full) >= 1"

# ---- shown, whole and of one address
others "showing all" xcj x1 cache show
is "all are shown, each once, all in the kernel" "$(jq -c '[length, ([.[] | select(.installed)] | length), ([.[] | [.iid, .eid]] | unique | length)] | map(. == '$((entries + 8))') | all' "$R/out")" true
is "in order of instance" "$(jq -c '[.[].iid] | . == sort' "$R/out")" true
xcj x1 cache show 10.0.1.70 instance 3 >"$R/out"
is "of an address, the longest prefix" "$(jq -c '.[] | [.eid, .installed, (.locators[0] | has("template"))]' "$R/out")" '["10.0.1.64/28",true,true]'

# ---- killed: traffic goes on, the next daemon takes it all over
stop x1 KILL
lookups "without a daemon" 2
t0=$(millis)
start x1 || finish
echo "# started with $entries entries in $(($(millis) - t0)) ms: $(grep 'took over' "$R/x1/log" | tail -n 1)"
has "the daemon has taken over what the kernel had, and says how long it took" "$(grep 'took over' "$R/x1/log")" "took over $((entries + 8)) map-cache entries from the kernel; [0-9]+ ms since start"
echo "# memory of xtrd: $(awk '/VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/${PID[x1]}/status")"
is "all of them" "$(maps map-cache .entries)" $((entries + 8))
is "set by hand, as before" "$(xcj x1 cache show 10.0.1.70 instance 3 | jq -r '.[].source')" static
lookups "after the restart" 3

# ---- the kernel has less room than the roles: another size is another folder, what is idle longest stays behind
# They were set by hand, and such never give way: without the file of those they are what the kernel was found with.
stop x1
rm "$R/x1/state/itr-static"
yaml $((four / 2)) | conf x1
start x1 || finish
is "the smaller map is full" "$(maps xtr_eid4 '"\(.entries) \(.pressure)"')" "$((four / 2)) full"
has "the log names the key" "$(cat "$R/x1/log")" "limits.cache-entries is $((entries + 8)), but the kernel has room for $((four / 2)) .*data-plane.cache-entries"
check "a new one takes the place of an idle one" xc x1 cache add 10.210.0.0/24 rloc 172.16.2.5
is "which is gone" "$(maps xtr_eid4 .entries)" $((four / 2))
holds "and counted" "$(control x1 cache-evicted) >= 1"

# ---- flushed
others "flushing" xcj x1 cache flush
holds "all of them" "$(jq .deleted "$R/out") > $((four / 2))"
is "nothing is left" "$(($(maps xtr_eid4 .entries) + $(maps xtr_eid6 .entries) + $(maps map-cache .entries)))" 0
stop x1 KILL
is "the kernel has none either" "$(xcj x1 stats maps 2>/dev/null | jq '[.[] | select(.name | test("eid")) | .entries] | add')" 0
finish
