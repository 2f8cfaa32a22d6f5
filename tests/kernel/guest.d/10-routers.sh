#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two sites on this kernel: what it has and lacks is found out, first packets of every pair of families wait for their
# answer, TCP runs, a killed daemon's successor takes over what it finds, and detaching leaves nothing.
. "$(dirname "$0")/../site.sh"

# ---- what the kernel has, and what is done where it has not (README, kernels)
"$BUILD/xtrctl" -j feature probe >"$R/features" 2>&1
feature() { sed 's/},{/\n/g' "$R/features" | sed -nE "/\"name\":\"$1\"/s/.*\"have\":([a-z]*).*/\1/p"; }
since() { if at_least "$1"; then echo true; else echo false; fi; } # version
is "TCX, from 6.6" "$(feature tcx)" "$(since 6.6)"
is "decapsulation across families in one step, from 6.3" "$(feature decap-l3)" "$(since 6.3)"
is "drivers tell what their XDP can do, from 6.3" "$(feature xdp-features)" "$(since 6.3)"
for f in kernel tc xdp btf ringbuf lpm-trie managed-neighbours; do is "$f" "$(feature $f)" true; done

site_nodes
snapshot x1 >"$R/before"
site_up || finish

kind=$(for d in u0 e0 xtr0 xtr0p; do of_port x1 $d tc_kind; done | uniq)
if at_least 6.6; then
	is "TC programs hang on TCX" "$kind" tcx
else
	is "TC programs hang on clsact filters, as there is no TCX" "$kind" clsact
	has "... and are seen there" "$(on x1 tc filter show dev u0 ingress)" 'bpf.*xtr_tc_underlay'
fi

first_packets "first packets, IPv4 in IPv6" h1 10.2.0.10
first_packets "first packets, IPv6 in IPv4" h1 fd02::10
first_packets "first packets, IPv4 in IPv4" h2 10.1.1.10
first_packets "first packets, IPv6 in IPv6" h2 fd01:0:0:1::10
first_packets "first packets, attached ports" p1 10.2.2.10
first_packets "first packets, attached ports, IPv6" p2 fd01:0:0:2::10
holds "they were misses" "$(stat x1 miss) >= 3"
bulk "TCP, IPv4 in IPv6" h1 h2 10.2.0.10
bulk "TCP, IPv6 in IPv4" h2 h1 fd01::10
bulk "TCP, IPv4 in IPv4, from an attached port" p1 h2 10.2.1.10
is "nothing was dropped at x1" "$(drops_of x1)" ''
is "nothing was dropped at x2" "$(drops_of x2)" ''

m=$(stat x1 miss)
on h1 ping -q -n -c 120 -i 0.05 10.2.0.10 >"$R/ping4" 2>&1 &
p4=$!
on p1 ping -q -n -c 120 -i 0.05 fd02::10 >"$R/ping6" 2>&1 &
p6=$!
sleep 1
stop x1 KILL
start x1
wait $p4 $p6
has "kill -9 and start under traffic: none lost" "$(cat "$R/ping4")" '120 packets transmitted, 120 received'
has "kill -9 and start under traffic: none lost, attached port" "$(cat "$R/ping6")" '120 packets transmitted, 120 received'
is "no entry had to be asked for again" "$(stat x1 miss)" "$m"
check "the entry is there" cached x1 10.2.0.0/24

stop x1
has "traffic goes on without the daemon" "$(ping4 h1 -c 5 -i 0.1 10.2.0.10)" '5 packets transmitted, 5 received'
check "detach" xc x1 detach
snapshot x1 >"$R/after"
if diff "$R/before" "$R/after" >"$R/diff"; then
	ok "the host is as it was"
else
	fail "the host is as it was" "$(grep -c '^[<>]' "$R/diff") lines differ"
	head -n 30 "$R/diff" | sed 's/^/  | /'
fi
finish
