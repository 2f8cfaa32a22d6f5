#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Layers (RFC 9962 4.4): x1 and x2 are the core seed-group. x3, x4, x5 are a group of their own and start with nothing
# but one core address, their group and the keys. The core holds who is in it; the EIDs stay in the layer.
#
#   h1 --- x1 ---+         +--- x3 --- h3
#                |--[core]-|--- x4 --- h4      layer: group 224.2.2.2, key of its own
#   h2 --- x2 ---+    |    +--- x5 --- h5
#   core seed-group   |         all know x1, 224.1.1.1, and the core's key
#   224.1.1.1        dns        (second half: the core is a pull system, found by names)
#
# Core by group address; core lost after the start and back; the layer started before its core; core by pull.
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/dns.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 5
register-interval: 1.5
quick-interval: 1
request-retry-first: 0.3
request-interval: 0.05
reply-interval: 0.001
request-holdoff: 1
notify-retry-max: 2"
G1=224.1.1.1 G2=224.2.2.2
mcast_none 5
decent_hosts 5
key core "secret of the core" >/dev/null
core_member() { # number
	decent_push "$1" $G1 overlay "peers: [\"$(mcast_rloc 1)\"]
accept-from: [172.16.0.0/16]
accept-groups: [$G2/32]" | yaml_decent "$1" "secret of the core"
}
layer_member() { # number, [groups or all], [how it learns of members]
	{
		decent_push "$1" $G2 overlay "core: group
${3:-lookup-interval: 2}"
		cat <<-Y
		core:
		  group: $G1
		  transport: overlay
		  peers: ["$(mcast_rloc 1)"]
		  key-file: $R/core.key
		  register: ${2:-groups}
		  lookup-interval: 2
		Y
	} | yaml_decent "$1" "secret of the layer"
}
in_core() { # node: the members of the layer that it has registered, sorted, on one line
	xcj "$1" site show | jq -r --arg g "$G2" '[.[] | select(.registered and (.eid | contains($g))) | .locators[].address] | unique | join(" ")'
}
in_core_are() { [ "$(in_core "$1")" = "$2" ]; }
layer_works() { # what, numbers...
	local what=$1 i
	shift
	for i; do
		check "$what: x$i has the registrations of its layer" wait_for 12 stores x$i "$@"
		check "$what: x$i knows the members" wait_for 10 members_are x$i "$(rlocs "$@")" $G2
	done
	check "$what: all of the layer reach each other" reach "$@"
}

# ---- core by group address
for i in 1 2; do core_member $i | conf x$i; done
for i in 3 5; do layer_member $i | conf x$i; done
# x4 would ask once in a minute only, but is told by the core (D-25, RFC 9437).
layer_member 4 groups "subscribe: true" | conf x4
start x1 x2 || finish
check "core: is complete" wait_for 10 stores x2 1 2
start x3 x4 || finish
layer_works "layer" 3 4
for n in x1 x2; do check "core: $n holds (*,$G2) with its members (D-33)" wait_for 10 in_core_are $n "$(rlocs 3 4)"; done
check "core: EIDs of the layer are not in it (D-35)" stores x1 1 2
has "a lookup of the group at a core member gives all members (D-21)" \
	"$(xcj x5 lig "(*,$G2)" to "$(mcast_rloc 1)" 2>&1 | tr -d ' \n')$(xcj x1 lig "(*,$G2)" to "$(mcast_rloc 2)" 2>&1 | jq -c .)" \
	'172\.16\.3\.1.*172\.16\.4\.1'
subscribed() { groups x4 | jq -e --arg g $G2 'any(.[]; .group == $g and .subscribed)'; }
check "x4 is subscribed at the core to its group" wait_for 15 subscribed
t0=${EPOCHREALTIME/./}
start x5 || finish
wait_for 5 stores x5 3 4 5
t=$(((${EPOCHREALTIME/./} - t0) / 1000))
layer_works "a fifth joins by one core address" 3 4 5
holds "... everything was there after $t ms, with the start of the daemon" "$t < 3500"

holds "x4 was told by publication" "$(control x1 publications) + $(control x2 publications) > 0"

# ---- the core dies: the layer does not need it to go on
stop x1 KILL
stop x2 KILL
sleep 6 # longer than any registration lives
layer_works "core lost" 3 4 5
start x1 x2 || finish
for n in x1 x2; do check "core back: $n holds the layer again" wait_for 10 in_core_are $n "$(rlocs 3 4 5)"; done
stop x5
rm -rf "$R"/x5/state/*
start x5 || finish
layer_works "re-join" 3 4 5

# ---- the layer first, its core later
for n in x1 x2 x3 x4 x5; do stop $n; xc $n detach >/dev/null 2>&1; done
rm -rf "$R"/x*/state/*
layer_member 5 all | conf x5
start x3 x4 x5 || finish
sleep 1.5
has "no core yet: the group says what is missing" "$(groups x3 | jq -c '[.[].problem]')" '[a-z]'
start x2 x1 || finish
layer_works "layer started first" 3 4 5
check "register: all puts EIDs into the core too (D-35), of that router only" wait_for 10 stores x1 1 2 5
for n in x1 x2 x3 x4 x5; do stop $n; xc $n detach >/dev/null 2>&1; done
rm -rf "$R"/x*/state/*

# ---- core by pull: names instead of a group (D-58)
dns_node
Z=map-server.example.com
knot_start dns 172.16.9.1 $Z || finish
dns_update "add 0 5 A $(mcast_rloc 1)" "add 1 5 A $(mcast_rloc 2)" "add 2 5 A $(mcast_rloc 1)" "add 2 5 A $(mcast_rloc 2)"
for i in 1 2; do
	decent_pull $i 3 172.16.9.1 | yaml_decent $i "secret of the core" |
		sed "s|^\( *\)- eid: 10.0.0.0/8|\1- eid: \"(0.0.0.0/0,$G2/32)\"\n&|" | conf x$i
done
for i in 3 4 5; do
	{
		decent_pull $i 3 172.16.9.1 | sed "s,key-file: .*,key-file: $R/core.key,"
		decent_push $i $G2 overlay "core: pull
lookup-interval: 2
accept-from: [172.16.0.0/16]"
	} | yaml_decent $i "secret of the layer" | conf x$i
done
start x1 x2 x3 x4 x5 || finish
layer_works "core by pull" 3 4 5
idx=$(xcj x3 decent hash "(*,$G2)" modulus 3 | jq -r .index)
has "core by pull: (*,$G2) is at the Map-Servers of its name, index $idx" \
	"$(for n in x1 x2; do in_core $n; done)" '172\.16\.3\.1 172\.16\.4\.1 172\.16\.5\.1'
for n in x1 x2; do has "core by pull: $n has no EIDs of the layer (R-7)" "x$(stored $n | grep -oE "10\\.[345]\\.[^ ]*")" "^x$"; done
finish
