#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# An overlay device in a VRF: what it makes of the tables, what happens when the VRF goes and comes back, what is refused.
#
#   x1: VRFs red (instance 5), blue (instance 7), with routes of their own; both have the EID space 10.0.0.0/8
. "$(dirname "$0")/../site.sh"

node x1
router x1
ipn x1 link add u0 type dummy
ipn x1 link set u0 up
addr x1 u0 192.0.2.1/24
for t in red:105 blue:107; do
	ipn x1 link add ${t%:*} type vrf table ${t#*:}
	ipn x1 link set ${t%:*} up
done
ipn x1 link add lan type dummy
ipn x1 link set lan master red
ipn x1 link set lan up
addr x1 lan 10.77.0.1/24
ipn x1 route add 10.0.0.0/8 via 10.77.0.9 table 105 # the VRF's own, of the same prefix as ours
yaml() { # name of the VRF of instance 5
	yaml_paths x1
	cat <<-Y
	rlocs: [{ address: 192.0.2.1 }]
	interfaces:
	  - { name: u0, role: underlay }
	  ${2-}
	overlay:
	  - { device: xtr-red, instance: 5, vrf: $1, addresses: [10.1.0.1/32], routes: [10.0.0.0/8, 0.0.0.0/0, "fd00::/8"] }
	  - { device: xtr-blue, instance: 7, vrf: blue, addresses: [10.1.0.1/32], routes: [10.0.0.0/8] }
	itr: { map-resolvers: [192.0.2.2] }
	etr:
	  map-servers: [{ address: 192.0.2.2, key-file: $(key site "secret of the site") }]
	  database: [{ eid: 10.1.0.0/24, instance: 5 }, { eid: 10.1.0.0/24, instance: 7 }]
	Y
}
refused() { # name, text: xtrd does not start, and says so
	on x1 timeout 60 "$BUILD/xtrd" -c "$R/x1/xtrd.yaml" >"$R/refused" 2>&1
	has "$1" "$(cat "$R/refused")" "$2"
	is "... and nothing is left" "$(ipn x1 -o link | grep xtr)" ""
}
yaml green | conf x1
refused "a VRF that is not there" 'there is no VRF device green \(key overlay\[\].vrf\); make it first: ip link add green type vrf table'
yaml u0 | conf x1
refused "a device that is no VRF" 'no VRF device is u0'
ipn x1 link add e0 type dummy
yaml red '- { name: e0, role: eid, instance: 5 }' | conf x1
refused "an attached port of the tenant that is not in its VRF" 'interface e0: .* in a VRF, where the interface is not'

table() { ipn x1 route show table "$1"; }
yaml red | conf x1
start x1 || finish
has "the VRF's own route stays and comes first" "$(table 105)" '^10\.0\.0\.0/8 via 10\.77\.0\.9 dev lan *$'
has "ours is behind it" "$(table 105)" '^10\.0\.0\.0/8 via 169\.254\.0\.1 dev xtr-red .*metric 4341'
has "a default route of ours too" "$(table 105)" '^default via 169\.254\.0\.1 dev xtr-red .*metric 4341'
has "what the VRF does not know ends there" "$(table 105)" '^unreachable default proto 76 metric 4278198271'
has "... in IPv6 too" "$(ipn x1 -6 route show table 107)" '^unreachable default .*metric 4278198271'
has "IPv6 EID space" "$(ipn x1 -6 route show table 105)" '^fd00::/8 via fe80::1 dev xtr-red .*metric 4341'
is "no rule and no table of ours is needed" "$(ipn x1 rule | grep -c 434)$(table 4341 2>/dev/null)" 0
is "what blue has no route for is nobody's" "$(ipn x1 route get 198.51.100.1 vrf blue 2>&1 | grep -c 'dev')" 0

# ---- the VRF of one tenant goes
blue=$(table 107)
ipn x1 link del red
down() { ! ipn x1 -o link show xtr-red up | grep -q xtr-red; }
check "without its VRF, red's device is taken down: it would stand among those of the host" wait_for 20 down
has "... which is said" "$(cat "$R/x1/log")" 'there is no VRF device red .*instance 5 waits'
is "its EIDs are in no table of the host" "$(ipn x1 route show table all | grep 'dev xtr-red')" ""
is "blue is as it was" "$(table 107)" "$blue"
ipn x1 link add red type vrf table 205
ipn x1 link set red up
again() { ipn x1 route show table 205 | grep -q '^10\.0\.0\.0/8 via 169\.254\.0\.1 dev xtr-red'; }
check "the VRF is there again, with another table: so is the tenant" wait_for 20 again
is "blue is as it was" "$(table 107)" "$blue"

# ---- a reload takes the device out of its VRF
sed -i -e 's/instance: 5, vrf: red/instance: 5/' "$R/x1/xtrd.yaml"
check "reload without the VRF" xc x1 config reload
has "... then it is the host's" "$(table 4341)" '^10\.0\.0\.0/8 via 169\.254\.0\.1 dev xtr-red'
is "... and no more in the table of the VRF" "$(ipn x1 route show table 205 | grep -E 'xtr-red|proto 76')" ""
stop x1
check "detach" xc x1 detach
is "detach leaves the VRFs, and nothing in them" "$(ipn x1 route show table all | grep 'proto 76')$(ipn x1 -br link show type vrf | cut -d ' ' -f 1 | sort | tr '\n' ' ')" 'blue red '
finish
