# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts of guest.d share, on top of lib.sh of the end-to-end tests: two tunnel routers on one cable, the second
# of which is Map-Server and Map-Resolver besides (each daemon costs an emulated CPU seconds to start).
#
#  h1 10.1.0.10, 10.1.1.10 -- l0 +----+                 +----+ l0 -- h2 the same with 2
#     fd01::10, fd01:0:0:1::10   | x1 | u0 ========= u0 | x2 |
#  p1 10.1.2.10, fd01:0:0:2::10  +----+ 192.0.2.1       +----+ e0 -- p2 the same with 2
#     attached: e0, role eid      xtr0  2001:db8::1      xtr0
#
# EID-prefixes and the locators they have, so that every pair of families is there:
#   10.N.0.0/24  IPv6    fd0N::/64        IPv4      across families
#   10.N.1.0/24  IPv4    fd0N:0:0:1::/64  IPv6      within one
#   10.N.2.0/24  IPv4    fd0N:0:0:2::/64  IPv4      attached ports
export XTR_START_WAIT=120
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

release=$(uname -r)
at_least() { [ "$(printf '%s\n%s\n' "$1" "$release" | sort -V | head -n 1)" = "$1" ]; }

# What lib.sh does with jq, which takes an emulated CPU seconds to start, and by asking twenty times a second.
wait_for() { # seconds, command...
	local end=$((SECONDS + 2 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.4
	done
}
drops_of() { xcj "$1" stats drops | tr -d '{}"' | tr , '\n' | grep -vE ':0$|^encap-scope:' | tr '\n' ' '; }
of_port() { # node, interface, member of its row: one word
	xcj "$1" iface show | sed 's/},{/\n/g' | sed -nE "/\"name\":\"$2\"/s/.*\"$3\":\"?([^\",]*).*/\1/p"
}

site_hosts() { # i: host and attached host of router xi
	local i=$1
	wire "x$i" l0 "h$i" eth0
	addr "x$i" l0 10.$i.0.254/24 10.$i.1.254/24 fd0$i::fe/64 fd0$i:0:0:1::fe/64
	addr "h$i" eth0 10.$i.0.10/24 10.$i.1.10/24 fd0$i::10/64 fd0$i:0:0:1::10/64
	default_via "h$i" 10.$i.0.254 fd0$i::fe
	wire "x$i" e0 "p$i" eth0
	addr "x$i" e0 10.$i.2.254/24 fd0$i:0:0:2::fe/64
	addr "p$i" eth0 10.$i.2.10/24 fd0$i:0:0:2::10/64
	default_via "p$i" 10.$i.2.254 fd0$i:0:0:2::fe
}
site_nodes() { # [devices: two of this namespace, instead of a veth pair between the routers]
	local i d
	node x1 x2 h1 h2 p1 p2
	router x1 x2
	if [ $# = 2 ]; then
		for i in 1 2; do
			d=${!i}
			ip link set "$d" down && ip link set "$d" name u0 netns "${NSP}x$i" && ipn x$i link set u0 up || exit 1
		done
	else
		wire x1 u0 x2 u0 1600
	fi
	for i in 1 2; do
		addr x$i u0 192.0.2.$i/24 2001:db8::$i/64
		site_hosts $i
	done
}
# INTERFACES and OVERLAY replace those keys; DATABASE adds to the EID-prefixes.
yaml_site() { # i
	local i=$1 e
	local ports="[{ name: u0, role: underlay, mode: ${MODE:-auto} }, { name: e0, role: eid, mode: ${EMODE:-auto}, untagged-only: true }]"
	local overlay="[{ device: xtr0, addresses: [10.$i.0.1/32, \"fd0$i::1/128\"], routes: [10.0.0.0/8, \"fd00::/8\"] }]"
	yaml_paths "x$i"
	cat <<-Y
	rlocs: [{ address: 192.0.2.$i }, { address: "2001:db8::$i" }]
	interfaces: ${INTERFACES:-$ports}
	overlay: ${OVERLAY:-$overlay}
	itr: { map-resolvers: [192.0.2.2] }
	etr:
	  map-servers: [{ address: 192.0.2.2, key-file: $(key "site$i" "secret of site $i") }]
	  database:
	Y
	for e in "10.$i.0.0/24 2001:db8::$i" "fd0$i::/64 192.0.2.$i" "10.$i.1.0/24 192.0.2.$i" "fd0$i:0:0:1::/64 2001:db8::$i" \
		"10.$i.2.0/24 192.0.2.$i" "fd0$i:0:0:2::/64 192.0.2.$i"; do
		echo "    - { eid: \"${e% *}\", rlocs: [{ address: \"${e#* }\" }] }"
	done
	[ -z "${DATABASE-}" ] || eval "echo \"$DATABASE\""
	[ "$i" = 2 ] || return 0
	cat <<-Y
	map-resolver: { map-servers: [192.0.2.2] }
	map-server:
	  aggregates: [10.0.0.0/8, "fd00::/8"]
	  sites:
	Y
	for i in 1 2; do
		echo "    - name: site-$i"
		echo "      key-file: $(key "site$i" "secret of site $i")"
		echo "      eid-prefixes:"
		for e in 10.$i.0.0/24 fd0$i::/64 10.$i.1.0/24 fd0$i:0:0:1::/64 10.$i.2.0/24 fd0$i:0:0:2::/64 ${MS_EIDS-}; do
			echo "        - { eid: \"$e\" }"
		done
	done
}
site_up() {
	yaml_site 1 | conf x1
	yaml_site 2 | conf x2
	start x2 && start x1 || return 1
	check "sites register" wait_for 40 registered x2
}
# A burst to an EID nobody has asked for yet: every packet arrives, the first of them after a Map-Request.
first_packets() { # name, from, to
	has "$1" "$(ping4 "$2" -c 5 -i 0.2 "$3")" '5 packets transmitted, 5 received'
}
bulk() { # name, from, server node, server address: TCP, of which the super-packets are segmented or kept whole
	local p out
	rm -f "$R/iperf3" # an earlier one listened, this one does not yet
	on_exec "$3" iperf3 --forceflush -s -1 -B "$4" >"$R/iperf3" 2>&1 &
	p=$!
	BG+=("$p")
	wait_for 20 grep -q listening "$R/iperf3"
	out=$(on "$2" timeout 40 iperf3 -c "$4" -n 4M 2>&1)
	wait $p
	# (4 MB and up to a block more were sent; what is in flight when the sender says so is not in the receiver's sum)
	has "$1" "$(tail -n 6 <<<"$out")" '\[ *[0-9]+\] .* [1-4]\.[0-9]+ MBytes .*receiver'
}
# What a router has besides addresses of its own making: compared before and after.
snapshot() { # node
	ipn "$1" -o link show | sed -E 's/ qdisc [a-z]+//; s/state [A-Z]+//; s/qlen [0-9]+//'
	ipn "$1" -o addr show
	for f in -4 -6; do ipn "$1" $f rule show; ipn "$1" $f route show table all | sed -E 's/ pref medium//' | sort; done
	on "$1" tc qdisc show | grep -v noqueue
	ipn "$1" -d neigh show | grep -E 'managed|PERMANENT'
	on "$1" sysctl -a 2>/dev/null | grep -E '^net\.ipv[46]\.(conf\.(all|default|u0|l0|e0)|neigh)\.' | sort
	ls -R "$R/$1/bpf"
}
