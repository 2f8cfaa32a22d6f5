#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Groups by DNS name (RFC 9962 4.4): x1 is the core, whose group is given as core.lisp.example.com; x2 and x3 are a layer
# that knows the core by the same name and one address.
#
#   h1 --- x1 ---[      ]--- x2 --- h2      core:  224.1.1.1, later 224.1.1.9
#          dns --[ core ]--- x3 --- h3      layer: 224.2.2.2
#
# No record yet; the record comes; start without DNS; the record changes.
. "$(dirname "$0")/lib.sh"
. "$E2E/mcast.sh"
. "$E2E/dns.sh"
. "$E2E/decent.sh"

TIMERS="registration-timeout: 5
register-interval: 1.5
quick-interval: 1
request-retry-first: 0.3
request-interval: 0.05
request-holdoff: 1
notify-retry-max: 2"
G2=224.2.2.2 Z=lisp.example.com
mcast_none 3
decent_hosts 3
dns_node
knot_start dns 172.16.9.1 $Z || finish
key core "secret of the core" >/dev/null
dns_section() {
	cat <<-Y
	dns:
	  servers: [172.16.9.1]
	  timeout: 1
	  ttl-min: 1
	  retry-min: 0.5
	  retry-max: 1
	Y
}
{
	decent_push 1 core.$Z overlay "accept-from: [172.16.0.0/16]
accept-groups: [$G2/32]"
	dns_section
} | yaml_decent 1 "secret of the core" | conf x1
for i in 2 3; do
	{
		decent_push $i $G2 overlay "core: group
lookup-interval: 1"
		cat <<-Y
		core:
		  group: core.$Z
		  transport: overlay
		  peers: ["$(mcast_rloc 1)"]
		  key-file: $R/core.key
		  lookup-interval: 1
		Y
		dns_section
	} | yaml_decent $i "secret of the layer" | conf x$i
done
problem() { groups "$1" | jq -r --arg g "core.$Z" '.[] | select(.group == $g) | .problem'; }
core_is() { [ "$(groups "$1" | jq -r '.[] | select(.core) | .group')" = "$2" ]; }
joined() { # what
	local i
	for i in 2 3; do
		check "$1: x$i knows the members of the layer" wait_for 10 members_are x$i "$(rlocs 2 3)" $G2
		check "$1: x$i has the EIDs of the layer" wait_for 10 stores x$i 2 3
	done
	check "$1: hosts of the layer reach each other" reach 2 3
}

start x1 x2 x3 || finish
sleep 1
for n in x1 x3; do has "no record: $n says so" "$(problem $n)" "^core\\.$Z: not resolved yet: ..*"; done
has "... in words too" "$(xc x3 decent groups)" "core\\.$Z.*not resolved yet"
dns_update "add core 1 A 224.1.1.1" "add core 1 A 224.5.5.5" "add core 1 A 172.16.1.1"
for n in x1 x2 x3; do check "record: $n takes the first multicast address" wait_for 5 core_is $n 224.1.1.1; done
joined "record"
check "record: nothing is unresolved" test -z "$(problem x1)$(problem x3)"

stop x3
dns_stop knot dns
start x3 || finish
check "start without DNS: the address of before" core_is x3 224.1.1.1
joined "start without DNS"

knot_start dns 172.16.9.1 $Z || finish
dns_update "del core" "add core 1 A 224.1.1.9"
for n in x1 x2 x3; do check "another record: $n follows" wait_for 6 core_is $n 224.1.1.9; done
joined "another record"
finish
