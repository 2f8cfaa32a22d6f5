#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the programs leave to the stack at an EID port comes in by the device above it: here a bridge with a MAC address of its own.
# Routes of the host lead it into the overlay device of another instance, which it must not enter. (VLAN devices: tests/kernel.)
#
#   p eth0 ---- e0 + br5 x u0 ---- eth0 s          e0: instance 5; xtr0: instance 0, 10.2.0.0/16; xtr5: instance 5, 10.3.0.0/16
. "$(dirname "$0")/lib.sh"

node x s p
router x
wire x u0 s eth0
wire x e0 p eth0
addr x u0 172.16.1.1/24
ipn x link add br5 type bridge mcast_snooping 0
ipn x link set br5 address 02:00:00:00:00:05
ipn x link set e0 master br5
ipn x link set br5 up
addr x br5 10.5.0.254/24 fd05::fe/64
addr p eth0 10.5.0.10/24 fd05::10/64
default_via p 10.5.0.254 fd05::fe
{
	yaml_paths x
	cat <<-Y
	rlocs: [{address: 172.16.1.1}]
	interfaces: [{name: u0, role: underlay}, {name: e0, role: eid, instance: 5}]
	overlay:
	  - {device: xtr0, routes: [10.2.0.0/16, "fd02::/16"]}
	  - {device: xtr5, instance: 5, routes: [10.3.0.0/16, "fd03::/16"]}
	etr:
	  database: [{eid: 10.5.0.0/24, instance: 5}, {eid: "fd05::/64", instance: 5}]
	itr: {map-resolvers: [172.16.1.9]}
	Y
} | conf x
start x || finish
above() { xcj x iface show | jq -r '[.[] | select(.role == "helper") | "\(.name) \(.iid)"] | join(" ")'; }
is "the bridge belongs to the instance of its port" "$(above)" "br5 5"
has "seen by a person" "$(xc x iface show dev br5)" "dev br5  role helper  instance 5"
forwarding() { on x bridge link show dev e0 | grep -q 'state forwarding'; }
check "the bridge forwards" wait_for 10 forwarding
has "hosts reach the router by the bridge" "$(on p ping -c 2 -i 0.1 10.5.0.254)" ' 0% packet loss'
on p ping -q -c 5 -i 0.02 -W 0.1 10.2.0.1 >/dev/null
on p ping -q -c 5 -i 0.02 -W 0.1 fd02::1 >/dev/null
is "nothing crosses into instance 0" "$(drops_of x) $(stat x miss)" '{"encap-cross":10} 0'
on p ping -q -c 3 -i 0.02 -W 0.1 10.3.0.1 >/dev/null
holds "what is its own goes on" "$(stat x miss) > 0"
ipn x link set e0 nomaster
check "out of the bridge: the bridge is nobody's" wait_for 5 eval '[ -z "$(above)" ]'
ipn x link set e0 master br5
check "and in again" wait_for 5 eval '[ "$(above)" = "br5 5" ]'
stop x
check "detach" xc x detach
finish
