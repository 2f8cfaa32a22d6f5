#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# LISP packets that arrive in fragments, with IPv4 options or with an IPv6 extension header: TC can not reassemble, so the
# kernel does, and the daemon sends them on into decapsulation (RFC 9300 16). What comes too fast is dropped and counted.
#
#   h1 --- x1 ===== core ===== x2 --- h2       from x2 to x1 the core cuts everything into pieces of 600 octets
. "$(dirname "$0")/lib.sh"
FRAG=$E2E/fragment.py

lab
for OUTER in 4 6; do
	[ "$OUTER" = 4 ] || down
	yaml_more() { printf 'data-plane:\n  slow-rate: %s\n  slow-burst: %s\n' "$1" "$2"; }
	{ yaml_xtr 1; yaml_more 100000 10000; } | conf x1
	yaml_xtr 2 | conf x2
	yaml_ms | conf ms
	yaml_mr | conf mr
	start ms mr && start x1 x2 && wait_for 20 registered ms || { fail "outer $OUTER: start" "$(tail -n 3 "$R/x1/log")"; finish; }
	if [ "$OUTER" = 4 ]; then
		on_exec core "$FRAG" path cut0 600 >"$R/cut" 2>&1 &
		BG+=($!)
		wait_for 30 grep -q ready "$R/cut" || { fail "setup: what cuts packets is ready" "$(tail -n 1 "$R/cut")"; finish; }
		on core sysctl -qw net.ipv6.conf.cut0.addr_gen_mode=1 2>/dev/null
		{ ipn core link set cut0 mtu 1600 up && ipn core route add default dev cut0 table 100 &&
			ipn core -6 route add default dev cut0 table 100; } || { fail "setup: the way by cut0"; finish; }
	fi
	# The kernel says "port unreachable" when nobody takes what it has reassembled.
	capture icmp$OUTER x1 u0 'icmp or icmp6'
	s=$(stream h2 h1 10.1.0.10 20 5 --size 1300) # resolves
	ipn core rule add iif c2 to 172.16.1.1 lookup 100
	ipn core -6 rule add iif c2 to 2001:db8:1::1 lookup 100
	before=$(stat x1 slow-path)
	for a in "10.1.0.10" "fd01::a:10"; do
		on h2 ping -q -n -W 1 -c 2 "$a" >/dev/null
		s=$(stream h2 h1 $a 300 1 --size 1300)
		check "outer $OUTER: 300 datagrams in fragments, some with options, to $a" intact "$s"
		check "outer $OUTER: TCP to $a, most of it in fragments" tcp h2 h1 $a 2000000
		check "outer $OUTER: TCP from there, its acknowledgements with options" tcp h1 h2 "$([ $a = 10.1.0.10 ] && echo 10.2.0.10 || echo fd02::a:10)" 1000000
	done
	holds "outer $OUTER: counted as slow path" "$(stat x1 slow-path) - $before > 1500"
	is "outer $OUTER: nothing was malformed" "$(drop x1 slow-malformed)" 0
	is "outer $OUTER: nothing above the limit" "$(drop x1 slow-limited)" 0
	is "outer $OUTER: no checksum error at h1" "$(csum_errors h1)" 0
	capture_end icmp$OUTER
	is "outer $OUTER: no ICMP about UDP port 4341" \
		"$(packets icmp$OUTER '(icmp.type == 3 && udp.dstport == 4341) || (icmpv6.type == 1 && udp.dstport == 4341)')" 0
	ipn core rule del iif c2 to 172.16.1.1 lookup 100
	ipn core -6 rule del iif c2 to 2001:db8:1::1 lookup 100

	# A flood: no more than the limit gets through, the rest is counted, and whole packets do not notice.
	stop x1
	{ yaml_xtr 1; yaml_more 100 50; } | conf x1
	start x1
	before=$(stat x1 slow-path)
	bad=$(drop x1 decap-inner)
	mem() { awk '/VmRSS/ { print $2 }' "/proc/${PID[x1]}/status"; }
	m=$(mem)
	on core "$FRAG" flood "$(rloc_of 2 "$OUTER")" "$(rloc_of 1 "$OUTER")" 3000 >/dev/null &
	fp=$!
	has "outer $OUTER: during the flood: ping" "$(ping4 h1 -c 10 -i 0.1 10.2.0.10)" ' 0% packet loss'
	wait $fp
	limited() { [ "$(drop x1 slow-limited)" -gt 500 ]; }
	check "outer $OUTER: excess of a flood is counted as slow-limited" wait_for 5 limited
	holds "outer $OUTER: what is within the limit is checked as any other packet (decap-inner)" "$(drop x1 decap-inner) > $bad"
	holds "outer $OUTER: and is no more than that" "$(drop x1 decap-inner) - $bad < 1500"
	holds "outer $OUTER: memory of xtrd, $m KiB before" "$(mem) - $m < 4096"
done
finish
