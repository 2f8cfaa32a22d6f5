#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One packet to 64 places: a multicast packet of a host to 64 locators, against a VXLAN device with 64 entries for what it floods
# (in a bridge with the host's port, as it is used). Counted where the copies arrive, so the figure is CPU time per copy; in
# bursts whose copies fit the receiving ring.
. "$(dirname "$0")/lib.sh"
COPIES=64
BURST=$((256 / COPIES))
GROUP=233.252.1.1 GROUP_MAC=01:00:5e:7c:01:01

for v in v x t; do
	node s$v a$v b$v
	link s$v s0 ${M}1 a$v a0 ${M}2 1500
	link a$v a1 ${M}3 b$v b1 ${M}4 1600
	router a$v
	addr s$v s0 10.1.0.2/24
	addr a$v a0 10.1.0.1/24
	addr a$v a1 172.16.0.1/24
	addr b$v b1 172.16.0.2/24
	neigh a$v 172.16.0.2 ${M}4 a1
	ipn a$v route add 172.16.1.0/24 via 172.16.0.2
	# what comes back of frames to nobody is not the work that is measured
	on b$v sysctl -qw net.ipv4.ip_forward=0
done

# VXLAN
ipn av addr flush dev a0
ipn av link add br0 type bridge mcast_snooping 0
ipn av link add vx0 type vxlan id 5 local 172.16.0.1 dstport 4789 dev a1 nolearning noudpcsum
ipn av link set a0 master br0
ipn av link set vx0 master br0 mtu 1500 up
ipn av link set br0 up
for ((i = 0; i < COPIES; i++)); do bridge -n "${NSP}av" fdb append 00:00:00:00:00:00 dst 172.16.1.$i dev vx0; done

# ours
for v in x t; do
	[ $v = x ] && mode=xdp || mode=tc
	{
		yaml_paths a$v
		cat <<-Y
		rlocs: [{address: 172.16.0.1}]
		interfaces:
		  - {name: a1, role: underlay, mode: $mode}
		  - {name: a0, role: eid, mode: $mode, untagged-only: true}
		overlay: [{device: xtr0, routes: [10.0.0.0/8]}]
		itr: {map-resolvers: [172.16.0.2]}
		etr: {map-servers: [{address: 172.16.0.2, key-file: $(key a$v secret)}], database: [{eid: 10.1.0.0/24}]}
		multicast:
		  - group: $GROUP
		    copies-to: [$(for ((i = 0; i < COPIES; i++)); do printf '172.16.1.%s,' $i; done)]
		Y
	} | conf a$v
	start a$v || exit 1
done
sleep 1
say "VXLAN, ours in XDP and in TC are up"

flood() { # variant, sink, id
	local j
	j=$(on s$1 nice -n -15 "$BENCH" packets --dev s0 --src 10.1.0.2 --dst $GROUP --dmac $GROUP_MAC --dests 1 --len 100 --batch $BURST --warm 512 \
		--secs "$SECS" --sink-netns "/run/netns/${NSP}b$1" --sink-dev b1 --sink "$2" 2>&1)
	record "flood-$3-ns" "$r" "$(field "$j" cpu_ns)"
	[ $1 != x ] || sent=$((sent + $(field "$j" all))) got=$((got + $(field "$j" received)))
}
sent=0 got=0
c0=$(stat ax replicate-copy) x0=$(stat ax replicate-xdp)
for ((r = 1; r <= ROUNDS; r++)); do
	round $r
	flood v tc vxlan
	flood x xdp ours
	flood t tc ours-tc
	round_ends $r
done
c=$(($(stat ax replicate-copy) - c0)) x=$(($(stat ax replicate-xdp) - x0))
say "ours in XDP: $sent packets, $x copied by XDP, $c copies"
awk "BEGIN { exit !($x > 0.98 * $sent && $c > 0.98 * $COPIES * $sent) }" || {
	say "these figures are not of copies that XDP made: $(drops_of ax) $(grep group "$R/ax/log" | tail -n 2)"
	exit 1
}
