#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Everything that is not LISP to us, or a host's packet for us, passes attached ports untouched, octet for octet.
# A capture on an attached port sees a frame before the programs do. So the ports are put into bridges here, and frames
# are compared where they come out again, behind the programs:
#
#   s1 eth0 ---- u0 +------- x -------+ v0 ---- eth0 s2        br0 = u0 + v0, u0 has role underlay (*)
#   s3 eth0 ---- e0 +-----------------+ w0 ---- eth0 s4        br1 = e0 + w0, e0 has role eid
#
# (*) XDP does not run on an underlay port of a bridge. There a filter behind the programs takes the frames over.
. "$(dirname "$0")/lib.sh"

node x s1 s2 s3 s4
for l in "s1 u0" "s2 v0" "s3 e0" "s4 w0"; do
	read -r n i <<<"$l"
	wire "$n" eth0 x "$i"
	# the same pair of addresses at both pairs of hosts, and quiet hosts: nothing of their own among the frames
	case $n in s1 | s3) m=02:00:00:00:00:01 ;; *) m=02:00:00:00:00:02 ;; esac
	ipn "$n" link set eth0 address $m
	on "$n" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	on x sysctl -qw "net.ipv6.conf.$i.disable_ipv6=1"
done
for b in "br0 u0 v0" "br1 e0 w0"; do
	read -r br a z <<<"$b"
	ipn x link add "$br" type bridge mcast_snooping 0
	on x sysctl -qw "net.ipv6.conf.$br.disable_ipv6=1"
	ipn x link set "$a" master "$br"
	ipn x link set "$z" master "$br"
	ipn x link set "$br" up
done
forwarding() { [ "$(on x bridge link show | grep -c 'state forwarding')" = 4 ]; }
check "bridges forward" wait_for 10 forwarding
addr x br0 172.16.1.1/24
# The bridge shall not judge IP packets by itself (br_netfilter drops broken ones).
on x sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 \
	net.bridge.bridge-nf-call-arptables=0 2>/dev/null
check "frames are made" "$E2E/frames.py" make 02:00:00:00:00:02 02:00:00:00:00:01 "$R/sent.pcap"

cat >"$R/over.c" <<'C'
#include <linux/bpf.h>
static long (*redirect)(__u32, __u64) = (void *)23;
__attribute__((section("over"), used)) int over_to(struct __sk_buff *skb) { return redirect(TO, 0); }
char _license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
C

run() { # name, from, to
	local sent
	capture "$1" "$3" eth0 -Q in
	sent=$(on "$2" "$E2E/frames.py" send eth0 "$R/sent.pcap")
	capture_end "$1"
	check "$1: ${sent:-no} frames come through unchanged" "$E2E/frames.py" same "$R/sent.pcap" "${CAPFILE[$1]}"
}

# First without us: what the kernel's bridge does itself must not be held against anybody.
run "bridge-alone" s1 s2

for mode in tc xdp xdp-generic; do
	{
		yaml_paths x
		cat <<-Y
		rlocs:
		  - address: 172.16.1.1
		interfaces:
		  - {name: u0, role: underlay, mode: $mode}
		  - {name: e0, role: eid, mode: $mode, untagged-only: true}
		overlay:
		  - device: xtr0
		    addresses: [10.1.0.1/32]
		    routes: [10.0.0.0/8, "fd00::/8"]
		etr:
		  database:
		    - eid: 10.1.0.0/24
		itr:
		  map-resolvers: [172.16.1.9]
		Y
	} | conf x
	if [ $mode = xdp ]; then
		ipn x link set u0 nomaster
		ipn x link set v0 nomaster
		check "a filter in place of the bridge" eval 'clang -O2 -target bpf -DTO=$(ipn x -j link show v0 | jq '.[0].ifindex') \
			-I"/usr/include/$(uname -m)-linux-gnu" -c "$R/over.c" -o "$R/over.o" && on x tc qdisc add dev u0 clsact &&
			on x tc filter add dev u0 ingress bpf direct-action object-file "$R/over.o" section over'
	fi
	start x || finish
	is "$mode: in effect on both ports" \
		"$(xcj x iface show | jq -r '[.[] | select(.name == "u0" or .name == "e0") | .mode] | unique | join(" ")')" $mode
	for vlan in on off; do
		for l in "s1 u0" "s2 v0" "s3 e0" "s4 w0"; do
			read -r n i <<<"$l"
			on "$n" ethtool -K eth0 txvlan $vlan rxvlan $vlan >/dev/null 2>&1
			on x ethtool -K "$i" txvlan $vlan rxvlan $vlan >/dev/null 2>&1
		done
		run "$mode-underlay-vlan-offload-$vlan" s1 s2
		run "$mode-eid-port-vlan-offload-$vlan" s3 s4
	done
	is "$mode: nothing was dropped, nothing taken for a miss" \
		"$(drops_of x) $(stat x miss)" "{} 0"
	holds "$mode: the programs did see them" "$(stat x pass) > 0"
	stop x
	check "$mode: detach" xc x detach
done
finish
