#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The mode in use is known: what was wanted, what it is, why, and the way to the faster one. XDP takes a port with VLANs only where
# tags are in the frames; what is switched off for that is on again afterwards.
#
#   x: u0 --- eth0 of s    e0 --- eth0 of p (tags can not be asked about)    f0 --- f1, both in x
. "$(dirname "$0")/lib.sh"

node x s p
wire x u0 s eth0
wire x e0 p eth0
ipn x link add f0 type veth peer name f1
ipn x link set f0 up
ipn x link set f1 up
addr x u0 172.16.1.1/24
addr x e0 10.1.0.254/25
addr x f0 10.1.0.126/25
config() { # mode
	yaml_paths x
	cat <<-Y
	rlocs:
	  - address: 172.16.1.1
	interfaces:
	  - {name: u0, role: underlay, mode: auto}
	  - {name: e0, role: eid, mode: $1}
	  - {name: e0, role: eid, mode: $1, vlan: 7, instance: 7}
	  - {name: f0, role: eid, mode: $1}
	  - {name: f0, role: eid, mode: $1, vlan: 7, instance: 7}
	  - {name: f0, role: eid, mode: $1, vlan: 8, instance: 8}
	overlay:
	  - {device: xtr0, addresses: [10.1.0.1/32], routes: [10.2.0.0/16]}
	  - {device: xtr7, instance: 7, routes: [10.3.0.0/16]}
	  - {device: xtr8, instance: 8, routes: [10.4.0.0/16]}
	etr:
	  database:
	    - eid: 10.1.0.0/24
	itr:
	  map-resolvers: [172.16.1.9]
	Y
}
row() { xcj x iface show dev "$1" | jq -r --argjson v "${3:-0}" "[.[] | select(.vlan == \$v) | $2] | join(\" \")"; } # device, expression, vlan
modes() { for i in "e0 0" "e0 7" "f0 0" "f0 7" "f0 8"; do row "${i% *}" .mode "${i#* }"; done | tr '\n' ' '; }
offloads() { on x ethtool -k f0; on x ethtool -k f1; on x ethtool -k e0; }
said() { grep -c "interface $1: runs in tc, not in xdp: .*VLAN" "$R/x/log"; }
features() { on x ethtool -k "$1" | awk -v f="$2:" '$1 == f { print $2 }'; }

offloads >"$R/before"
unchanged() { offloads | diff "$R/before" -; }
config xdp | conf x
start x || finish
is "tags can not be verified: all ports are in TC" "$(modes)" "tc tc tc tc tc "
is "and it is said that this was not wanted" "$(row e0 '.wanted, .fallback, (.flags | index("fallback") != null)' 7)" "xdp true true"
has "and why" "$(row e0 .why 7)" "VLAN tags are outside"
is "auto on a veth is as planned" "$(row u0 '.mode, .wanted, .fallback')" "tc auto false"
has "and says why, too" "$(row u0 .why)" "virtual device"
is "they are counted" "$(stat x mode-fallback)" 5
has "seen by a person" "$(xc x iface show dev e0)" "UNPLANNED, wanted xdp"
is "it was logged once for a device" "$(said e0) $(said f0)" "1 1"
# Something changes, everything is looked at again: nothing is said again.
addr x f1 192.0.2.77/32
sleep 0.5
ipn x addr del 192.0.2.77/32 dev f1
sleep 0.5
is "and not again at every look" "$(said e0) $(said f0)" "1 1"
check "no setting is left changed where XDP could not be taken" unchanged
on x ethtool -K f1 tx-vlan-hw-insert off tx-vlan-stag-hw-insert off >/dev/null
check "the other end puts tags into the frames: XDP" wait_for 5 eval '[ "$(modes)" = "tc tc xdp xdp xdp " ]'
is "one XDP program for all of its ports" "$(xcj x iface show dev f0 | jq -c '[.[] | [.xdp, .tc]] | unique')" "[[true,true]]"
is "the receiver has been told as well" "$(features f0 rx-vlan-offload) $(features f0 rx-vlan-stag-hw-parse)" "off off"
is "the counter knows" "$(stat x mode-fallback)" 2
on x ethtool -K f1 tx-vlan-hw-insert on >/dev/null
check "and when it no longer does: TC" wait_for 5 eval '[ "$(modes)" = "tc tc tc tc tc " ]'
is "that is logged" "$(said f0)" 2
is "XDP has gone from the device" "$(ipn x -j link show f0 | jq '.[0].xdp.prog.id // 0')" 0
is "and what was switched off is on" "$(features f0 rx-vlan-offload) $(features f0 rx-vlan-stag-hw-parse)" "on on"
on x ethtool -K f1 tx-vlan-hw-insert off >/dev/null
check "XDP again" wait_for 5 eval '[ "$(modes)" = "tc tc xdp xdp xdp " ]'
stop x KILL
is "after kill -9 it stays" "$(features f0 rx-vlan-offload)" off
check "detach" xc x detach
on x ethtool -K f1 tx-vlan-hw-insert on tx-vlan-stag-hw-insert on >/dev/null
check "offloads are as before" unchanged

has "probe: the reason" "$(xc x feature probe dev u0)" "virtual device: TC keeps super-packets whole"
has "probe: what a VLAN would need" "$(xc x feature probe dev e0 role eid)" "tx-vlan-offload off"
check "probe changes nothing" unchanged
config auto | conf x
start x || finish
is "auto is TC here, as planned" "$(modes) $(stat x mode-fallback)" "tc tc tc tc tc  0"
stop x
check "detach after auto" xc x detach

# An underlay port of a bridge: no XDP, whatever the file says; and where it says so is told, with the way out.
ipn x link add br9 type bridge
ipn x link set u0 master br9
for mode in xdp xdp-generic; do
	config tc | sed "s/{name: u0, .*/{name: u0, role: underlay, mode: $mode}/" | conf x
	start x || finish
	is "$mode on a port of a bridge" "$(row u0 '.mode, .wanted, .fallback')" "tc $mode true"
	line=$(grep -n 'name: u0' "$R/x/xtrd.yaml" | cut -d: -f1)
	has "$mode: file, line, key, value and way out" "$(cat "$R/x/log")" \
		"xtrd.yaml:$line:[0-9]+: interfaces\[\]\.mode is $mode, but interface u0: runs in tc.*port of a bridge.*ip link set u0 nomaster"
	has "probe says it" "$(xc x feature probe dev u0)" "port of br9, mode: xdp and xdp-generic mean TC"
	ipn x link set u0 nomaster
	check "$mode once it is out" wait_for 5 eval '[ "$(row u0 .mode)" = $mode ]'
	ipn x link set u0 master br9
	check "and back in TC when it is in again" wait_for 5 eval '[ "$(row u0 .mode)" = tc ]'
	stop x
	check "detach" xc x detach
done
finish
