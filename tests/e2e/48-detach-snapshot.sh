#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# `xtrctl detach` after everything that can happen to a daemon: what the host is like then is compared with a snapshot taken
# before xtrd first ran, of everything there is to compare. (09 does so for each attach mode after a clean end.)
#
#   h1, p1 --- x1 ==LISP== x2 --- h2, p2
. "$(dirname "$0")/lib.sh"

# Counters, ages and what the kernel learns by itself (neighbours that answered) are left out, nothing else is.
snapshot() { # node
	local n=$1 d
	echo "# links"; ipn "$n" -d -j link show | jq -S 'map(del(.stats, .stats64))'
	echo "# namespaces"; ls "/run/netns" # (numbers of namespaces the kernel never takes back)
	for f in -4 -6; do
		echo "# addresses $f"; ipn "$n" -j $f addr show | jq -S 'map(del(.. | .valid_life_time?, .preferred_life_time?))'
		echo "# rules $f"; ipn "$n" $f rule show
		echo "# routes $f"; ipn "$n" $f route show table all | sed -E 's/ expires [0-9]+sec//' | sort
		echo "# nexthops $f"; ipn "$n" $f nexthop show
		echo "# neighbours somebody set $f"
		ipn "$n" $f neigh show | grep -E 'PERMANENT|NOARP|managed|extern_learn|proto'
		ipn "$n" $f neigh show proxy
	done
	echo "# groups"; ipn "$n" -j maddr show | jq -S 'map({ifname, maddr: [.maddr[] | del(.users)] | sort_by(tostring)})'
	echo "# multicast routes"; ipn "$n" mroute show
	for d in $(ipn "$n" -j link show | jq -r '.[].ifname' | sort); do
		echo "# tc $d"
		on "$n" tc qdisc show dev "$d"
		on "$n" tc filter show dev "$d" ingress
		on "$n" tc filter show dev "$d" egress
		echo "# offload $d"; on "$n" ethtool -k "$d"
		on "$n" ethtool -l "$d" 2>&1
	done
	echo "# bpftool net"; on "$n" bpftool net show
	echo "# sysctl"; on "$n" sysctl -a 2>/dev/null | grep '^net\.' | grep -vE 'nf_conntrack_count|ipfrag_secret|stat_refresh|route\.flush|inet_peer' | sort
	echo "# packet filter"; on "$n" nft list ruleset; on "$n" iptables-save 2>/dev/null | grep -v '^#'
	echo "# pins"; (cd "$R/$n/bpf" && find . | sort)
	echo "# sockets"; on "$n" ss -Hanutwx0 2>/dev/null | grep -vE 'TIME-WAIT|u_str|u_dgr|u_seq' | awk '{ print $1, $2, $5, $6 }' | sort
}
objects() { # node: ids of what is pinned: "prog 12", "map 34", "link 56"
	local kind
	for kind in prog map link; do
		on "$1" bpftool -j -f $kind show 2>/dev/null |
			jq -r --arg k $kind --arg d "$R/$1/bpf/" '.[] | select(any(.pinned[]?; startswith($d))) | "\($k) \(.id)"'
	done >>"$R/objects"
}
gone() { # none of the objects is in the kernel any more
	local kind id left=0
	while read -r kind id; do
		bpftool "$kind" show id "$id" >/dev/null 2>&1 && echo "$kind $id is still there" && left=1
	done <"$R/objects"
	return $left
}
both() { snapshot x1; echo "# of the tenant"; snapshot red; }
same() { # name
	both >"$R/after"
	if diff "$R/before" "$R/after" >"$R/diff"; then
		ok "$1: the host is as it was"
	else
		fail "$1: the host is as it was" "$(grep -c '^[<>]' "$R/diff") lines differ"
		sed 's/^/  | /' "$R/diff" | head -n 30
	fi
	check "$1: no program, map or link is left in the kernel" wait_for 5 gone
}
traffic() { # name
	objects x1
	# one Map-Reply per EID-prefix and RLOC in 3 s (RFC 9301 5.4): who starts again sooner than that has to ask twice
	check "$1: traffic, routed" wait_for 10 ping4 h1 -c 2 -i 0.05 10.2.0.10
	check "$1: traffic, attached port, IPv6" ping4 p1 -c 2 -i 0.05 fd02::b:10
}
detach() { check "$1: detach" xc x1 detach; same "$1"; } # name
ended() { # the daemon of x1 has ended by itself
	local p=${PID[x1]}
	unset "PID[x1]"
	for _ in {1..200}; do kill -0 "$p" 2>/dev/null || { wait "$p"; return 0; }; sleep 0.05; done
	PID[x1]=$p
	return 1
}
failing() { # name, pattern of the log: a start that can not succeed
	: >"$R/x1/log"
	on_exec x1 "$BUILD/xtrd" -c "$R/x1/xtrd.yaml" >>"$R/x1/log" 2>&1 &
	PID[x1]=$!
	check "$1: it says so and ends" ended
	has "$1: why" "$(cat "$R/x1/log")" "$2"
}
# Everything that can be configured, on both kinds of hooks: a tenant in a namespace, a VLAN, and on a port whose tags can
# be verified one whose offloads are changed.
everything() {
	MODE=xdp EMODE=${EMODE:-tc} OUTER=46 yaml_xtr 1 | awk -v mode="${EMODE:-tc}" -v red="/run/netns/${NSP}red" '/untagged-only/ { next } /^overlay:/ {
		print "  - {name: e0, role: eid, vlan: 7, mode: " mode "}"
		print "  - {name: t0, role: eid, vlan: 9, mode: xdp}"
		print
		print "  - {device: xtr7, instance: 7, namespace: " red ", addresses: [10.1.0.1/32], routes: [10.0.0.0/8, \"fd00::/8\"]}"
		next } 1'
	cat <<-Y
	data-plane:
	  mss-clamp: true
	  check-source: false
	Y
}
# A member of a group, below a core that is reached through the overlay.
groups() {
	everything
	cat <<-Y
	map-resolver: {}
	map-server:
	  sites:
	    - name: all
	      key-file: $(key site1 "secret of site 1")
	      eid-prefixes: [{eid: 10.0.0.0/8, accept-more-specifics: true}, {eid: "fd00::/8", accept-more-specifics: true}]
	decent:
	  push:
	    group: 224.2.2.2
	    transport: underlay
	    key-file: $(key site1 "secret of site 1")
	    core: group
	  core:
	    group: 224.1.1.1
	    transport: overlay
	    peers: [172.16.2.1]
	    key-file: $(key site1 "secret of site 1")
	Y
}

lab
node red
# What somebody else has set, some of it in the way.
ipn x1 link set u0 alias "uplink of somebody"
ipn x1 neigh replace 172.16.1.254 lladdr "$(ipn core -j link show c1 | jq -r '.[0].address')" dev u0 nud permanent
ipn x1 route add 198.18.0.0/15 via 172.16.1.254 table 4341
ipn x1 rule add to 198.18.0.0/15 lookup 4341 priority 99
ipn x1 link add t0 type veth peer name t1
ipn x1 link set t0 up
ipn x1 link set t1 up
on x1 ethtool -K t1 txvlan off tx-vlan-stag-hw-insert off >/dev/null
ipn x1 link add xtr9 type veth peer name xtr9p
ipn x1 link set xtr9 alias "device of somebody else"
on x1 ethtool -K e0 tx-udp-segmentation off >/dev/null
on x1 nft add table inet somebody
OUTER=46
yaml_xtr 2 | conf x2
yaml_ms | conf ms
yaml_mr | conf mr
start ms mr x2 || finish
ping4 x1 -c 1 172.16.3.1 >/dev/null
ping4 x1 -c 1 2001:db8:3::1 >/dev/null
sleep 0.2
both >"$R/before"
: >"$R/objects"

everything | conf x1
start x1 || finish
wait_for 20 registered ms
traffic "everything"
holds "everything: there is something to remove ($(wc -l <"$R/objects") kernel objects)" "$(wc -l <"$R/objects") > 20"
is "everything: tags are verified on a port, and are not for XDP on the other" \
	"$(xcj x1 iface show | jq -r '[.[] | select(.vlan > 0) | "\(.name) \(.mode)"] | sort | join(", ")')" "e0 tc, t0 xdp"
holds "everything: a device is with the tenant" "$(ipn red link show | grep -c xtr7) == 1"
stop x1
detach "everything"
check "everything: detach again" xc x1 detach
same "detached twice"

start x1 || finish
traffic "kill -9"
stop x1 KILL
detach "kill -9"

start x1 || finish
traffic "killed twice"
stop x1 KILL
start x1 || finish
stop x1 KILL
detach "killed twice"

start x1 || finish
traffic "forced"
check "forced: detach under a running daemon, by force" xc x1 detach force
stop x1
detach "forced, then stopped"

# Other names: of the overlay device, of the ports, of the routing table, and other sizes of the maps.
start x1 || finish
objects x1
stop x1
everything | sed -e 's/xtr0/lisp7/' -e '/name: e0/,/mode/d' -e '/name: t0/d' -e 's/^data-plane:/&\n  route-table: 5000\n  rule-priority: 7000\n  cache-entries: 5000/' | conf x1
start x1 || finish
objects x1
check "other names: traffic" ping4 h1 -c 2 -i 0.05 10.2.0.10
is "other names: the old overlay device has gone" "$(ipn x1 -j link show | jq -r '[.[].ifname | select(. == "xtr0" or . == "xtr0p")] | join(" ")')" ""
is "other names: nothing is left on the port without a role" "$(on x1 tc filter show dev e0 ingress; on x1 bpftool net show dev e0 | grep -c xtr_)" 0
stop x1
detach "other names"

# Starts that fail.
everything | sed 's/name: e0/name: nothere0/' | conf x1
failing "a port is missing" 'nothere0'
detach "a port is missing"
cat >"$R/x.c" <<'C'
__attribute__((section("xdp"), used)) int somebody(void *x) { return 2; }
char _license[] __attribute__((section("license"), used)) = "GPL";
C
clang -O2 -g -target bpf -c "$R/x.c" -o "$R/x.o" && ipn x1 link set u0 xdp obj "$R/x.o" sec xdp
both >"$R/before"
everything | conf x1
failing "another XDP program is there" 'u0.*another XDP program'
detach "another XDP program is there"
ipn x1 link set u0 xdp off
ipn x1 link add xtr0 type veth peer name foreign0
both >"$R/before"
everything | conf x1
failing "a device of that name is there" 'xtr0.*not ours'
detach "a device of that name is there"
ipn x1 link del xtr0

# With groups of routers.
both >"$R/before"
groups | conf x1
start x1 || finish
wait_for 10 eval 'ipn x1 maddr show dev u0 | grep -q 224.2.2.2'
objects x1
has "groups: it is a member" "$(ipn x1 maddr show dev u0)" 224.2.2.2
stop x1 KILL
detach "groups"
everything | conf x1

# And it starts again.
both >"$R/before"
start x1 || finish
traffic "again"
stop x1
detach "again"
finish
