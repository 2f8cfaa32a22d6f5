#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# The underlay has no more room than the sites: 1500 everywhere. A tunnel that says nothing is a black hole then, and a
# warm path-MTU cache hides it; so caches are flushed and bulk TCP comes first. Then datagrams of every size around the
# limits, and UDP GSO, which the kernel loses silently after decapsulation when it stays whole.
#
#   h1 ---1500--- x1 ===1500=== core ===1500=== x2 ---1500--- h2      xtr0: 1500 - 36 (IPv4 RLOC) or - 56 (IPv6 RLOC)
. "$(dirname "$0")/lib.sh"

flush() {
	local n
	for n in h1 h2 x1 x2; do
		ipn $n route flush cache
		ipn $n -6 route flush cache
	done
}
for OUTER in 4 6; do
	if [ "$OUTER" = 4 ]; then
		inner=1464
		lab 1500
	else
		inner=1444
		down
	fi
	MODE=auto
	up || finish
	is "outer $OUTER: MTU of xtr0" "$(ipn x1 -j link show xtr0 | jq '.[0].mtu')" $inner
	for a in 10.2.0.10 fd02::a:10; do
		flush
		capture icmp x1 l0 'icmp or icmp6'
		check "outer $OUTER: bulk TCP first, routed to $a" tcp h1 h2 $a 8000000
		capture_end icmp
		[ $a = 10.2.0.10 ] && b=10.1.0.10 || b=fd01::a:10
		check "outer $OUTER: bulk TCP the other way, to $b" tcp h2 h1 $b 8000000
	done
	flush
	check "outer $OUTER: bulk TCP from x1 itself" tcp x1 h2 10.2.0.10 8000000
	check "outer $OUTER: bulk TCP from x1 itself, IPv6" tcp x1 h2 fd02::a:10 8000000

	# What must not be fragmented is answered, with the size that would fit.
	flush
	capture big h1 eth0 'icmp or icmp6'
	ping4 h1 -c 2 -i 0.2 -M "do" -s 1472 10.2.0.10 >/dev/null
	ping4 h1 -c 2 -i 0.2 -M "do" -s 1452 fd02::a:10 >/dev/null
	capture_end big
	is "outer $OUTER: ICMP fragmentation needed, next-hop MTU $inner" \
		"$(shark big -Y 'icmp.type == 3 && icmp.code == 4' -T fields -E occurrence=f -e icmp.mtu | sort -u)" $inner
	is "outer $OUTER: ICMPv6 packet too big, MTU $inner" \
		"$(shark big -Y 'icmpv6.type == 2' -T fields -E occurrence=f -e icmpv6.mtu | sort -u)" $inner
	has "outer $OUTER: the largest that fits, does" \
		"$(ping4 h1 -c 3 -i 0.1 -M "do" -s $((inner - 28)) 10.2.0.10)" ' 0% packet loss'
	has "outer $OUTER: the largest that fits, IPv6" \
		"$(ping4 h1 -c 3 -i 0.1 -M "do" -s $((inner - 48)) fd02::a:10)" ' 0% packet loss'
	has "outer $OUTER: larger ones that may be fragmented arrive" \
		"$(ping4 h1 -c 5 -i 0.1 -M dont -s 4000 10.2.0.10)" ' 0% packet loss'
	ping4 h1 -c 1 -s 4000 fd02::a:10 >/dev/null # the first may be what tells the host of the path MTU
	has "outer $OUTER: IPv6 fragments arrive" \
		"$(ping4 h1 -c 5 -i 0.1 -s 4000 fd02::a:10)" ' 0% packet loss'
	for size in 1390 1400 1410 $((inner - 28)) 3000; do
		s=$(stream h1 h2 10.2.0.10 50 1 --size $size)
		check "outer $OUTER: 50 datagrams of $size" intact "$s"
	done

	# UDP GSO: the kernel is handed ten datagrams as one. Cold is tested in 02.
	for m in "h1 h2 10.2.0.10" "h1 h2 fd02::a:10" "x1 x2 10.2.0.1" "x1 x2 fd02::1" "x1 h2 10.2.0.10"; do
		# shellcheck disable=SC2086
		s=$(stream $m 4000 1 --gso 10 --size 1200)
		check "outer $OUTER: UDP GSO $m: 4000 datagrams, 10 at a time" intact "$s"
	done
	# and as the sender with its checksums done by the stack
	on h1 ethtool -K eth0 tx off >/dev/null
	s=$(stream h1 h2 10.2.0.10 1000 1 --gso 10 --size 1200)
	check "outer $OUTER: UDP GSO, tx offload off at the sender" intact "$s"
	check "outer $OUTER: TCP, tx offload off at the sender" tcp h1 h2 10.2.0.10 4000000
	on h1 ethtool -K eth0 tx on >/dev/null
	for n in h1 h2 x1 x2; do is "outer $OUTER: no checksum error at $n" "$(csum_errors $n)" 0; done
done
finish
