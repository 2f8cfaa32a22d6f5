#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# VLAN devices of the kernel in both places: the underlay is u0.7, and the attached hosts of x2 are behind e0.100. At x1 they
# are on a VLAN port: e0 itself, frames with tag 100, whose device answers ARP. What has no tag is somebody else's.
#
#   p1 eth0.100 -- e0 (vlan 100) x1 u0.7 ===== u0.7 x2 e0.100 -- eth0.100 p2
. "$(dirname "$0")/../site.sh"

tagged() { # node, interface, tag: a VLAN device that takes over the addresses
	local a
	ipn "$1" link add link "$2" name "$2.$3" type vlan id "$3" || exit 1
	a=$(ipn "$1" -o addr show dev "$2" scope global | awk '{ print $4 }')
	ipn "$1" addr flush dev "$2" scope global
	ipn "$1" link set "$2.$3" up
	# shellcheck disable=SC2086
	addr "$1" "$2.$3" $a
}
site_nodes
for i in 1 2; do
	tagged x$i u0 7
	tagged x$i e0 100
	tagged p$i eth0 100
	ipn p$i -6 route flush default
	default_via p$i 10.$i.2.254 fd0$i:0:0:2::fe
	# the same cable without the tag has another network
	addr x$i u0 198.51.100.$i/24
done
INTERFACES="[{ name: u0.7, role: underlay }, { name: e0, role: eid, vlan: 100 }]" yaml_site 1 | conf x1
INTERFACES="[{ name: u0.7, role: underlay }, { name: e0.100, role: eid }]" yaml_site 2 | conf x2
if start x2 && start x1; then check "sites register" wait_for 40 registered x2; else finish; fi
is "a VLAN device is taken by TC" "$(of_port x1 u0.7 mode) $(of_port x2 e0.100 mode)" "tc tc"
is "a VLAN port is there" "$(of_port x1 e0 vlan)" 100
first_packets "attached hosts behind a VLAN" p1 10.2.2.10
first_packets "attached hosts behind a VLAN, IPv6" p2 fd01:0:0:2::10
first_packets "routed hosts, IPv4 in IPv6" h1 10.2.0.10
bulk "TCP between attached hosts" p1 p2 10.2.2.10
bulk "TCP to a routed host, IPv6 in IPv4" p2 h1 fd01::10
is "nothing was dropped" "$(drops_of x1)$(drops_of x2)" ''
before=$(stat x1 encap)
has "what has no tag is not ours" "$(ping4 x1 -c 3 -i 0.1 198.51.100.2)" '3 packets transmitted, 3 received'
is "... and was not touched" "$(stat x1 encap)" "$before"

# The VLAN device has a MAC address of its own, so what hosts send by the router goes to the stack. Routes lead some of it to the overlay
# device of another instance, which it must not enter. It comes in by e0.100, on which no program is.
mac() { ipn "$1" -j link show "$2" | jq -r '.[0].address'; }
OVERLAY='[{ device: xtr0, addresses: [10.1.0.1/32, "fd01::1/128"], routes: [10.2.0.0/16, "fd02::/16"] }, { device: xtr9, instance: 9, routes: [10.9.0.0/16, "fd09::/16"] }]' \
	INTERFACES="[{ name: u0.7, role: underlay }, { name: e0, role: eid, vlan: 100 }]" yaml_site 1 | conf x1
check "reload: a second instance" xc x1 config reload
is "the VLAN device is known" "$(xcj x1 iface show dev e0.100 | jq -r '.[] | "\(.role) \(.iid)"')" "helper 0"
ipn x1 link set e0.100 address 02:00:00:00:00:64
for a in 10.1.2.254 fd01:0:0:2::fe; do ipn p1 neigh replace $a lladdr 02:00:00:00:00:64 dev eth0.100; done
ping4 p1 -c 5 -i 0.05 -W 0.1 10.9.0.1 >/dev/null
ping4 p1 -c 5 -i 0.05 -W 0.1 fd09::1 >/dev/null
is "nothing crosses into the other instance" "$(drops_of x1)" 'encap-cross:10 '
has "its own instance is reached by the stack" "$(ping4 p1 -c 3 -i 0.1 10.2.2.10)" '3 packets transmitted, 3 received'
ipn x1 link add br9 type bridge
ipn x1 link set br9 up
ipn x1 link set e0.100 master br9
check "and so is a bridge above it" wait_for 5 eval '[ "$(xcj x1 iface show dev br9 | jq -r ".[] | \"\(.role) \(.iid)\"")" = "helper 0" ]'
ipn x1 link del br9
ipn x1 link del e0.100
check "the VLAN device goes, and is not known any more" wait_for 5 eval '[ "$(xcj x1 iface show | jq "map(select(.role == \"helper\")) | length")" = 0 ]'
finish
