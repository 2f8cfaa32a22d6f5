#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One TCP flow between hosts behind two routers, and UDP by UDP_SEGMENT. First with an underlay that carries super-packets whole
# (a veth, or a NIC that segments tunnels), then with one that is per packet (TSO and tunnel segmentation off), where GRO is what
# counts. iperf3: sender on CPU 0, receiver on CPU 1, cubic.
. "$(dirname "$0")/lib.sh"

per_packet() { # variant: nothing bigger than the MTU is on the wire between a and b
	local n
	for n in a b; do
		on $n$1 ethtool -K ${n}1 tso off tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off gro on >/dev/null 2>&1
	done
}
whole="n v o" wire="v1 j c"
for v in $whole $wire; do chain $v; done
plain n
for v in v v1 j; do vxlan $v; done
# what a user of VXLAN has who also runs some XDP program on the port (a firewall, a load balancer)
for n in a b; do hold ${n}j ${n}1 pass; done
MODE=auto ours o
MODE=tc UMODE=xdp ours c
if grep -q '^ *gpe:' <("$BUILD/xtrd" --help-config); then
	chain g && wire+=" g"
	MODE=auto MORE="data-plane: {gpe: true}" ours g
else
	unmeasured tcp-wire-gpe "this xtrd has no LISP-GPE"
fi
for v in $wire; do per_packet $v; done
for v in $whole $wire; do warm $v 10.2.0.1; done
say "native, VXLAN, ours over an underlay with super-packets; VXLAN, VXLAN with XDP_PASS, ours over one without: up"

tcp() { # variant, id
	local j sp
	on_exec d$1 nice -n -15 iperf3 -s -1 -A 1 -B 10.2.0.1 -p 5301 >/dev/null 2>&1 &
	sp=$!
	wait_for 5 on d$1 ss -Hltn 'sport = :5301'
	j=$(on s$1 nice -n -15 timeout 60 iperf3 -J -A 0 -C cubic -c 10.2.0.1 -p 5301 -t "$TCP_SECS" -O "$TCP_OMIT" 2>/dev/null)
	kill "$sp" 2>/dev/null
	wait "$sp" 2>/dev/null
	record "$2" "$r" "$(jq -r '.end.sum_received.bits_per_second / 1e9' <<<"$j" 2>/dev/null)"
}
gso() { # variant, id
	record "$2" "$r" "$(field "$(on s$1 "$BENCH" gso --src 10.1.0.2 --dst 10.2.0.1 --sink-netns "/run/netns/${NSP}d$1" --secs "$SECS" 2>&1)" gbps)"
}
if [ -n "${QUICK-}" ]; then TCP_SECS=1 TCP_OMIT=0; else TCP_SECS=3 TCP_OMIT=1; fi
e0=$(stat ao encap)
for ((r = 1; r <= ROUNDS; r++)); do
	round $r
	tcp n tcp-plain
	tcp v tcp-vxlan
	tcp o tcp-ours
	tcp v1 tcp-wire-vxlan
	tcp j tcp-wire-vxlan-pass
	tcp c tcp-wire-classic
	[[ $wire != *" g"* ]] || tcp g tcp-wire-gpe
	gso n gso-plain
	gso v gso-vxlan
	gso o gso-ours
	round_ends $r
done
e=$(($(stat ao encap) - e0))
[ $e -gt 1000 ] || { say "ours did not go through the tunnel: $e packets"; exit 1; }
