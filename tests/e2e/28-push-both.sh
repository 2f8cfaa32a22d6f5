#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# A router in two groups (RFC 9962 4.4, "additionally"): x1 is the core, x3 is a layer that is found there, x2 is in both.
# Each group has a key of its own; (*,layer) comes to x2 with either.
#
#   h1 --- x1 ---[      ]--- x3 --- h3      core:  x1, x2     224.1.1.1
#   h2 --- x2 ---[ core ]                   layer: x2, x3     224.2.2.2
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 5
register-interval: 1.5
quick-interval: 1
request-retry-first: 0.3
request-interval: 0.05
request-holdoff: 1
notify-retry-max: 2"
G1=224.1.1.1 G2=224.2.2.2
mcast_none 3
decent_hosts 3
key core "secret of the core" >/dev/null
core_section() { # more lines
	cat <<-Y
	core:
	  group: $G1
	  transport: overlay
	  peers: ["$(mcast_rloc 1)"]
	  key-file: $R/core.key
	  key-id: 7
	  lookup-interval: 2
	$(sed 's/^/  /' <<<"$1")
	Y
}
# Wherever the core's key is, with its number.
decent_push 1 $G1 overlay "peers: [\"$(mcast_rloc 2)\"]
accept-from: [172.16.0.0/16]
accept-groups: [$G2/32]" | yaml_decent 1 "secret of the core" | sed "s|^\( *\)key-file: $R/x1.key\$|&\n\1key-id: 7|" | conf x1
layer() { # number, lines of core
	{
		decent_push "$1" $G2 overlay "core: group
lookup-interval: 2
accept-from: [172.16.0.0/16]"
		core_section "$2"
	} | yaml_decent "$1" "secret of the layer"
}
# EIDs that x1 registers come to x2 with the core's key.
layer 2 "member: true
accept-from: [172.16.0.0/16]" |
	sed "s|^      key-file: .*|      keys: [{key-file: $R/x2.key}, {key-file: $R/core.key, key-id: 7}]|" | conf x2
layer 3 "register: groups" | conf x3
groups_of() { # node: those that hold (*,layer), sorted, on one line
	xcj "$1" site show | jq -r --arg g "$G2" '[.[] | select(.registered and (.eid | contains($g))) | .locators[].address] | unique | join(" ")'
}
holds_layer() { [ "$(groups_of "$1")" = "$2" ]; }

start x1 x2 x3 || finish
for n in x1 x2; do
	check "$n: members of the core are x1 and x2" wait_for 12 members_are $n "$(rlocs 1 2)" $G1
	check "$n: holds (*,$G2), of x2 and x3" wait_for 12 holds_layer $n "$(rlocs 2 3)"
done
for n in x2 x3; do
	check "$n: members of the layer are x2 and x3" wait_for 12 members_are $n "$(rlocs 2 3)" $G2
done
check "x2: has the EIDs of both" wait_for 12 stores x2 1 2 3
check "x3: has the EIDs of the layer, and no others" wait_for 12 stores x3 2 3
check "x1: has no EIDs of the layer" stores x1 1
check "the layer: hosts reach each other" reach 2 3
for n in x1 x2 x3; do
	has "$n: no group has a problem" "$(groups $n | jq -c '[.[].problem]')" '^\[(null,?)+\]$'
done
# ---- and x1 goes: the core of the layer is x2
stop x1 KILL
sleep 6
check "without x1: x2 is alone in the core" wait_for 10 members_are x2 "$(rlocs 2)" $G1
check "without x1: x2 still holds (*,$G2)" wait_for 5 holds_layer x2 "$(rlocs 2 3)"
check "without x1: the layer goes on" stores x3 2 3
finish
