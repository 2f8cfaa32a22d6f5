#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# xtrctl: every object, plain and as JSON, with the daemon; and the data-plane objects from the pins without it.
#
#   h1 --- x1 ==== x2 --- h2    ms, mr
. "$(dirname "$0")/lib.sh"

lab
up || finish
for a in 10.2.0.10 fd02::a:10; do ping4 h1 -c 2 -i 0.1 $a >/dev/null; done
for o in cache eid rloc iface stats map prog feature config version; do
	check "$o" xc x1 $o
	check "$o help" xc x1 $o help
	check "$o -j is JSON" bash -c "$(declare -f on xc); NSP=$NSP R=$R BUILD=$BUILD; xc x1 -j $o | jq -e . >/dev/null"
	check "$o -p is JSON of several lines" bash -c "$(declare -f on xc); NSP=$NSP R=$R BUILD=$BUILD; [ \$(xc x1 -p $o | tee >(jq . >/dev/null) | wc -l) -gt 1 ]"
done
check "site at the Map-Server" xc ms site
check "stats control" xc x1 stats control
check "stats drops" xc x1 stats drops
check "feature probe kernel" xc x1 feature probe kernel
has "feature probe dev u0 tells the mode and why" "$(xc x1 feature probe dev u0)" 'xdp|tc'
has "bare xtrctl prints the grammar" "$(xc x1)" 'OBJECT'
out=$(xc x1 cache show nonsense 2>&1)
is "an error is status 255" "$?" 255
has "... and says Error:" "$out" '^Error: '
out=$(xc x1 -j cache show nonsense 2>/dev/null)
has "... or is JSON under -j" "$(jq -r .error <<<"$out")" 'nonsense'
xc x1 stats show trailing >/dev/null 2>&1
is "an unknown trailing word is refused" "$?" 255
printf 'cache show\nstats show\n' >"$R/batch"
check "batch file" xc x1 batch file "$R/batch"

# no route to the locator of the other site: every screen says so
via=$(ipn x1 route show default)
xc x1 cache add 10.8.0.0/16 rloc 172.16.2.1
ipn x1 route del default
no_way() { xcj x1 cache show 10.8.0.1 | jq -e '.[0].locators[0] | .template == "down" and .source == null'; }
check "no route to a locator: its template is down and has no source" wait_for 5 no_way
why='NOT USED: no route to it, .*\(ip route get 172\.16\.2\.1\)'
has "... cache show says so, and how to look at it" "$(xc x1 cache show 10.8.0.1)" "locator 172.16.2.1  priority 1  weight 100  $why  template down"
has "... rloc show, too" "$(xc x1 rloc show)" "address 172.16.2.1  template down  $why"
ping4 h1 -c 1 -W 1 10.8.0.1 >/dev/null
has "... and what was dropped is told with that reason" "$(xc x1 stats drops)" 'no route to it: ip route get RLOC'
# shellcheck disable=SC2086
ipn x1 route add $via
xc x1 cache delete 10.8.0.0/16 >/dev/null

# a file of entries of which one is none: which line, and what is in
printf '10.9.1.0/24 rloc 172.16.2.9\n10.9.2.0/24 rloc 172.16.2.9\n# three\n10.9.4.0/24 rloc 224.0.0.1\n10.9.5.0/24 rloc 172.16.2.9\n10.9.6.0/24 rloc 172.16.2.9\n' >"$R/table"
why="4 entries were added, 1 refused, the first one of line 4: a locator is not a unicast address"
is "cache load names the line that is wrong" "$(xc x1 cache load "$R/table" 2>&1)" "Error: $why"
is "... and does what it says" "$(xcj x1 cache show 10.9.0.0/16 | jq -c '[.[].eid]')" '["10.9.1.0/24","10.9.2.0/24","10.9.5.0/24","10.9.6.0/24"]'
is "... also as JSON" "$(xcj x1 cache load "$R/table" | jq -r .error)" "$why"
xc x1 cache delete 10.9.0.0/16 >/dev/null

# when an entry was last used: written by the programs, once a second at most
ping4 h1 -c 1 10.2.0.10 >/dev/null
idle() { xcj x1 cache show 10.2.0.10 | jq '.[0].idle'; }
a=$(idle)
sleep 2.5
b=$(idle)
holds "an entry that is used says so: $a s ago" "$a < 1.6"
holds "... and one that is not, too: $b s ago" "$b > $a + 2 && $b < $a + 4"

# global variables of the programs are told by name
for m in xtr_cfg xtr_gen; do
	has "map dump $m: its variables" "$(xcj x1 map dump $m | jq -c '.[0].value // .[0].values[0].value' | cut -c 1-60)" '^\{"[a-z]'
done

# a daemon that hangs: the pins are shown, soon, and it is said that it is only they
kill -STOP "${PID[x1]}"
t0=$(date +%s%3N)
out=$(xc x1 cache show 10.2.0.10 2>&1)
holds "a daemon that hangs is not waited for: $(($(date +%s%3N) - t0)) ms" "$(($(date +%s%3N) - t0)) < 6000"
has "... what the kernel has is shown" "$out" 'locator 172\.16\.2\.1'
has "... and that it is only that" "$out" "xtrd does not answer: showing the kernel's state"
t0=$(date +%s%3N)
check "... the same of stats" xc x1 stats show
holds "... as soon: $(($(date +%s%3N) - t0)) ms" "$(($(date +%s%3N) - t0)) < 6000"
kill -CONT "${PID[x1]}"

live=$(xcj x1 cache show | jq -c 'map({eid, l: [.locators[].address]}) | sort')
n=$(stat x1 encap)
stop x1 KILL
for o in cache rloc iface stats map prog; do
	check "daemon down: $o, from the pins" xc x1 $o
	check "daemon down: $o -j" bash -c "$(declare -f on xc); NSP=$NSP R=$R BUILD=$BUILD; xc x1 -j $o | jq -e . >/dev/null"
done
check "daemon down: stats drops" xc x1 stats drops
is "daemon down: the same map-cache" "$(xcj x1 cache show | jq -c 'map({eid, l: [.locators[].address]}) | sort')" "$live"
ping4 h1 -c 5 -i 0.05 10.2.0.10 >/dev/null
is "daemon down: counters go on" "$(($(stat x1 encap) - n))" 5
for o in eid config; do
	out=$(xc x1 $o show 2>&1)
	is "daemon down: $o says so, status" "$?" 255
	has "daemon down: $o says what to do" "$out" 'xtrd'
done
check "plain bpftool reads our maps too" bash -c "bpftool map dump pinned \$(find '$R/x1/bpf' -name xtr_stats) | grep -q packets"
check "detach" xc x1 detach
xc x1 stats show >/dev/null 2>&1
is "after detach there is nothing to show" "$?" 255
WIRE=
finish
