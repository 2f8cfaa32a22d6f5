#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# One of our programs is missing where the other half of the work was done already: by somebody's hand, or between two steps of
# attaching and detaching. Then a packet dies. It never reaches another tenant, or the host.
#
#   h1  10.1.0.10 ---- l0  x1  xtr0      u0 [XDP, TC] == core == u0  x2 ---- h2  10.2.0.10    instance 0
#   rh1 10.1.0.10 ---- l0  r1  xtr-red   (peer end in x1)            r2 ---- rh2 10.2.0.10    instance 10
# x1 itself owns 10.2.0.77: would it answer in a tenant's place?
. "$(dirname "$0")/lib.sh"

tenant_site() { # namespace of the tenant, its host, site number
	wire "$1" l0 "$2" eth0
	addr "$1" l0 10.$3.0.126/25 fd0$3::a:fe/112
	addr "$2" eth0 10.$3.0.10/25 fd0$3::a:10/112
	default_via "$2" 10.$3.0.126 fd0$3::a:fe
}
yaml_tenants() { # site number
	yaml_xtr "$1" | sed -e "s,^etr:,  - device: xtr-red\n    instance: 10\n    namespace: ${NSP}r$1\n    addresses: [\"10.$1.0.1/32\"\, \"fd0$1::1/128\"]\n    routes: [\"10.0.0.0/8\"\, \"fd00::/8\"]\netr:," \
		-e 's,^    - eid: \(.*\),&\n    - {eid: \1\, instance: 10},'
}
lab
node r1 r2 rh1 rh2
router r1 r2
for i in 1 2; do tenant_site r$i rh$i $i; done
yaml_ms | sed -e 's,^        - eid: \(.*\),&\n        - {eid: \1\, instance: 10},' \
	-e 's|aggregates.*|aggregates: [10.0.0.0/8, "fd00::/8", "[10]10.0.0.0/8", "[10]fd00::/8"]|' | conf ms
yaml_mr | conf mr
link_of() { echo "$R/x1/bpf/xtr"/v*/"link_$1_$(ipn x1 -j link show "$2" | jq .[0].ifindex)"; } # program, interface
remove() { on x1 bpftool link detach pinned "$(link_of "$1" "$2")"; }
id_of() { on x1 bpftool -j link show pinned "$(link_of "$1" "$2")" | jq .id; }
both() { ping4 $1 -c 3 -i 0.05 10.2.0.10 && ping4 $1 -c 3 -i 0.05 fd02::a:10; }
echoes() { on "$1" nstat -asz IcmpInEchos Icmp6InEchos 2>/dev/null | awk '/Echos/ { s += $2 } END { print s + 0 }'; }
in_all() { local n s=0; for n in x1 h1 p1 r1 rh1; do s=$((s + $(echoes $n))); done; echo $s; }
from_outside() { # pings to everything site 1 has, from every tenant
	local h a
	for h in h2 rh2; do
		for a in 10.1.0.10 10.1.0.1 10.1.0.126 fd01::a:10 fd01::1; do on $h ping -q -c 1 -W 0.3 $a >/dev/null & done
	done
	for a in 10.1.0.130 fd01::b:10; do on h2 ping -q -c 1 -W 0.3 $a >/dev/null & done
	sleep 0.6
}

for mode in xdp xdp-generic; do
	export MODE=$mode
	# What XDP hands straight to the host at an EID port of its instance needs no TC (71-direct.sh): here all goes by the stack.
	for i in 1 2; do { yaml_tenants $i; printf 'data-plane:\n  direct-delivery: false\n'; } | conf x$i; done
	start ms mr && start x1 x2 || finish
	check "$mode: registered" wait_for 20 registered ms
	is "$mode: in effect" "$(xcj x1 iface show | jq -r '.[] | select(.name == "u0") | .mode')" $mode
	for t in h1 rh1; do check "$mode: $t reaches its own site 2" both $t; done
	x=$(stat x1 decap)
	check "$mode: and back" ping4 rh2 -c 2 -i 0.05 10.1.0.10
	holds "$mode: it was decapsulated" "$(stat x1 decap) > $x"
	# TC first, XDP last: identifiers of links grow
	holds "$mode: TC was attached before XDP" "$(id_of xtr_tc_underlay u0) < $(id_of xtr_xdp_under u0)"
	holds "$mode: the peer end has its program before anything is delivered" "$(id_of xtr_tc_encap xtr-redp) < $(id_of xtr_xdp_under u0)"

	# ---- TC at the underlay is gone, XDP is still there. Nobody is there to repair it.
	stop x1 KILL
	n=$(in_all)
	from_outside
	holds "$mode: (what is sent does arrive as long as all is there)" "$(in_all) >= $n + 12"
	check "$mode: our TC program is removed from the underlay by hand" remove xtr_tc_underlay u0
	n=$(in_all)
	capture "nobody-$mode" x1 u0 -Q in 'ether dst 02:4c:49:53:50:00'
	from_outside
	capture_end "nobody-$mode"
	is "$mode: XDP decapsulates, and nothing reaches anybody: no host, no tenant, not the router" "$(in_all)" "$n"
	holds "$mode: (they were decapsulated, for nobody)" "$(packets "nobody-$mode") >= 12"

	# ---- a tenant's way out: the program at the peer end is gone
	ipn x1 addr add 10.2.0.77/32 dev lo 2>/dev/null
	check "$mode: our program is removed from red's peer end" remove xtr_tc_encap xtr-redp
	n=$(in_all)
	capture "peer-$mode" x1 xtr-redp -Q in 'icmp'
	capture "out-$mode" core any -Q in 'net 10.0.0.0/8 or udp port 4341'
	for a in 10.2.0.77 10.2.0.10 10.1.0.130; do on rh1 ping -q -c 1 -W 0.3 -p 72 $a >/dev/null; done
	on r1 ping -q -c 1 -W 0.3 -I 10.1.0.1 10.2.0.77 >/dev/null
	capture_end "peer-$mode"
	capture_end "out-$mode"
	holds "$mode: (red's packets do come out of its peer end)" "$(packets "peer-$mode") >= 3"
	is "$mode: the host neither answers nor forwards them" "$(in_all) $(tcpdump -nr "${CAPFILE[out-$mode]}" 2>/dev/null | head -n 2)" "$n "
	# (That the frames are addressed to nobody is why: to the peer end's own address they would be the host's.)
	ipn r1 neigh replace 169.254.0.1 dev xtr-red lladdr "$(ipn x1 -j link show xtr-redp | jq -r .[0].address)"
	on rh1 ping -q -c 1 -W 0.3 10.2.0.77 >/dev/null
	holds "$mode: (addressed to the peer end, they would be answered by the host)" "$(in_all) > $n"
	ipn x1 addr del 10.2.0.77/32 dev lo

	# ---- the next daemon finds it out
	start x1 || finish
	for t in h1 rh1; do check "$mode: after a start $t reaches its own site 2" both $t; done
	check "$mode: and back" ping4 rh2 -c 2 -i 0.05 10.1.0.10

	# ---- detach: XDP goes first, and while it goes nothing comes through
	stop x1
	n=$(in_all)
	out=$(xc x1 detach)
	is "$mode: detach takes XDP away before any TC program" \
		"$(sed -nE 's/^detached xtr_(xdp|tc)_.*/\1/p' <<<"$out" | uniq | tr '\n' ' ')" "xdp tc "
	from_outside
	is "$mode: detached: nothing reaches anybody" "$(in_all)" "$n"
	for t in x2 ms mr; do stop $t; done
	xc x2 detach >/dev/null
done
finish
