#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What is not LISP passes attached ports untouched, and here it is looked at where it arrives: at the stack of the tunnel
# router, behind XDP and TC (nft copies every frame from there to a monitor), and where the stack forwards it to. Octet for
# octet: frames for others, for the router itself, long ones, short ones, tagged in every way, also with the tag outside of
# the frame, as offloads have it. (07 does the same where ports are in bridges.)
#
#   s1 eth0 --- u0 +---------+ v0 --- eth0 s2       u0 underlay, e0 eid; v0 has no role: what the host forwards
#   s3 eth0 --- e0 |    x    |
#                  +---------+ m0 --- eth0 m        a copy of each frame that comes to the stack from u0 and e0
. "$(dirname "$0")/lib.sh"

UMAC=02:00:00:00:00:10 EMAC=02:00:00:00:00:20 SMAC=02:00:00:00:00:01 OTHER=02:00:00:00:00:99
node x s1 s2 s3 m
wire s1 eth0 x u0 9000
wire s2 eth0 x v0 9000
wire s3 eth0 x e0 9000
wire m eth0 x m0 9300
ipn x link set u0 address $UMAC
ipn x link set e0 address $EMAC
for n in s1 s2 s3 m; do
	ipn $n link set eth0 address $SMAC
	on $n sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
done
on x sysctl -qw net.ipv6.conf.m0.disable_ipv6=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
	net.ipv4.conf.u0.rp_filter=0 net.ipv4.conf.all.accept_local=1
router x
addr x u0 172.16.1.1/24 2001:db8:1::1/64
addr x v0 198.51.100.254/24 2001:db8:ffff::fe/64
addr x e0 10.1.0.254/24 fd01::b:fe/112
ipn x neigh add 198.51.100.7 lladdr $SMAC dev v0
ipn x neigh add 2001:db8:ffff::7 lladdr $SMAC dev v0
ipn m link set eth0 promisc on
on x nft -f - <<-N || finish
table netdev behind {
	chain u { type filter hook ingress device u0 priority 0
		dup to m0
	}
	chain e { type filter hook ingress device e0 priority 0
		dup to m0
	}
}
N
# Tags of what a host sends, outside of the frame (bpf_skb_vlan_push): as a card with VLAN offload or a bridge gives them.
cat >"$R/push.c" <<'C'
#include <linux/bpf.h>
static long (*vlan_push)(struct __sk_buff *, __u16, __u16) = (void *)18;
__attribute__((section("classifier"), used)) int push(struct __sk_buff *skb)
{
	return vlan_push(skb, 0x0081 /* 0x8100 */, 7) ? 2 : 0;
}
char _license[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
C
check "a program that tags is built" clang -O2 -g -target bpf -I"/usr/include/$(uname -m)-linux-gnu" -c "$R/push.c" -o "$R/push.o"

frames() { "$E2E/frames.py" "$@"; }
check "frames are made" eval "frames large $UMAC $SMAC $R/us.pcap && frames large $OTHER $SMAC $R/other.pcap &&
	frames under $UMAC $SMAC $R/own-u.pcap 10.1.0.1 fd01::1 172.16.1.1 && frames local $EMAC $SMAC $R/own-e.pcap 10.1.0.1 fd01::1 172.16.1.1 &&
	frames join $R/u.pcap $R/us.pcap $R/other.pcap $R/own-u.pcap && frames join $R/e.pcap $R/other.pcap $R/own-e.pcap &&
	frames tag 7 $R/u.pcap $R/vlan-u.pcap && frames tag 7 $R/e.pcap $R/vlan-e.pcap"

# Generic XDP on 6.9 and later hands on copies without mac_len. Our TC program repairs that where it can see it, but not in what
# is shorter than any frame on a real wire; nft has no MAC header to copy then.
least() { [ "${mode-}" = xdp-generic ] && echo 32 || echo 0; }
# Sends a file, and compares what comes to the monitor with it, or with another file.
stack() { # name, from, file, [file of what has to come]
	local sent
	capture "stack" m eth0 -Q in
	sent=$(on "$2" "$E2E/frames.py" send eth0 "$R/$3.pcap")
	capture_end "stack"
	check "$1: ${sent:-no} frames reach the stack unchanged" frames same "$R/${4:-$3.pcap}" "${CAPFILE[stack]}" "$(least)"
}
tags() { # node, add or del
	if [ "$2" = add ]; then
		on "$1" tc qdisc add dev eth0 clsact && on "$1" tc filter add dev eth0 egress bpf direct-action object-file "$R/push.o" section classifier
	else
		on "$1" tc qdisc del dev eth0 clsact
	fi
}
all() { # name
	capture forwarded s2 eth0 -Q in 'not ip6 src net fe80::/10 and not arp'
	stack "$1 underlay port" s1 u
	capture_end forwarded
	[ ! -e "$R/reference.pcap" ] || check "$1 the host forwards the same as without us" \
		frames same "$R/reference.pcap" "${CAPFILE[forwarded]}"
	stack "$1 eid port" s3 e
	tags s1 add
	stack "$1 underlay port, tags outside of the frame" s1 vlan-u vlan-u.pcap.tagged
	tags s1 del
	tags s3 add
	stack "$1 eid port, tags outside of the frame" s3 vlan-e vlan-e.pcap.tagged
	tags s3 del
}

all "without us:"
holds "without us: the host forwards some" "$(packets forwarded) > 20"
cp "${CAPFILE[forwarded]}" "$R/reference.pcap"
for mode in ${MODES:-tc xdp xdp-generic}; do
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
		    addresses: [10.1.0.1/32, "fd01::1/128"]
		    routes: [198.18.0.0/15]
		etr:
		  database:
		    - eid: 10.1.0.0/24
		    - eid: "fd01::/64"
		itr:
		  map-resolvers: [172.16.1.9]
		Y
	} | conf x
	start x || finish
	is "$mode: in effect on both ports" \
		"$(xcj x iface show | jq -r '[.[] | select(.name == "u0" or .name == "e0") | .mode] | unique | join(" ")')" $mode
	all "$mode:"
	is "$mode: nothing was dropped, nothing taken for a miss; LISP in fragments and with options went by the stack to the daemon" \
		"$(drops_of x) $(stat x miss) $(stat x decap) $(stat x slow-path)" "{} 0 2 2"
	stop x
	check "$mode: detach" xc x detach
done
finish
