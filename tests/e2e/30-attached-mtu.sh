#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What an attached port answers to packets that are too big, as an independent dissector reads it: to a host beside the port and
# to one a hop further away, in both families, by both outer families; limited; and the MSS clamp, for hosts that never hear
# any ICMP. (Bulk TCP first in every mode is in 49-mtu-first.sh.)
#
#   q1 --- p1 ---1500--- e0 x1 u0 ===1500=== core ===1500=== u0 x2 e0 ---1500--- p2
. "$(dirname "$0")/lib.sh"

lab 1500
host_behind_p1
flush() {
	local n
	for n in p1 p2 q1 x1 x2; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
		ipn $n tcp_metrics flush all >/dev/null 2>&1
	done
}
told() { # node, capture name: what it was told, by whom
	shark "$2" -o ip.check_checksum:TRUE -Y '((icmp.type == 3 && icmp.code == 4) || icmpv6.type == 2) && !_ws.malformed' -T fields \
		-E occurrence=f -E separator=' ' -e ip.src -e ipv6.src -e icmp.mtu -e icmpv6.mtu \
		-e icmp.checksum.status -e icmpv6.checksum.status -e ip.checksum.status | tr -s ' ' | sed 's/^ //; s/ $//' | sort -u | tr '\n' ','
}
MODE=tc
for OUTER in 4 6; do
	mtu=$([ $OUTER = 4 ] && echo 1464 || echo 1444)
	NO_WIRE=1 up || finish
	for h in p1 q1; do
		flush
		before=$(stat x1 icmp-too-big)
		capture big $h eth0 -Q in 'icmp[0] == 3 or icmp6[0] == 2'
		# an echo request, a datagram whose checksum is left to others, and a stream in super-packets
		on $h ping -q -c 1 -W 1 -M "do" -s 1472 10.2.0.130 >/dev/null
		on $h ping -q -c 1 -W 1 -M "do" -s 1452 fd02::b:10 >/dev/null
		for a in 10.2.0.130 fd02::b:10; do
			flush
			check "outer $OUTER: bulk TCP first, $h to $a" tcp $h p2 $a 2000000
		done
		capture_end big
		is "outer $OUTER: $h is told $mtu by the port, with right checksums" "$(told $h big)" "10.1.0.254 $mtu 1 1,fd01::b:fe $mtu 1,"
		holds "outer $OUTER: by the programs" "$(stat x1 icmp-too-big) > $before + 3"
		has "outer $OUTER: the largest that fits $h, does" \
			"$(ping4 $h -c 3 -i 0.1 -M "do" -s $((mtu - 28)) 10.2.0.130)" ' 0% packet loss'
		has "outer $OUTER: the largest that fits $h, does, IPv6" \
			"$(ping4 $h -c 3 -i 0.1 -M "do" -s $((mtu - 48)) fd02::b:10)" ' 0% packet loss'
		has "outer $OUTER: what may be fragmented arrives from $h" \
			"$(ping4 $h -c 3 -i 0.1 -M dont -s 4000 10.2.0.130)" ' 0% packet loss'
	done
	for n in x1 x2; do is "outer $OUTER: $n dropped nothing" "$(drops_of $n)" "{}"; done
	down
done

# Hosts that never hear of it. The clamp is at both ends of the tunnel, but one is enough: here x1 alone has it.
OUTER=4
NO_WIRE=1 up || finish
stop x1
yaml_xtr 1 | { cat; printf 'data-plane:\n  mss-clamp: true\n  icmp-rate: 2\n  icmp-burst: 2\n'; } | conf x1
start x1 || finish
for n in p1 p2; do
	on $n nft -f - <<-N || fail "no ICMP gets to $n" nft
	table inet deaf {
		chain in {
			type filter hook input priority 0;
			icmp type destination-unreachable drop
			icmpv6 type packet-too-big drop
		}
	}
	N
done
flush
capture syn p2 eth0 'tcp[13] & 2 != 0 or (ip6 and ip6[53] & 2 != 0)'
for m in "p1 p2 10.2.0.130" "p1 p2 fd02::b:10" "p2 p1 10.1.0.130" "p2 p1 fd01::b:10"; do
	# shellcheck disable=SC2086
	check "MSS clamp: bulk TCP of hosts that hear no ICMP: $m" tcp $m 2000000
done
capture_end syn
is "MSS clamp: what p2 is offered over IPv4 (1464 - 40) and IPv6 (1464 - 60)" \
	"$(shark syn -Y 'ip.src == 10.1.0.130 || ipv6.src == fd01::b:10' -T fields -e tcp.options.mss_val | sort -u | tr '\n' ' ')" "1404 1424 "
holds "MSS clamp: counted" "$(stat x1 mss-clamped) >= 8"
for n in p1 p2; do is "no checksum error at $n" "$(csum_errors $n)" 0; done

# The limit: 2 a second and CPU, and four at once; two CPUs may be asked.
sent=$(stat x1 icmp-too-big) t0=$(date +%s%N)
on p1 ping -q -c 200 -i 0.002 -W 0.1 -M "do" -s 1472 10.2.0.130 >/dev/null
holds "ICMP is limited" "$(stat x1 icmp-too-big) - $sent <= 8 + 4 * ($(date +%s%N) - $t0 + 500000000) / 1000000000 && $(stat x1 icmp-limited) >= 100"
is "what was not answered is counted" "$(drop x1 encap-mtu)" "$(stat x1 icmp-limited)"
finish
