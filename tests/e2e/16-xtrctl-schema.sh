#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The promise of user/cli/xtrctl.schema.json, kept by what real daemons and real pins make xtrctl print: every command,
# with the daemon and, where it works without, after kill -9. What plain text says of the path of one EID is compared
# with the JSON.
#
#   h1 --- x1 ==== x2 --- h2    ms, mr
. "$(dirname "$0")/lib.sh"
schema=$E2E/../check/schema.py

lab
up || finish
for a in 10.2.0.10 fd02::a:10; do ping4 h1 -c 2 -i 0.1 $a >/dev/null; done
on_schema() { # node, name in the schema, words...
	local n=$1 name=$2 json why
	shift 2
	json=$(xcj "$n" "$@")
	why=$("$schema" "$name" <<<"$json") && ok "$how: xtrctl -j $*" && return
	fail "$how: xtrctl -j $*" "$(head -n 1 <<<"$why")"
}
from_pins() {
	on_schema x1 'cache show' cache show
	on_schema x1 'cache show' cache show 10.2.0.10
	on_schema x1 'rloc show' rloc show
	on_schema x1 'iface show' iface show
	on_schema x1 'stats show' stats show
	on_schema x1 'stats drops' stats drops
	on_schema x1 'map show' map show
	on_schema x1 'prog show' prog show
	on_schema x1 'feature probe' feature probe kernel dev u0
	on_schema x1 'version show' version
	for m in $(xcj x1 map show | jq -r '.[] | select(.type != "ringbuf") | .name'); do
		on_schema x1 'map dump' map dump "$m"
	done
	on_schema x1 'map lookup' map lookup xtr_cfg key 0 0 0 0
}
how="with the daemon"
from_pins
on_schema x1 'cache pending' cache pending
on_schema x1 'cache add' cache add 10.77.0.0/16 action drop
on_schema x1 'cache delete' cache delete 10.77.0.0/16
on_schema x1 'eid show' eid show
on_schema ms 'site show' site show
on_schema ms 'site show' site show 10.1.0.10
on_schema x1 'stats control' stats control
on_schema x1 'config show' config show
on_schema x1 'config path' config path
on_schema x1 'config reload' config reload
on_schema x1 'config check' config check "$R/x1/xtrd.yaml"
on_schema x1 lig lig 10.2.0.10
printf 'version\ncache\n' >"$R/batch"
on_schema x1 'batch file' batch file "$R/batch"
on_exec x1 "$BUILD/xtrctl" -s "$R/x1/xtrd.sock" -j monitor >"$R/events" 2>&1 &
BG+=("$!")
sleep 0.3
xc x1 cache flush >/dev/null
ping4 h1 -c 1 10.2.0.10 >/dev/null
wait_for 5 grep -q map-reply "$R/events"
n=0
while read -r event; do
	n=$((n + 1))
	"$schema" monitor <<<"$event" || echo "$event"
done <"$R/events" >"$R/bad"
holds "with the daemon: monitor showed $n events" "$n > 2"
is "with the daemon: each is as the schema says" "$(head -n 1 "$R/bad")" ""

# The path of an EID in plain words, and the same in JSON.
text=$(xc x1 cache show 10.2.0.10)
peer=$(xcj x1 cache show 10.2.0.10 | jq -r '.[0].locators[0].address')
has "cache show ADDRESS: the entry that is taken" "$text" '^10\.2\.0\.0/24: action encapsulate '
has "... its locator, share, own address, interface and template" "$text" \
	"locator $peer  priority 1  weight 100  share 100%  from [0-9a-f.:]+  dev u0  template fresh  packets [1-9]"
out=$(xc x1 cache show 10.1.0.10 2>&1)
has "cache show of an EID of our own says so" "$out" '^Error: 10\.1\.0\.10 is inside our own EID-prefix 10\.1\.0\.0/24'
out=$(xc x1 cache show 10.99.0.1 2>&1)
has "cache show of an unknown EID says what will happen" "$out" '^Error: no map-cache entry covers 10\.99\.0\.1'

stop x1 KILL
how="daemon down"
from_pins
out=$(xc x1 cache show 2>&1 >/dev/null)
is "daemon down: a note says so" "$out" "daemon not running: showing the kernel's state"
has "daemon down: lig asks by itself" "$(xc x1 lig 10.2.0.10 to "$(rloc_of 4 "$(first_outer)")" 2>&1)" '^10\.2\.0\.0/24: mapped'
on_schema x1 lig lig 10.2.0.10 to "$(rloc_of 4 "$(first_outer)")"
on_schema x1 detach detach
on_schema x1 detach detach
WIRE=
finish
