#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Two tenants with the same addresses at both sites, each in a VRF: nothing of one reaches the other.
#
#   red-1, blue-1  both 10.1.0.10, fd01::10 -- x1 ==LISP== x2 -- red-2, blue-2  both 10.2.0.10, fd02::10
#                                          VRFs red (instance 5) and blue (instance 7)
. "$(dirname "$0")/../site.sh"

node x1 x2 red-1 red-2 blue-1 blue-2
router x1 x2
wire x1 u0 x2 u0 1600
for i in 1 2; do
	addr x$i u0 192.0.2.$i/24 2001:db8::$i/64
	for t in red blue; do
		ipn x$i link add $t type vrf table $([ $t = red ] && echo 105 || echo 107)
		ipn x$i link set $t up
		wire x$i l-$t $t-$i eth0
		ipn x$i link set l-$t master $t
		addr x$i l-$t 10.$i.0.254/24 fd0$i::fe/64
		addr $t-$i eth0 10.$i.0.10/24 fd0$i::10/64
		default_via $t-$i 10.$i.0.254 fd0$i::fe
	done
done
yaml() { # i
	local i=$1 t iid e
	yaml_paths "x$i"
	echo "rlocs: [{ address: 192.0.2.$i }]"
	echo "interfaces: [{ name: u0, role: underlay }]"
	echo "overlay:"
	for t in red:5 blue:7; do
		echo "  - { device: xtr-${t%:*}, instance: ${t#*:}, vrf: ${t%:*}, routes: [10.0.0.0/8, \"fd00::/8\"] }"
	done
	echo "itr: { map-resolvers: [192.0.2.2] }"
	echo "etr:"
	echo "  map-servers: [{ address: 192.0.2.2, key-file: $(key "site$i" "secret of site $i") }]"
	echo "  database:"
	for iid in 5 7; do for e in 10.$i.0.0/24 fd0$i::/64; do echo "    - { eid: \"$e\", instance: $iid }"; done; done
	[ "$i" = 2 ] || return 0
	echo "map-resolver: { map-servers: [192.0.2.2] }"
	echo "map-server:"
	echo "  sites:"
	for i in 1 2; do
		echo "    - name: site-$i"
		echo "      key-file: $(key "site$i" "secret of site $i")"
		echo "      eid-prefixes:"
		for iid in 5 7; do for e in 10.$i.0.0/24 fd0$i::/64; do echo "        - { eid: \"$e\", instance: $iid }"; done; done
	done
}
yaml 1 | conf x1
yaml 2 | conf x2
if start x2 && start x1; then check "sites register" wait_for 40 registered x2; else finish; fi
has "the overlay device of red is in its VRF" "$(ipn x1 -d link show xtr-red)" 'vrf_slave table 105'

echos() { on "$1" nstat -asz | awk '/^(IcmpInEchos|Icmp6InEchos) / { s += $2 } END { print s + 0 }'; }
for t in red blue; do
	first_packets "$t: first packets, IPv4" $t-1 10.2.0.10
	first_packets "$t: first packets, IPv6" $t-1 fd02::10
done
is "red's packets came to red only" "$(echos red-2) $(echos blue-2)" "10 10"
ping4 red-1 -c 7 -i 0.1 10.2.0.10 >/dev/null
is "seven more of red are no more of blue" "$(echos red-2) $(echos blue-2)" "17 10"
bulk "red: TCP" red-1 red-2 10.2.0.10
ipn blue-2 addr flush dev eth0
if out=$(ping4 blue-1 -c 2 -i 0.2 -W 1 10.2.0.10); then
	fail "an address that only red has left is not reached from blue" "$out"
else
	ok "an address that only red has left is not reached from blue"
fi
stop x1
check "detach" xc x1 detach
has "the VRFs stay" "$(ipn x1 -br link show type vrf | cut -d ' ' -f 1 | tr '\n' ' ')" 'red blue'
finish
