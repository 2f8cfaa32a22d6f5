#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Packets of 64 octets through two routers, from frames the kernel makes itself (live frames) and from an AF_PACKET socket.
# Ours in XDP does all of it in XDP: in by the EID port, encapsulated, out; in by the underlay, decapsulated, out. The figure
# is CPU time per packet that arrived, of the sending thread and of the kernel's packet threads.
. "$(dirname "$0")/lib.sh"

for v in n r v x t; do chain $v; done
plain n
redirect r
vxlan v
ours x
MODE=tc ours t
warm n 10.2.0.1 fd02::1
warm v 10.2.0.1
warm x 10.2.0.1 10.6.0.1 fd02::1 fd06::1
warm t 10.2.0.1
say "native, redirect, VXLAN, ours in XDP and in TC are up"

packets() { # command, variant, sink, id, source, destination
	local j
	j=$(on s$2 nice -n -15 "$BENCH" "$1" --dev s0 --src "$5" --dst "$6" --dests 256 --ports 0x3f --secs "$SECS" \
		--sink-netns "/run/netns/${NSP}d$2" --sink-dev d0 --sink "$3" 2>&1)
	record "$4-ns" "$r" "$(field "$j" cpu_ns)"
	record "$4-mpps" "$r" "$(field "$j" mpps)"
	record "$4-loss" "$r" "$(field "$j" loss)"
	# Ours counts what it does: it must have been all of them
	[ $2 != x ] || sent=$((sent + $(field "$j" all)))
}
sent=0
e0=$(stat ax encap) d0=$(stat bx decap)
for ((r = 1; r <= ROUNDS; r++)); do
	round $r
	packets packets n tc plain 10.1.0.2 10.2.0.0
	packets packets r xdp redirect 10.1.0.2 10.2.0.0
	packets packets v tc vxlan 10.1.0.2 10.2.0.0
	packets packets x xdp xdp44 10.1.0.2 10.2.0.0
	packets packets x xdp xdp64 fd01::2 fd02:: # inner, outer
	packets packets x xdp xdp46 10.1.0.2 10.6.0.0
	packets packets x xdp xdp66 fd01::2 fd06::
	packets raw n tc raw-plain 10.1.0.2 10.2.0.0
	packets raw v tc raw-vxlan 10.1.0.2 10.2.0.0
	packets raw x xdp raw-xdp 10.1.0.2 10.2.0.0
	packets raw t tc raw-tc 10.1.0.2 10.2.0.0
	round_ends $r
done
e=$(($(stat ax encap) - e0)) d=$(($(stat bx decap) - d0))
say "ours in XDP: $sent sent, $e encapsulated, $d decapsulated"
awk "BEGIN { exit !($e > 0.98 * $sent && $d > 0.98 * $e) }" || {
	say "these figures are of packets that were not tunnelled, or dropped: $(drops_of ax) $(drops_of bx)"
	exit 1
}
